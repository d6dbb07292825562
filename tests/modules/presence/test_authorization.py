"""Who may watch: the states of a subscription, on the wire and in the tables."""

from typing import Any

import pytest

from openpy.db.errors import DatabaseError
from openpy.documents.pidf import parse
from openpy.modules.presence.api import ACTIVE, PENDING, AuthStatus, EventPackage, Subs
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from tests.modules.presence.kit import ALICE, PIDF, House, Memory, presence, ruleset

BOB = "sip:bob@example.org"
DAY = 86_400


def house_with(*rules: str, **parameters: Any) -> House:
    memory = Memory()
    memory.document(ruleset(*rules) if rules else None)
    return House(memory, xml={}, **parameters)


def told(house: House) -> tuple[str, bytes]:
    notify = house.take_one()
    return notify.get("Subscription-State") or "", notify.body


def statuses(house: House, table: str = "watchers") -> list[tuple[int, str]]:
    return [(row["status"], row["reason"]) for row in house.memory.named(table)]


def test_evt_29_pres_04_who_is_in_no_rule_is_pending_and_told_nothing() -> None:
    house = house_with()
    house.publish()
    first = house.subscribe()
    assert first.status == 200
    assert told(house) == ("pending;expires=600", b"")
    assert statuses(house) == [(2, "")]
    assert statuses(house, "active_watchers") == [(2, "")]
    house.publish(presence("closed"))
    assert house.take() == []
    house.resubscribe(first)
    assert told(house) == ("pending;expires=600", b"")
    house.resubscribe(first, expires=0, cseq=3)
    assert told(house) == ("terminated;reason=timeout", b"")
    assert statuses(house) == [(2, "")]


def test_pres_03_xc_16_allow_makes_active() -> None:
    house = house_with(f"{BOB} allow")
    house.publish()
    house.subscribe()
    state, body = told(house)
    assert state == "active;expires=600"
    assert b"open" in body
    assert statuses(house) == [(1, "")]


def test_pres_06_d15_evt_26_evt_31_a_blocked_watcher_is_told_once_and_leaves_no_record() -> None:
    house = house_with(f"{BOB} block")
    house.publish()
    exchange = house.subscribe()
    assert (exchange.status, exchange.code) == (200, 1)
    assert told(house) == ("terminated;reason=rejected", b"")
    assert statuses(house) == [(3, "rejected")]
    assert house.memory.named("active_watchers") == []
    house.wait(700)
    assert house.take() == []


def test_pres_05_d26_xc_17_polite_block_shows_a_closed_document_whatever_is_published() -> None:
    house = house_with(f"{BOB} polite-block")
    house.subscribe()
    state, body = told(house)
    assert state == "active;expires=600"
    assert b"closed" in body
    assert parse(body).speaks_for(ALICE)
    tag = house.publish(presence(more="<note>secret</note>"))["SIP-ETag"]
    house.publish(None, etag=tag, expires=0)
    assert house.take() == []
    house.subscribe(expires=0)
    assert told(house) == ("terminated;reason=timeout", body)


def test_xc_18_xc_27_broken_rules_decide_nothing() -> None:
    memory = Memory()
    memory.document(b"<ruleset><rule>")
    house = House(memory, xml={})
    house.subscribe()
    assert told(house) == ("pending;expires=600", b"")
    assert any("broken rules" in line for line in house.logged)


def test_a_fetch_is_decided_and_the_decision_kept() -> None:
    house = house_with(f"{BOB} allow")
    house.publish()
    house.subscribe(expires=0)
    state, body = told(house)
    assert (state, bool(body)) == ("terminated;reason=timeout", True)
    house.subscribe(expires=0, from_="<sip:carol@example.org>;tag=c")
    assert told(house) == ("terminated;reason=timeout", b"")
    assert statuses(house) == [(1, ""), (2, "")]
    assert house.memory.named("active_watchers") == []


def test_what_was_decided_stands_where_there_are_no_rules_also_after_a_restart() -> None:
    memory = Memory()
    house = House(memory, xml={})
    house.subscribe()
    by_hand(memory)
    house = house.restart(xml={})
    house.publish()
    house.subscribe()
    assert {notify.get("Subscription-State") for notify in house.notifies} == {"active;expires=600"}
    assert all(notify.body for notify in house.take()[-2:])
    assert len(house.memory.named("watchers")) == 1


def test_a_decision_is_written_with_the_subscription_or_not_at_all() -> None:
    house = house_with()
    house.writer.hold = True
    first = house.subscribe()
    second = house.subscribe()
    assert first.replies == []
    house.writer.commit()
    assert (first.status, second.status) == (200, 200)
    assert len(house.memory.named("watchers")) == 1
    house.writer.failing = RowError()
    third = house.subscribe(from_="<sip:carol@example.org>;tag=c")
    fetch = house.subscribe(from_="<sip:dave@example.org>;tag=d", expires=0)
    house.writer.hold = False
    house.turn()
    assert (third.status, fetch.status) == (503, 503)
    house.writer.failing = None
    assert house.subscribe(from_="<sip:carol@example.org>;tag=e").status == 200
    assert [row["watcher_username"] for row in house.memory.named("watchers")] == ["bob", "carol"]


def test_pending_decisions_are_forgotten_after_a_day_unless_somebody_waits() -> None:
    house = house_with(max_expires=3 * DAY)
    house.subscribe(expires=0)
    house.subscribe(from_="<sip:carol@example.org>;tag=c", expires=DAY + 1000)
    assert len(house.memory.named("watchers")) == 2
    advance(house, DAY - 10)
    assert len(house.memory.named("watchers")) == 2
    advance(house, 20)
    assert [row["watcher_username"] for row in house.memory.named("watchers")] == ["carol"]
    advance(house, 1000)
    advance(house, DAY)
    assert house.memory.named("watchers") == []
    assert not house.agent.presentities


def test_a_decision_by_rules_is_forgotten_too_and_one_by_hand_stays() -> None:
    house = house_with(f"{BOB} allow")
    house.subscribe(expires=0)
    advance(house, DAY + 10)
    assert house.memory.named("watchers") == []
    memory = Memory()
    house = House(memory, xml={})
    house.subscribe(expires=0)
    by_hand(memory)
    house = house.restart(xml={})
    advance(house, DAY + 10)
    assert [row["status"] for row in house.memory.named("watchers")] == [1]


def test_pres_14_xc_14_a_rule_that_ends_to_be_valid_is_noticed_in_time() -> None:
    memory = Memory()
    memory.document(
        b'<ruleset xmlns="urn:ietf:params:xml:ns:common-policy"><rule id="a"><conditions><validity>'
        b"<from>2023-01-01T00:00:00Z</from><until>2023-11-14T22:14:20Z</until></validity></conditions>"
        b"<actions><sub-handling>allow</sub-handling></actions></rule></ruleset>"
    )
    house = House(memory, xml={})
    house.publish()
    house.subscribe()
    assert told(house)[0] == "active;expires=600"
    house.wait(59)
    assert house.take() == []
    house.wait(3)
    state, body = told(house)
    assert (state.partition(";")[0], body) == ("pending", b"")
    assert statuses(house) == [(2, "")]


def test_xc_15_pidf_11_the_sphere_that_is_published_decides() -> None:
    memory = Memory()
    memory.document(
        b'<ruleset xmlns="urn:ietf:params:xml:ns:common-policy"><rule id="a"><conditions>'
        b'<sphere value="work"/></conditions><actions><sub-handling>allow</sub-handling></actions></rule></ruleset>'
    )
    house = House(memory, xml={})
    house.subscribe()
    assert told(house)[0] == "pending;expires=600"
    tag = house.publish(in_sphere("work"))["SIP-ETag"]
    house.turn()
    assert told(house)[0] == "active;expires=600"
    tag = house.publish(in_sphere("home"), etag=tag)["SIP-ETag"]
    assert {notify.body for notify in house.notifies} == {b""}
    assert house.take()[-1].get("Subscription-State") == "pending;expires=600"
    house.publish(in_sphere("work"), etag=tag)
    assert told(house)[0] == "active;expires=600"


def in_sphere(sphere: str) -> bytes:
    """A presence document of somebody who is there."""
    return presence(
        more='<person xmlns="urn:ietf:params:xml:ns:pidf:data-model" id="p"><r:sphere '
        f'xmlns:r="urn:ietf:params:xml:ns:pidf:rpid"><r:{sphere}/></r:sphere></person>'
    )


def test_a_sphere_that_another_hand_changed_decides_too() -> None:
    memory = Memory()
    memory.document(
        b'<ruleset xmlns="urn:ietf:params:xml:ns:common-policy"><rule id="a"><conditions>'
        b'<sphere value="work"/></conditions><actions><sub-handling>allow</sub-handling></actions></rule></ruleset>'
    )
    house = House(memory, xml={})
    house.publish(in_sphere("home"))
    house.subscribe()
    assert told(house)[0] == "pending;expires=600"
    rows = memory.kept[memory.tables["presentity"]]
    rows[1] = (*rows[1][:6], in_sphere("work"))
    house.refresh(1)
    assert told(house)[0] == "active;expires=600"


def test_rules_that_are_not_known_yet_decide_nothing() -> None:
    def unknown(user: str, domain: str) -> None:
        raise RemoteError(503, "Later")

    house = house_with(f"{BOB} allow")
    house.publish()
    house.subscribe()
    house.take()
    package = house.agent.registry.named("presence")
    assert package is not None
    package.get_rules_doc = unknown
    assert house.subscribe().status == 503
    house.publish(presence("closed"))
    assert told(house) == ("active;expires=600", b"")


def test_a_verdict_is_asked_for_once_as_long_as_nothing_changes() -> None:
    asked: list[str] = []
    rules = object()

    def judge(subs: Subs) -> AuthStatus:
        assert subs.auth_rules_doc is rules
        asked.append(subs.watcher_uri)
        return AuthStatus(PENDING if "carol" in subs.watcher_uri else ACTIVE)

    house = House()
    package = EventPackage(
        "weather", PIDF, req_auth=True, get_rules_doc=lambda user, domain: rules, get_auth_status=judge
    )
    house.presence.bind().add_event(package)
    house.subscribe(event="weather")
    for _ in range(3):
        house.publish(event="weather")
    assert asked == [BOB, BOB]
    house.subscribe(event="weather", from_="<sip:carol@example.org>;tag=c")
    assert asked[2:] == ["sip:carol@example.org"] * 2


def by_hand(memory: Memory) -> None:
    """Somebody makes the first decision in the table an approval."""
    rows = memory.kept[memory.tables["watchers"]]
    rows[1] = (*rows[1][:4], ACTIVE, None, rows[1][6])


class RowError(DatabaseError):
    """Stands for any error of the database."""


def advance(house: House, seconds: float) -> None:
    """Let much time pass in few steps."""
    house.clock.time += seconds
    house.wheel.advance(house.clock.time)
    house.wait(1.5)


@pytest.mark.parametrize("handling", ["allow", "confirm", "block", "polite-block", "nonsense"])
def test_every_sub_handling_on_the_wire(handling: str) -> None:
    house = house_with(f"{BOB} {handling}")
    house.publish()
    house.subscribe()
    notify: Request = house.take_one()
    expected = {
        "allow": ("active;expires=600", b"open"),
        "confirm": ("pending;expires=600", b""),
        "polite-block": ("active;expires=600", b"closed"),
    }
    state, word = expected.get(handling, ("terminated;reason=rejected", b""))
    assert notify.get("Subscription-State") == state
    assert word in notify.body
    assert bool(notify.body) is bool(word)
