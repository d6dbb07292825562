"""Watchers' information: RFC 3857 and RFC 3858 as the presentity sees them."""

from typing import Any

import pytest

from openpy.documents import watcherinfo
from openpy.documents.watcherinfo import Watcher, WatcherInfo
from openpy.modules.presence import winfo
from openpy.modules.presence.module import Presence
from openpy.sip.message import Request
from tests.modules.presence.kit import ALICE, Exchange, House, Memory, ruleset

OWNER = "<sip:alice@example.org>;tag=a1"
BOB = "sip:bob@example.org"
DAY = 86_400


def inform(house: House, **more: Any) -> Exchange:
    return house.subscribe(event="presence.winfo", from_=OWNER, contact="<sip:alice@192.0.2.8>", **more)


def read(notify: Request) -> WatcherInfo:
    assert notify.get("Event") == "presence.winfo"
    assert notify.get("Content-Type") == watcherinfo.CONTENT_TYPE
    return watcherinfo.parse(notify.body)


def infos(house: House) -> list[WatcherInfo]:
    return [read(item) for item in house.take() if item.get("Event") == "presence.winfo"]


def watchers(document: WatcherInfo) -> list[tuple[str, str, str]]:
    return [(item.uri, item.status, item.event) for item in document.lists[0].watchers]


def test_wi_01_wi_02_wi_03_wi_06_wi_17_d13_all_watchers_on_subscribe_and_refresh() -> None:
    house = House()
    house.subscribe()
    house.subscribe(from_="<sip:carol@example.org>;tag=c")
    house.subscribe(uri="sip:other@example.org")
    house.take()
    first = inform(house, expires=None)
    assert first["Expires"] == "3600"
    document = read(house.take_one())
    assert (document.version, document.full) == (0, True)
    assert document.lists[0][:2] == (ALICE, "presence")
    everybody = [(BOB, "active", "subscribe"), ("sip:carol@example.org", "active", "subscribe")]
    assert watchers(document) == everybody
    house.resubscribe(first, event="presence.winfo", from_=OWNER)
    document = read(house.take_one())
    assert (document.version, document.full) == (1, True), "D08: a refresh goes on counting"
    assert watchers(document) == everybody
    house.resubscribe(first, event="presence.winfo", from_=OWNER, expires=0, cseq=3)
    last = house.take_one()
    assert last.get("Subscription-State") == "terminated;reason=timeout"
    assert read(last).full


def test_wi_04_wi_05_wi_07_wi_10_d17_changes_are_told_as_such() -> None:
    house = House()
    inform(house)
    house.take()
    bob = house.subscribe()
    (first,) = infos(house)
    assert (first.version, first.full, watchers(first)) == (1, False, [(BOB, "active", "subscribe")])
    house.resubscribe(bob)
    assert infos(house) == []
    house.resubscribe(bob, expires=0, cseq=3)
    (second,) = infos(house)
    assert (second.version, second.full, watchers(second)) == (2, False, [(BOB, "terminated", "timeout")])
    assert first.lists[0].watchers[0].id == second.lists[0].watchers[0].id


def test_wi_11_an_expiry_and_a_watcher_who_has_gone_are_told() -> None:
    house = House()
    inform(house)
    house.subscribe(expires=10)
    house.take()
    house.wait(12)
    assert [watchers(item) for item in infos(house)] == [[(BOB, "terminated", "timeout")]]
    house.subscribe(from_="<sip:carol@example.org>;tag=c", contact="<sip:carol@192.0.2.9>")
    house.take()
    house.answer = 481
    house.publish()
    house.answer = 200
    house.wait(2)
    assert ("sip:carol@example.org", "terminated", "timeout") in [
        item for document in infos(house) for item in watchers(document)
    ]


def test_wi_12_wi_13_who_waits_for_a_decision_is_told_until_somebody_gives_up() -> None:
    house = House(xml={}, max_expires=3 * DAY)
    inform(house, expires=2 * DAY)
    first = house.subscribe()
    ((pending,),) = [document.lists[0].watchers for document in infos(house)[1:]]
    assert pending[2:4] == ("pending", "subscribe")
    house.resubscribe(first, expires=0)
    ((waiting,),) = [document.lists[0].watchers for document in infos(house)]
    assert waiting[:4] == (pending.id, BOB, "waiting", "timeout")
    house.resubscribe(first, event="presence.winfo", from_=OWNER)
    house.clock.time += DAY + 5
    house.wheel.advance(house.clock.time)
    house.wait(2)
    ((gone,),) = [document.lists[0].watchers for document in infos(house)]
    assert gone[:4] == (pending.id, BOB, "terminated", "giveup")


def test_a_watcher_who_waited_and_comes_back_waits_no_longer() -> None:
    house = House(xml={})
    house.subscribe(expires=0)
    inform(house)
    full = infos(house)[0]
    assert watchers(full) == [(BOB, "waiting", "timeout")]
    house.subscribe()
    (partial,) = infos(house)
    assert watchers(partial) == [(BOB, "terminated", "giveup"), (BOB, "pending", "subscribe")]
    assert partial.lists[0].watchers[0].id == full.lists[0].watchers[0].id
    house.subscribe(from_="<sip:carol@example.org>;tag=c", expires=0)
    assert [watchers(item) for item in infos(house)] == [[("sip:carol@example.org", "waiting", "timeout")]]


@pytest.mark.parametrize(
    ("handling", "expected"), [("allow", ("active", "approved")), ("block", ("terminated", "rejected"))]
)
def test_wi_09_wi_14_decisions_are_told(handling: str, expected: tuple[str, str]) -> None:
    memory = Memory()
    house = House(memory, xml={})
    inform(house)
    house.subscribe()
    house.subscribe(from_="<sip:carol@example.org>;tag=c", expires=0)
    house.take()
    memory.document(ruleset(f"* {handling}"))
    assert house.refresh() is not None
    (document,) = infos(house)
    assert watchers(document) == [
        (BOB, *expected),
        ("sip:carol@example.org", "terminated", expected[1]),
    ]
    house.subscribe(from_="<sip:dave@example.org>;tag=d")
    (document,) = infos(house)
    came = ("terminated", "rejected") if handling == "block" else ("active", "subscribe")
    assert watchers(document) == [("sip:dave@example.org", *came)]


def test_of_those_who_are_not_there_only_who_waits_is_told() -> None:
    memory = Memory()
    memory.document(ruleset("* allow"))
    house = House(memory, xml={})
    house.subscribe(expires=0)
    inform(house)
    assert watchers(infos(house)[-1]) == []
    memory.document(ruleset("* block"))
    house.refresh()
    assert infos(house) == []
    memory.document(None)
    house.refresh()
    assert [watchers(item) for item in infos(house)] == [[(BOB, "waiting", "timeout")]]


def test_d06_a_watcher_is_told_whatever_becomes_of_the_watchers_information() -> None:
    house = House()
    inform(house)
    house.take()
    house.answer = None
    house.subscribe()
    assert [item.get("Event") for item in house.take()] == ["presence.winfo", "presence"]


def test_what_changes_while_a_notify_is_unanswered_is_told_together() -> None:
    house = House()
    inform(house)
    house.take()
    house.answer = None
    bob = house.subscribe()
    house.subscribe(from_="<sip:carol@example.org>;tag=c")
    house.resubscribe(bob, expires=0)
    house.answer = 200
    house.turn()
    first, second = infos(house)
    assert (first.version, second.version) == (1, 2)
    assert watchers(second) == [
        ("sip:carol@example.org", "active", "subscribe"),
        (BOB, "terminated", "timeout"),
    ]


def test_where_it_is_not_known_what_arrived_all_are_told() -> None:
    house = House()
    inform(house)
    house.take()
    house.answer = 500
    house.subscribe()
    house.answer = 200
    house.take()
    house.subscribe(from_="<sip:carol@example.org>;tag=c")
    house.wait(1.5)  # the pause after a refusal
    (document,) = infos(house)
    assert document.full
    assert len(document.lists[0].watchers) == 2


def test_after_a_restart_the_first_document_is_full_and_its_version_greater() -> None:
    house = House()
    inform(house)
    house.subscribe()
    told = infos(house)[-1].version
    house = house.restart()
    house.subscribe(from_="<sip:carol@example.org>;tag=c")
    (document,) = infos(house)
    assert document.full
    assert document.version > told
    assert len(document.lists[0].watchers) == 2


def test_wi_15_only_the_presentity_may_watch_unless_it_is_opened() -> None:
    house = House()
    assert house.subscribe(event="presence.winfo").status == 403
    assert not house.agent.presentities
    bob = house.subscribe()
    assert house.resubscribe(bob, event="presence.winfo").status == 403, "in a dialog neither"
    house = House(winfo_watchers="anyone")
    assert house.subscribe(event="presence.winfo").status == 200
    with pytest.raises(Exception, match="owner"):
        Presence.parameters()["winfo_watchers"].set(house.presence, "all")


def test_wi_18_no_watchers_of_watchers_of_watchers() -> None:
    assert House().subscribe(event="presence.winfo.winfo", from_=OWNER).status == 489


def test_pub_37_watchers_are_not_published() -> None:
    house = House()
    exchange = house.publish(b"<x/>", event="presence.winfo", content_type=watcherinfo.CONTENT_TYPE)
    assert (exchange.status, exchange["Allow-Events"][:8]) == (489, "presence")
    assert house.memory.named("presentity") == []


def test_wi_20_d18_uris_of_any_length_are_escaped() -> None:
    house = House()
    inform(house)
    house.take()
    uri = f"sip:{'a&b' * 70}@example.org"
    house.subscribe(from_=f"<{uri}>;tag=x")
    assert watchers(infos(house)[0]) == [(uri, "active", "subscribe")]


def test_with_too_many_changes_waiting_all_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winfo, "MOST_NEWS", 2)
    house = House()
    inform(house)
    house.take()
    house.answer = None
    for number in range(5):
        house.subscribe(from_=f"<sip:w{number}@example.org>;tag=c")
    house.answer = 200
    house.turn()
    assert [item.full for item in infos(house)] == [False, True]


def test_nobody_is_told_of_an_event_without_watchers_information() -> None:
    house = House()
    house.subscribe(event="dialog;sla")
    house.take()
    state = house.agent.presentities[ALICE].events["dialog;sla"]
    winfo.tell(house.agent, state, [Watcher("x", BOB, "active", "subscribe")])
    assert house.take() == []
    assert winfo.all_watchers(None, 0.0) == []
