"""SUBSCRIBE on the wire: RFC 6665, RFC 3265 and the decisions that go beyond them."""

import pytest

from openpy.db.errors import Unavailable
from openpy.sip.message import Request
from tests.modules.presence.kit import PIDF, START, Exchange, House, presence


def refused(exchange: Exchange, status: int) -> None:
    assert (exchange.status, exchange.code) == (status, -1)


def state(notify: Request) -> str | None:
    return notify.get("Subscription-State")


def test_evt_14_evt_15_evt_23_evt_25_the_life_of_a_subscription() -> None:
    house = House()
    house.publish()
    first = house.subscribe()
    assert (first.status, first.reply.reason, first.code) == (200, "OK", 1)
    assert state(house.take_one()) == "active;expires=600"
    assert house.resubscribe(first, expires=100).status == 200
    assert state(house.take_one()) == "active;expires=100"
    assert house.resubscribe(first, expires=0, cseq=3)["Expires"] == "0"
    last = house.take_one()
    assert state(last) == "terminated;reason=timeout"
    assert last.body
    assert house.memory.named("active_watchers") == []
    assert house.presence.subscriptions.value == 0


def test_what_a_row_holds() -> None:
    house = House(to_tag_pref="pres")
    routes = ("Record-Route: <sip:p1;lr>, <sip:p2;lr>", "Record-Route: <sip:p3;lr>")
    first = house.subscribe(*routes, event="presence;id=7", expires=100, cseq=5, to="<sip:Al@X.org>")
    (row,) = house.memory.named("active_watchers")
    assert row == {
        "id": 1,
        "presentity_uri": "sip:alice@example.org",
        "watcher_username": "bob",
        "watcher_domain": "example.org",
        "to_user": "Al",
        "to_domain": "x.org",
        "event": "presence",
        "event_id": "7",
        "to_tag": first.reply.to.tag,
        "from_tag": "b1",
        "callid": first.request.call_id,
        "local_cseq": 128,
        "remote_cseq": 5,
        "contact": "sip:bob@192.0.2.7:5070",
        "record_route": "<sip:p1;lr>,<sip:p2;lr>,<sip:p3;lr>",
        "expires": START + 100,
        "status": 1,
        "reason": "",
        "version": 0,
        "socket_info": "udp:192.0.2.1:5060",
        "local_contact": "sip:192.0.2.1:5060;transport=udp",
    }
    assert str(row["to_tag"]).startswith("pres.")
    assert len(str(row["to_tag"])) <= 64


@pytest.mark.parametrize("event", [None, "dialog", "presence.winfo.winfo"])
def test_evt_01_evt_02_evt_42_events_that_are_not_served(event: str | None) -> None:
    exchange = House().subscribe(event=event)
    refused(exchange, 489)
    assert exchange["Allow-Events"] == "presence, presence.winfo, dialog;sla"


def test_evt_03_d10_an_id_makes_a_subscription_of_its_own() -> None:
    house = House()
    plain = house.subscribe()
    other = house.subscribe(event="presence;id=7")
    assert [notify.get("Event") for notify in house.take()] == ["presence", "presence;id=7"]
    house.resubscribe(plain, expires=0)
    house.take()
    house.publish()
    assert house.take_one().get("Event") == "presence;id=7"
    assert house.resubscribe(other, event="presence;id=7").status == 200


@pytest.mark.parametrize("event", ["presence;foo=bar", "presence ; x", "presence\t;\tid=7"])
def test_evt_04_evt_05_parameters_and_spaces(event: str) -> None:
    assert House().subscribe(event=event).status == 200


def test_evt_06_evt_09_lifetimes() -> None:
    house = House(max_expires=1000)
    assert house.subscribe(expires=None)["Expires"] == "1000"
    assert house.subscribe(expires=5000)["Expires"] == "1000"
    assert house.subscribe(expires=10)["Expires"] == "10"
    assert House().subscribe(expires=None)["Expires"] == "3600"


def test_evt_07_evt_08_contact_and_record_route() -> None:
    exchange = House().subscribe("Record-Route: <sip:p1;lr>", "Record-Route: <sip:p2;lr>")
    assert exchange["Contact"] == "<sip:192.0.2.1:5060;transport=udp>"
    assert exchange.reply.all("Record-Route") == ["<sip:p1;lr>", "<sip:p2;lr>"]
    assert exchange["Allow-Events"] == "presence, presence.winfo, dialog;sla"


def test_evt_10_too_brief() -> None:
    exchange = House(min_expires=60).subscribe(expires=59)
    refused(exchange, 423)
    assert exchange["Min-Expires"] == "60"
    assert House(min_expires=60).subscribe(expires=0).status == 200


def test_evt_11_the_status() -> None:
    assert House().subscribe().status == 200
    exchange = House(subs_respond_200=0).subscribe()
    assert (exchange.status, exchange.reply.reason) == (202, "OK")


def test_evt_12_evt_13_evt_22_evt_40_the_first_notify() -> None:
    house = House()
    house.names["p1.example.org"] = ("192.0.2.9",)
    house.publish()
    first = house.subscribe("Record-Route: <sip:p1.example.org:5080;lr>")
    notify = house.take_one()
    assert notify.uri == "sip:bob@192.0.2.7:5070"
    assert notify.from_.tag == first.reply.to.tag
    assert notify.to.tag == "b1"
    assert notify.call_id == first.request.call_id
    assert notify.all("Route") == ["<sip:p1.example.org:5080;lr>"]
    assert notify.get("Content-Type") == PIDF
    assert notify.cseq.number == 1
    assert (house.wire[-1][0].host, house.wire[-1][0].port) == ("192.0.2.9", 5080)


def test_evt_16_a_fetch_keeps_nothing() -> None:
    house = House()
    house.publish()
    exchange = house.subscribe(expires=0)
    assert exchange["Expires"] == "0"
    notify = house.take_one()
    assert state(notify) == "terminated;reason=timeout"
    assert notify.body
    assert house.memory.named("active_watchers") == []
    assert house.agent.dialogs == {}
    house.subscribe(uri="sip:nobody@example.org", expires=0)
    assert house.take_one().body == b""
    assert "sip:nobody@example.org" not in house.agent.presentities


@pytest.mark.parametrize(
    "changed", [{"to_tag": "x"}, {"call_id": "x"}, {"from_": "<sip:bob@example.org>;tag=x"}]
)
def test_evt_17_d24_an_unknown_dialog(changed: dict[str, str]) -> None:
    house = House()
    first = house.subscribe()
    exchange = house.resubscribe(first, **changed)  # type: ignore[arg-type]
    refused(exchange, 481)
    assert exchange.reply.reason == "Subscription does not exist"


@pytest.mark.parametrize("cseq", [1, 4, 5])
def test_evt_18_a_cseq_that_is_not_higher(cseq: int) -> None:
    house = House()
    first = house.subscribe(cseq=5)
    house.take()
    refused(house.resubscribe(first, cseq=cseq), 500)
    assert house.take() == []
    assert house.resubscribe(first, cseq=6).status == 200


def test_evt_19_d14_a_refresh_moves_the_target() -> None:
    house = House()
    first = house.subscribe()
    house.take()
    house.resubscribe(first, contact="<sip:bob@192.0.2.99:5090>")
    assert house.take_one().uri == "sip:bob@192.0.2.99:5090"
    assert house.wire[-1][0].host == "192.0.2.99"
    assert house.memory.named("active_watchers")[0]["contact"] == "sip:bob@192.0.2.99:5090"


def test_evt_20_another_id_in_the_dialog_is_another_subscription() -> None:
    house = House()
    first = house.subscribe()
    assert house.resubscribe(first, event="presence;id=2", cseq=2).status == 200
    refused(house.resubscribe(first, cseq=2), 500)
    house.publish()
    numbers = [notify.cseq.number for notify in house.take()]
    assert numbers == sorted(set(numbers))
    assert len(house.memory.named("active_watchers")) == 2
    assert house.resubscribe(first, expires=0, cseq=3).status == 200
    assert house.resubscribe(first, event="presence;id=2", cseq=4).status == 200


def test_the_end_of_a_subscription_that_is_being_committed_costs_no_other_one_of_the_dialog() -> None:
    house = House()
    first = house.subscribe(event="presence;id=1")
    house.resubscribe(first, event="presence;id=2")
    house.take()
    house.writer.hold = True
    ended = house.resubscribe(first, event="presence;id=1", cseq=3, expires=0)
    kept = house.resubscribe(first, event="presence;id=2", cseq=4)
    house.writer.hold = False
    house.turn()
    assert (ended.status, kept.status) == (200, 200)
    assert [(notify.get("Event"), notify.get("Subscription-State")) for notify in house.take()] == [
        ("presence;id=1", "terminated;reason=timeout"),
        ("presence;id=2", "active;expires=600"),
    ]


def test_a_dialog_carries_few_subscriptions() -> None:
    house = House()
    first = house.subscribe()
    for number in range(2, 9):
        assert house.resubscribe(first, event=f"presence;id={number}", cseq=number).status == 200
    refused(house.resubscribe(first, event="presence;id=9", cseq=9), 403)
    assert house.resubscribe(first, cseq=9).status == 200


@pytest.mark.parametrize("contact", [None, "*", "<tel:+1>", "<sip:>"])
def test_evt_21_d58_no_usable_contact(contact: str | None) -> None:
    refused(House().subscribe(contact=contact), 400)


def test_evt_38_evt_39_accept() -> None:
    exchange = House().subscribe("Accept: text/plain, application/xml")
    refused(exchange, 406)
    assert exchange["Accept"] == PIDF
    for accept in ("*/*", "application/*", "text/plain, Application/PIDF+XML;q=0.5", PIDF):
        assert House().subscribe(f"Accept: {accept}").status == 200
    refused(House().subscribe("Accept: application/pidf+xml;q=0.0"), 406)
    refused(House().subscribe("Accept:"), 406)


def test_evt_43_required_extensions() -> None:
    exchange = House().subscribe("Require: eventlist")
    refused(exchange, 420)
    assert exchange["Unsupported"] == "eventlist"


def test_evt_45_two_subscriptions_of_one_watcher() -> None:
    house = House()
    one, two = house.subscribe(), house.subscribe()
    house.take()
    house.resubscribe(one, expires=0)
    house.take()
    house.publish()
    assert house.take_one().call_id == two.request.call_id


@pytest.mark.parametrize("expires", ["abc", "-5", ""])
def test_malformed_expires(expires: str) -> None:
    refused(House().subscribe(expires=expires), 400)


def test_values_that_do_not_fit_the_table() -> None:
    house = House()
    for changed, reason in (
        ({"call_id": "c" * 256}, "Call-ID too long"),
        ({"from_": f"<sip:bob@example.org>;tag={'t' * 129}"}, "From tag too long"),
        ({"from_": f"<sip:{'u' * 256}@example.org>;tag=t"}, "From user too long"),
        ({"contact": f"<sip:{'u' * 256}@192.0.2.7>"}, "Contact too long"),
        ({"event": f"presence;id={'i' * 129}"}, "Event id too long"),
        ({"to": f"<sip:x@{'h' * 256}>"}, "To host too long"),
    ):
        exchange = house.subscribe(**changed)
        refused(exchange, 400)
        assert exchange.reply.reason == reason
    exchange = house.subscribe("Record-Route: " + ", ".join(f"<sip:p{n}.example.org;lr>" for n in range(500)))
    assert exchange.reply.reason == "Record-Route too long"
    first = house.subscribe()
    exchange = house.resubscribe(first, contact=f"<sip:{'u' * 256}@192.0.2.7>")
    assert (exchange.status, exchange.reply.reason) == (400, "Contact too long")
    assert house.resubscribe(first).status == 200


def test_a_route_that_cannot_be_read() -> None:
    refused(House().subscribe("Record-Route: <sip:>"), 400)


def test_a_database_error_keeps_nothing() -> None:
    house = House()
    house.writer.failing = Unavailable("locked")
    exchange = house.subscribe()
    refused(exchange, 503)
    assert 1 <= int(exchange["Retry-After"]) <= 5
    assert (house.take(), house.agent.dialogs, house.agent.presentities) == ([], {}, {})
    house.writer.failing = None
    first = house.subscribe()
    house.take()
    house.writer.failing = Unavailable("locked")
    refused(house.resubscribe(first, expires=0), 503)
    refused(house.resubscribe(first, contact="<sip:bob@192.0.2.99>"), 503)
    assert house.take() == []
    house.writer.failing = None
    house.publish()
    assert house.take_one().uri == "sip:bob@192.0.2.7:5070"
    assert house.resubscribe(first, cseq=4).status == 200


def test_two_requests_of_a_dialog_at_once() -> None:
    house = House()
    first = house.subscribe()
    house.writer.hold = True
    end = house.resubscribe(first, expires=0, cseq=2)
    late = house.resubscribe(first, cseq=3)
    assert late.status == 481
    house.writer.hold = False
    house.turn()
    assert end.status == 200
    assert house.memory.named("active_watchers") == []


def test_a_nonsip_watcher_is_kept_whole() -> None:
    house = House()
    house.subscribe(from_="<tel:+15551234>;tag=t")
    row = house.memory.named("active_watchers")[0]
    assert (row["watcher_username"], row["watcher_domain"]) == ("tel:+15551234", "")
    assert house.take_one().to.uri_text == "tel:+15551234"


def test_nothing_published_no_body_evt_41_d32() -> None:
    house = House()
    house.subscribe()
    notify = house.take_one()
    assert notify.body == b""
    assert not notify.has("Content-Type")
    assert notify.get("Content-Length") == "0"


def test_pres_07_every_subscribe_is_answered_with_the_full_state() -> None:
    house = House()
    house.publish(presence(id_="a"))
    house.publish(presence(id_="b"))
    first = house.subscribe()
    house.resubscribe(first)
    bodies = [notify.body for notify in house.take()]
    assert bodies[0] == bodies[1]
    assert b'"a"' in bodies[0]
    assert b'"b"' in bodies[0]
