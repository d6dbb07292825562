"""PUBLISH on the wire: RFC 3903 section 6 and the decisions that go beyond it."""

import pytest
from lxml import etree

from openpy.db.errors import OutcomeUnknown, RowRefused, Unavailable
from openpy.modules.presence.events import EventPackage
from openpy.modules.presence.publications import Publication
from tests.modules.presence.kit import ALICE, PIDF, START, WATCHER, Exchange, House, Wire, presence

NOTE = "<note>n</note>"


def basics(body: bytes) -> list[str | None]:
    return [basic.text for basic in etree.fromstring(body).iter("{urn:ietf:params:xml:ns:pidf}basic")]


def ids(body: bytes) -> list[str | None]:
    return [child.get("id") for child in etree.fromstring(body)]


def refused(exchange: Exchange, status: int) -> None:
    """Refused with exactly one reply, and nothing came of it."""
    assert (exchange.status, exchange.code) == (status, -1)


def test_the_life_of_a_publication() -> None:
    house = House()
    first = house.publish(expires=600)
    assert (first.status, first.code) == (200, 1)
    assert first["Expires"] == "600"
    refreshed = house.publish(None, etag=first["SIP-ETag"], expires=300)
    assert refreshed["Expires"] == "300"
    modified = house.publish(presence("closed"), etag=refreshed["SIP-ETag"])
    removed = house.publish(None, etag=modified["SIP-ETag"], expires=0)
    assert removed["Expires"] == "0"
    assert house.memory.named("presentity") == []
    assert house.presence.publications.value == 0


def test_what_a_row_holds() -> None:
    house = House()
    tag = house.publish(uri="sip:Al%69ce@EXAMPLE.org:5080;x=y", expires=100)["SIP-ETag"]
    (row,) = house.memory.named("presentity")
    assert row == {
        "id": 1,
        "username": "Alice",
        "domain": "example.org",
        "event": "presence",
        "etag": tag,
        "expires": START + 100,
        "received_time": START,
        "body": presence(),
    }


def test_pub_01_a_uri_that_names_no_resource() -> None:
    refused(House().publish(uri="tel:+1"), 404)


@pytest.mark.parametrize("event", [None, "", "dialog", "presence.winfo", "presenc"])
def test_pub_02_pub_03_pub_04_pub_37_events_that_are_not_served(event: str | None) -> None:
    exchange = House().publish(event=event)
    refused(exchange, 489)
    assert exchange["Allow-Events"] == "presence, presence.winfo, dialog;sla"


def test_an_event_that_cannot_be_read() -> None:
    refused(House().publish(event='presence;"'), 400)


def test_d10_event_parameters_are_ignored() -> None:
    house = House()
    assert house.publish(event="presence ; id=7;x").status == 200
    assert house.memory.named("presentity")[0]["event"] == "presence"


def test_pub_38_the_compact_form_of_event() -> None:
    assert House().publish(b"", "o: presence", event=None).status == 200


@pytest.mark.parametrize("name", ["SIP-If-Match", "Sip-If-Match", "sip-if-match", "SIP-IF-MATCH"])
def test_pub_05_header_names_in_any_case(name: str) -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    assert house.publish(None, f"{name}: {tag}").status == 200


@pytest.mark.parametrize("tags", [("a, b",), ("a", "b"), ("",), ("a b",)])
def test_pub_06_more_than_one_tag(tags: tuple[str, ...]) -> None:
    refused(House().publish(None, *(f"SIP-If-Match: {tag}" for tag in tags)), 400)


def test_pub_07_pub_08_d04_a_tag_that_names_nothing() -> None:
    house = House()
    house.subscribe()
    house.publish()
    house.take()
    refused(house.publish(presence("closed"), etag="a.1.2"), 412)
    assert house.exchanges[-1].reply.reason == "Conditional request failed"
    assert house.take() == []
    assert len(house.memory.named("presentity")) == 1


def test_a_tag_is_bound_to_its_presentity() -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    house.publish(uri="sip:carol@example.org")
    refused(house.publish(None, etag=tag, uri="sip:carol@example.org"), 412)
    refused(house.publish(None, etag=tag, uri="sip:ALICE@example.org"), 412)


def test_d47_an_expired_tag_is_not_waited_for() -> None:
    house = House()
    tag = house.publish(expires=10)["SIP-ETag"]
    house.clock.time += 10.01  # the deadlines were not looked at yet
    refused(house.publish(None, etag=tag), 412)


def test_pub_09_pub_10_lifetimes() -> None:
    house = House(max_expires=1000)
    assert house.publish(expires=None)["Expires"] == "1000"
    assert house.publish(expires=999)["Expires"] == "999"
    assert house.publish(expires=99999)["Expires"] == "1000"
    assert House().publish(expires=None)["Expires"] == "3600"


@pytest.mark.parametrize(("expires", "status"), [(1, 423), (59, 423), (60, 200), (0, 200)])
def test_pub_11_too_brief(expires: int, status: int) -> None:
    exchange = House(min_expires=60).publish(expires=expires)
    assert exchange.status == status
    if status == 423:
        assert exchange["Min-Expires"] == "60"


def test_an_hour_is_never_too_brief() -> None:
    assert House(min_expires=7200, max_expires=9000).publish(expires=3600)["Expires"] == "3600"


@pytest.mark.parametrize("expires", ["abc", "", "-1", "1.5", "60s"])
def test_pub_12_malformed_expires(expires: str) -> None:
    refused(House().publish(expires=expires), 400)


def test_d57_absurd_expires() -> None:
    assert House().publish(expires="4294967296999")["Expires"] == "3600"
    assert House().publish(expires=2**31)["Expires"] == "3600"


def test_pub_13_removal_is_told() -> None:
    house = House()
    tag = house.publish(presence(more=NOTE))["SIP-ETag"]
    house.subscribe()
    house.take()
    assert house.publish(None, etag=tag, expires=0)["Expires"] == "0"
    told = house.take_one()
    assert basics(told.body) == ["closed"]
    assert b"note" not in told.body


def test_pub_14_an_initial_publication_without_lifetime() -> None:
    house = House()
    house.subscribe()
    house.take()
    exchange = house.publish(expires=0)
    assert exchange["Expires"] == "0"
    assert exchange["SIP-ETag"]
    assert house.memory.named("presentity") == []
    assert house.take() == []


def test_pub_15_neither_tag_nor_body() -> None:
    refused(House().publish(None), 400)


def test_pub_16_pub_17_d05_d54_a_refresh_keeps_the_body_and_is_not_told() -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    house.subscribe()
    house.take()
    house.publish(None, etag=tag)
    assert house.take() == []
    assert house.memory.named("presentity")[0]["body"] == presence()
    house.subscribe()
    assert basics(house.take_one().body) == ["open"]


def test_pub_18_a_modification_replaces_the_whole() -> None:
    house = House()
    tag = house.publish(presence("open", "a"))["SIP-ETag"]
    house.subscribe()
    house.take()
    house.publish(presence("open", "b"), etag=tag)
    assert ids(house.take_one().body) == ["b"]


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/pidf", "application/xml"])
def test_pub_19_pub_20_types_that_cannot_be_published(content_type: str | None) -> None:
    exchange = House().publish(content_type=content_type)
    refused(exchange, 415)
    assert exchange["Accept"] == PIDF


@pytest.mark.parametrize("content_type", ["APPLICATION/PIDF+XML", 'application/pidf+xml;charset="UTF-8"'])
def test_spellings_of_the_type(content_type: str) -> None:
    assert House().publish(content_type=content_type).status == 200


def test_pub_21_content_encoding() -> None:
    exchange = House().publish(b"", "Content-Encoding: gzip")
    refused(exchange, 415)
    assert exchange["Accept-Encoding"] == "identity"
    assert House().publish(b"", "Content-Encoding: identity").status == 200


@pytest.mark.parametrize("body", [b"<presence", b"<a/>", b"x", b"<!DOCTYPE a><presence/>"])
def test_pub_22_d03_a_malformed_body_gets_one_reply(body: bytes) -> None:
    house = House()
    exchange = house.publish(body)
    refused(exchange, 400)
    assert exchange.reply.reason.startswith("Bad presence document")
    assert len(exchange.replies) == 1
    assert house.memory.named("presentity") == []


def test_pub_23_pub_24_pub_25_pub_26_every_2xx_has_a_new_tag() -> None:
    house = House()
    tags = [house.publish()["SIP-ETag"]]
    for body in (None, presence("closed"), None, b""):
        exchange = house.publish(body, etag=tags[-1])
        assert exchange["Expires"]
        tags.append(exchange["SIP-ETag"])
    tags.append(house.publish(uri="sip:carol@example.org")["SIP-ETag"])
    assert len(set(tags)) == 6
    for tag in tags:
        prefix, random, number, mark = tag.split(".")
        assert (prefix, len(random), number.isdigit(), mark.isdigit()) == ("a", 16, True, True)


def test_a_tag_is_used_up() -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    house.publish(None, etag=tag)
    refused(house.publish(None, etag=tag), 412)


def test_an_event_may_keep_one_tag_for_life() -> None:
    house = House()
    house.presence.bind().add_event(EventPackage("weather", "text/plain", etag_not_new=True))
    first = house.publish(b"1", event="weather", content_type="text/plain")["SIP-ETag"]
    for body in (b"2", None, b"3"):
        exchange = house.publish(body, etag=first, event="weather", content_type="text/plain")
        assert exchange["SIP-ETag"] == first
    assert [row["body"] for row in house.memory.named("presentity")] == [b"3"]


def test_pub_28_d01_several_publications_of_one_presentity() -> None:
    house = House()
    house.subscribe()
    house.take()
    first = house.publish(presence("open", "a"))["SIP-ETag"]
    house.publish(presence("open", "b"))
    assert [ids(notify.body) for notify in house.take()] == [["a"], ["b", "a"]]
    house.publish(None, etag=first, expires=0)
    assert ids(house.take_one().body) == ["b"]


def test_pub_29_d39_of_two_updates_with_one_tag_one_wins() -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    house.writer.hold = True
    one = house.publish(presence("closed"), etag=tag)
    two = house.publish(presence("busy"), etag=tag)
    assert (len(one.replies), two.status) == (0, 412)
    house.writer.hold = False
    house.turn()
    assert one.status == 200


def test_a_new_tag_is_good_before_it_is_committed() -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    house.writer.hold = True
    house.publish(presence("closed"), etag=tag)
    (second,) = (revision for revision in house.agent.presentities[ALICE].tentative.values() if revision)
    third = house.publish(presence("busy"), etag=second.etag)
    fourth_tag = next(t for t, r in house.agent.presentities[ALICE].tentative.items() if r)
    gone = house.publish(None, etag=fourth_tag, expires=0)
    late = house.publish(None, etag=fourth_tag)
    house.writer.hold = False
    house.turn()
    assert (third.status, gone.status, late.status) == (200, 200, 412)
    assert house.memory.named("presentity") == []
    assert house.agent.presentities[ALICE].tentative == {}


def test_pub_30_a_retransmission_is_answered_alike_and_handled_once() -> None:
    house = House()
    exchange = house.publish()
    way = house.wire[-1][0]
    house.receive(exchange, way)
    assert [reply.raw for reply in exchange.replies] == [exchange.replies[0].raw] * 2
    assert len(house.memory.named("presentity")) == 1


def test_a_retransmission_while_the_commit_is_awaited() -> None:
    house = House()
    house.writer.hold = True
    exchange = house.publish()
    house.receive(exchange, Wire(house, "udp", *WATCHER))
    assert exchange.replies == []
    house.writer.hold = False
    house.turn()
    assert exchange.status == 200
    assert len(house.memory.named("presentity")) == 1


def test_pub_31_no_dialog_is_made() -> None:
    exchange = House().publish(b"", "Record-Route: <sip:p1;lr>", "Contact: <sip:alice@192.0.2.8>")
    assert not exchange.reply.has("Record-Route")
    assert exchange["Contact"] == "<sip:192.0.2.1:5060;transport=udp>"


def test_pub_32_required_extensions() -> None:
    exchange = House().publish(b"", "Require: foo, bar")
    refused(exchange, 420)
    assert exchange["Unsupported"] == "foo, bar"


def test_pub_35_the_limit_of_bodies() -> None:
    house = House(max_body=200)
    refused(house.publish(presence() + b" " * 200), 413)
    assert house.publish().status == 200


def test_pub_36_a_to_tag() -> None:
    assert House().publish().reply.to.tag


def test_d02_one_key_for_all_spellings_of_a_presentity() -> None:
    house = House()
    house.subscribe(uri="sip:alice@example.org")
    house.take()
    tag = house.publish(uri="sips:%61lice@Example.ORG:5061;transport=tcp")["SIP-ETag"]
    assert len(house.take()) == 1
    assert house.publish(None, etag=tag).status == 200


def test_the_request_uri_counts_as_the_script_left_it() -> None:
    house = House()
    house.rewritten = ALICE
    first = house.subscribe(uri="sip:100@example.net")
    house.take()
    tag = house.publish(uri="sip:alias@example.org")["SIP-ETag"]
    assert len(house.take()) == 1
    assert list(house.agent.presentities) == [ALICE]
    house.rewritten = "sip:carol@example.org"
    assert house.publish(None, etag=tag).status == 412
    house.resubscribe(first)
    assert b"open" in house.take_one().body, "a dialog has its presentity already"


def test_d31_the_offset_never_leads_below_0() -> None:
    house = House(expires_offset=10)
    tag = house.publish(expires=30)
    assert tag["Expires"] == "20"
    assert house.memory.named("presentity")[0]["expires"] == START + 30
    assert house.publish(expires=5)["Expires"] == "0"
    assert house.publish(None, etag=tag["SIP-ETag"], expires=0)["Expires"] == "0"


def test_server_address() -> None:
    assert House(server_address="sip:ps@192.0.2.9").publish()["Contact"] == "<sip:ps@192.0.2.9>"


@pytest.mark.parametrize(
    "sender", ["<sip:bob@192.0.2.7:5070>;x=y", "sip:bob@192.0.2.7:5070", '"B" <SIP:bob@192.0.2.7:5070>']
)
def test_mwi_12_the_reporter_is_not_notified(sender: str) -> None:
    house = House()
    house.subscribe()
    house.subscribe(contact="<sip:carol@192.0.2.8>")
    house.take()
    house.publish(sender=sender)
    assert house.take_one().uri == "sip:carol@192.0.2.8"


@pytest.mark.parametrize("sender", ["<null>", "", " "])
def test_no_sender(sender: str) -> None:
    house = House()
    house.subscribe()
    house.take()
    house.publish(sender=sender)
    assert len(house.take()) == 1


def test_a_sender_that_is_no_uri() -> None:
    refused(House().publish(sender="bob"), 400)


def test_an_equal_body_is_not_read_again_and_not_told() -> None:
    house = House()
    first = house.publish()["SIP-ETag"]
    house.subscribe()
    house.take()
    state = house.agent.presentities[ALICE].events["presence"]
    (publication,) = state.publications.values()
    document = publication.document
    assert house.publish(etag=first).status == 200
    assert house.take() == []
    assert publication.document is document


def test_values_that_do_not_fit_the_table() -> None:
    house = House()
    exchange = house.publish(uri=f"sip:{'u' * 256}@example.org")
    refused(exchange, 400)
    assert exchange.reply.reason == "Request-URI user too long"
    exchange = house.publish(uri="sip:\udcff@example.org")
    assert exchange.reply.reason == "Request-URI user is not UTF-8"
    assert house.agent.presentities == {}


@pytest.mark.parametrize("error", [Unavailable("locked"), RowRefused("no"), OutcomeUnknown("lost")])
def test_a_database_error_keeps_nothing(error: Exception) -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    house.subscribe()
    house.take()
    house.writer.failing = error  # type: ignore[assignment]
    for exchange in (house.publish(presence("closed"), etag=tag), house.publish(presence(id_="x"))):
        refused(exchange, 503)
        assert 1 <= int(exchange["Retry-After"]) <= 5
    assert house.take() == []
    house.writer.failing = None
    house.wait(1.1)
    assert house.publish(None, etag=tag).status == 200
    assert len(house.memory.named("presentity")) == 1


def test_a_queue_that_is_full() -> None:
    house = House()
    house.writer.full = True
    refused(house.publish(), 503)
    assert house.agent.presentities == {}
    house.writer.full = False
    assert house.publish().status == 200


def test_too_many_transactions() -> None:
    house = House()
    house.transactions.capacity = 0
    refused(house.publish(), 503)


def test_the_reply_waits_for_the_commit_and_the_watchers_for_the_reply() -> None:
    house = House()
    house.subscribe()
    house.take()
    house.writer.hold = True
    exchange = house.publish()
    assert (exchange.replies, house.take()) == ([], [])
    house.writer.hold = False
    house.turn()
    kinds = [data[:7] for _, data in house.wire[-2:]]
    assert kinds == [b"SIP/2.0", b"NOTIFY "]


def test_a_publication_is_one_object_for_life() -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    state = house.agent.presentities[ALICE].events["presence"]
    (publication,) = state.publications.values()
    house.publish(None, etag=tag, expires=1000)
    assert isinstance(publication, Publication)
    assert list(state.publications) == [publication.etag]
    assert publication.expires == START + 1000
