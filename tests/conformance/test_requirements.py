"""Rows of docs/conformance.md that no other test shows, and what is done instead where one is not met."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from openpy.documents import dialoginfo, watcherinfo
from openpy.sip.message import Request
from openpy.testing.script import Script
from tests.modules.accounts import URL, Caller, fill, script_of, setting
from tests.modules.presence.kit import ALICE, PIDF, Exchange, House, Memory, presence, ruleset
from tests.scenarios.conftest import Launch, launcher
from tests.scenarios.wire import Phone, pidf

MALLORY = "sip:mallory@example.org"
OWNER = f"<{ALICE}>;tag=a1"
DAY = 86_400
OWN = "sip:alice@example.com"

PUBLISHERS = """
loadmodule "sqlite.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "textops.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
modparam("presence", "db_url", "sqlite:///conformance.sqlite")
modparam("presence_xml", "force_active", 1)
route {
	if (is_method("PUBLISH") && $fu != $ru) {
		sl_send_reply("403", "Forbidden");
		exit;
	}
	handle_publish();
}
"""


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    (tmp_path / "var").mkdir()
    with ExitStack() as stack:
        yield launcher(tmp_path, stack)


def watch(house: House, event: str, **more: Any) -> Exchange:
    """A subscription of the presentity itself, which may watch everything."""
    return house.subscribe(event=event, from_=OWNER, contact="<sip:alice@192.0.2.8>", **more)


def line(state: str) -> bytes:
    return (
        f'<dialog-info xmlns="{dialoginfo.NAMESPACE}" version="0" state="full" entity="{ALICE}">'
        f'<dialog id="d"><state>{state}</state></dialog></dialog-info>'
    ).encode()


def publish_line(house: House, body: bytes | None, etag: str | None = None) -> Exchange:
    return house.publish(body, event="dialog;sla", content_type=dialoginfo.CONTENT_TYPE, etag=etag)


def version_in(notify: Request) -> int:
    return int(etree.fromstring(notify.body).get("version") or "")


def state_of(notify: Request) -> str:
    return notify.get("Subscription-State") or ""


# --- met ------------------------------------------------------------------------------------------------------


def test_pub_31_no_refusal_repeats_a_record_route_either() -> None:
    exchange = House().publish(None, "Record-Route: <sip:p1;lr>")
    assert exchange.status == 400
    assert not exchange.reply.has("Record-Route")


def test_evt_04_evt_20_the_event_and_its_id_alone_name_a_subscription_of_a_dialog() -> None:
    house = House()
    first = house.subscribe(event="presence;id=7")
    assert house.resubscribe(first, event="presence ; x=y;id=7").status == 200
    assert house.presence.subscriptions.value == 1
    assert house.resubscribe(first, event="dialog;sla", cseq=3).status == 200
    assert house.presence.subscriptions.value == 2
    assert [notify.get("Event") for notify in house.take()] == ["presence;id=7"] * 2 + ["dialog;sla"]


def test_evt_10_an_hour_is_never_too_brief_and_a_refresh_may_be() -> None:
    house = House(min_expires=7200, max_expires=9000)
    first = house.subscribe(expires=3600)
    assert first["Expires"] == "3600"
    refresh = house.resubscribe(first, expires=3599)
    assert (refresh.status, refresh["Min-Expires"]) == (423, "7200")
    assert house.resubscribe(first, expires=0).status == 200


def test_mwi_08_mwi_14_a_line_goes_on_after_a_restart_with_higher_versions() -> None:
    house = House()
    tag = publish_line(house, line("early"))["SIP-ETag"]
    watch(house, "dialog;sla")
    publish_line(house, line("confirmed"), tag)
    before = [version_in(notify) for notify in house.take()]
    house = house.restart()
    house.subscribe(event="dialog;sla", expires=0)
    assert b"confirmed" in house.take_one().body
    assert publish_line(house, line("terminated"), tag)["SIP-ETag"] == tag
    notify = house.take_one()
    assert b"confirmed" not in notify.body
    assert before == [0, 1]
    assert version_in(notify) > 1


# --- left to the script -------------------------------------------------------------------------------------------


@pytest.mark.scenario
def test_pub_33_a_script_says_who_may_publish(launch: Launch) -> None:
    headers = ["Event: presence", f"Content-Type: {PIDF}"]
    with Phone(launch(PUBLISHERS).address) as phone:
        refused = phone.request("PUBLISH", ALICE, headers=headers, body=pidf(), from_uri=MALLORY)
        assert (refused.status, refused.get("SIP-ETag")) == (403, "")
        accepted = phone.request("PUBLISH", ALICE, headers=headers, body=pidf(), from_uri=ALICE)
        assert accepted.status == 200


def test_pub_33_publishers_are_authenticated() -> None:
    settings = setting("auth_db", "calculate_ha1", 1) + setting("auth_db", "password_column", "password")
    settings += setting("presence", "db_url", URL) + setting("presence_xml", "force_active", 1)
    route = """
        if (!www_authorize("", "subscriber")) { www_challenge("", "1"); exit; }
        if (!check_from()) { sl_send_reply("403", "Forbidden"); exit; }
        handle_publish();
    """
    modules = ("auth", "auth_db", "uri_db", "presence", "presence_xml")
    with Script(script_of(route, *modules, settings=settings)) as script:
        fill(script, "subscriber", {"username": "alice", "password": "secret"})
        alice, mallory = Caller(script), Caller(script, password="guessed")
        for caller, status in ((alice, 200), (mallory, 401)):
            caller.be_asked("PUBLISH", OWN)
            fields = {"Event": "presence", "Content-Type": PIDF, "body": pidf()}
            reply = caller.send("PUBLISH", OWN, Authorization=caller.credentials("PUBLISH", OWN), **fields)
            assert reply.status == status


@pytest.mark.scenario
def test_pub_34_evt_42_a_script_answers_options(launch: Launch, root: Path) -> None:
    server = launch((root / "examples" / "openser.cfg").read_text())
    with Phone(server.address) as phone:
        reply = phone.request("OPTIONS", "sip:example.com")
        assert reply.status == 200
        assert "PUBLISH" in reply.get("Allow")
        assert "presence" in reply.get("Allow-Events")


# --- done otherwise, or not ---------------------------------------------------------------------------------------


def test_evt_28_neither_a_restart_nor_a_day_of_waiting_ends_a_subscription() -> None:
    house = House(xml={}, max_expires=3 * DAY)
    first = house.subscribe(expires=2 * DAY)
    house.take()
    with pytest.raises(StopIteration):
        house.presence.drain().send(None)
    assert house.take() == []
    house = house.restart(xml={}, max_expires=3 * DAY)
    house.clock.time += DAY + 10
    house.wheel.advance(house.clock.time)
    house.wait(2)
    assert house.take() == []
    assert house.resubscribe(first, expires=2 * DAY).status == 200
    assert state_of(house.take_one()).startswith("pending")


def test_evt_36_a_challenge_is_not_answered_but_costs_no_subscription() -> None:
    house = House()
    house.answer, house.answer_headers = 401, 'WWW-Authenticate: Digest realm="b", nonce="1"\r\n'
    house.subscribe()
    house.wait(40)
    notifies = house.take()
    assert notifies
    assert not any(notify.has("Authorization") for notify in notifies)
    house.answer, house.answer_headers = 200, ""
    house.publish()
    house.wait(60)  # the pause after so many refusals
    assert b"open" in house.take_one().body


def test_evt_48_a_dialog_has_a_limit_and_a_source_has_none() -> None:
    house = House()
    first = house.subscribe()
    statuses = [
        house.resubscribe(first, event=f"presence;id={number}", cseq=number).status for number in range(2, 11)
    ]
    assert statuses == [200] * 7 + [403] * 2
    assert {house.subscribe().status for _ in range(50)} == {200}


def test_pres_09_wi_16_mwi_10_watchers_are_told_as_fast_as_they_answer() -> None:
    house = House()
    for event in ("presence", "presence.winfo", "dialog;sla"):
        watch(house, event)
    house.take()
    house.answer = None
    for number in range(5):
        house.publish(presence(f"v{number}"))
        publish_line(house, line("confirmed" if number % 2 else "early"))
        house.subscribe(event="dialog;sla", from_=f"<sip:w{number}@example.org>;tag=w")
        house.subscribe(from_=f"<sip:w{number}@example.org>;tag=w")

    def told() -> list[str]:
        return sorted(item.get("Event") or "" for item in house.take() if item.to.uri_text == ALICE)

    assert told() == ["dialog;sla", "presence", "presence.winfo"], "one unanswered NOTIFY a dialog"
    house.answer = 200
    house.turn()
    assert told() == ["dialog;sla", "presence", "presence.winfo"], "and then what is true"
    for basic in ("a", "b"):
        house.publish(presence(basic, "desk"))
    assert told() == ["presence"] * 2, "but no pause besides"


def test_pres_10_nothing_is_said_of_who_never_published_and_closed_of_who_did() -> None:
    house = House()
    house.subscribe()
    notify = house.take_one()
    assert (state_of(notify), notify.body) == ("active;expires=600", b"")
    tag = house.publish()["SIP-ETag"]
    house.take()
    house.publish(None, etag=tag, expires=0)
    assert b"<basic>closed</basic>" in house.take_one().body


@pytest.mark.parametrize("uri", ["pres:alice@example.org", "PRES:alice@example.org"])
def test_pres_13_a_pres_uri_is_not_found(uri: str) -> None:
    house = House()
    assert (house.publish(uri=uri).status, house.subscribe(uri=uri).status) == (404, 404)
    assert house.agent.presentities == {}


def test_wi_19_of_a_watcher_only_the_remaining_time_is_told_besides() -> None:
    house = House()
    house.subscribe(expires=100, from_='"Bob" <sip:bob@example.org>;tag=b')
    house.take()
    watch(house, "presence.winfo")
    (watcher,) = watcherinfo.parse(house.take_one().body).lists[0].watchers
    assert (watcher.expiration, watcher.display_name, watcher.duration) == (100, "", None)


def test_mwi_11_no_rules_are_asked_about_a_line() -> None:
    memory = Memory()
    memory.document(ruleset("* block"))
    house = House(memory, xml={})
    publish_line(house, line("confirmed"))
    house.subscribe(event="dialog;sla")
    notify = house.take_one()
    assert state_of(notify) == "active;expires=600"
    assert b"confirmed" in notify.body
