from __future__ import annotations

import pytest

from openpy.db.errors import RowRefused
from openpy.modules.presence.eventstate import LAST_STATE_LIFETIME
from tests.modules.presence.kit import Exchange, House, Memory, presence, ruleset

EVE = "<sip:eve@example.org>;tag=e1"


def refused(exchange: Exchange, status: int) -> None:
    assert (exchange.status, exchange.code) == (status, -1)


def test_a_watcher_has_so_many_subscriptions() -> None:
    house = House(max_watcher_subscriptions=2)
    first = house.subscribe(call_id="c1")
    assert house.subscribe(uri="sip:carol@example.org", call_id="c2").status == 200
    third = house.subscribe(uri="sip:dave@example.org", call_id="c3")
    refused(third, 403)
    assert third.reply.reason == "Too Many Subscriptions Of This Watcher"
    assert "sip:dave@example.org" not in house.agent.presentities
    assert house.subscribe(uri="sip:dave@example.org", call_id="c4", from_=EVE).status == 200
    assert house.resubscribe(first).status == 200
    assert house.resubscribe(first, expires=0, cseq=3).status == 200
    assert house.subscribe(uri="sip:dave@example.org", call_id="c5").status == 200
    assert house.presence.over_budget.value == 1


def test_a_fetch_is_no_subscription() -> None:
    house = House(max_watcher_subscriptions=1, max_presentity_subscriptions=1)
    house.subscribe(call_id="c1")
    assert house.subscribe(call_id="c2", expires=0).status == 200


def test_a_presentity_has_so_many_watchers() -> None:
    house = House(max_presentity_subscriptions=1)
    house.subscribe(call_id="c1")
    refused(house.subscribe(call_id="c2", from_=EVE), 403)
    assert house.subscribe(uri="sip:carol@example.org", call_id="c3").status == 200


def test_a_presentity_has_so_many_publications() -> None:
    house = House(max_presentity_publications=2)
    tag = house.publish()["SIP-ETag"]
    house.publish()
    refused(house.publish(), 403)
    assert house.publish(presence("closed"), etag=tag).status == 200
    assert len(house.memory.named("presentity")) == 2


def test_so_many_last_states_are_kept_that_nobody_watches() -> None:
    house = House(max_last_states=2)

    def come_and_go(name: str) -> None:
        uri = f"sip:{name}@example.org"
        house.publish(None, uri=uri, etag=house.publish(uri=uri)["SIP-ETag"], expires=0)

    for name in ("alice", "bob", "carol"):
        come_and_go(name)
    assert [row["username"] for row in house.memory.named("openpy_last_state")] == ["alice", "bob"]
    assert list(house.agent.presentities) == ["sip:alice@example.org", "sip:bob@example.org"]
    house.subscribe(uri="sip:dave@example.org", call_id="c1")
    come_and_go("dave")
    assert b"closed" in house.take()[-1].body
    house.clock.time += LAST_STATE_LIFETIME
    house.wait(10)
    come_and_go("carol")
    assert "sip:carol@example.org" in house.agent.presentities


def test_zero_is_no_limit() -> None:
    house = House(
        max_last_states=0,
        max_watcher_subscriptions=0,
        max_watcher_rate=0,
        max_presentity_subscriptions=0,
        max_presentity_publications=0,
    )
    for number in range(60):
        assert house.publish().status == 200
        assert house.subscribe(call_id=f"c{number}").status == 200
        assert house.subscribe(uri=f"sip:{number}@example.org", call_id=f"d{number}").status == 200


def test_a_flood_of_one_watcher_is_cut_and_the_others_are_served() -> None:
    house = House(max_watcher_rate=1)
    first = house.subscribe(call_id="c1")
    statuses = [house.subscribe(call_id=f"f{number}", expires=0).status for number in range(20)]
    assert statuses == [200] * 9 + [500] * 11
    again = house.resubscribe(first)
    refused(again, 500)
    assert again["Retry-After"] == "10"
    assert house.presence.subscriptions.value == 1
    assert house.subscribe(call_id="c2", from_=EVE).status == 200
    assert house.resubscribe(first, expires=0, cseq=3).status == 200
    house.wait(10)
    assert house.subscribe(call_id="c3").status == 200


def test_a_request_that_is_decided_again_is_charged_once() -> None:
    house = House(max_watcher_rate=1)
    house.writer.hold = True
    house.publish()
    asked = [house.subscribe(call_id=f"c{number}") for number in range(8)]
    house.writer.failing = RowRefused("not this row")
    house.writer.commit(1)
    house.writer.failing = None
    house.writer.hold = False
    house.turn()
    assert [one.status for one in asked] == [200] * 8
    assert house.resubscribe(asked[0]).status == 200
    assert house.subscribe(call_id="c9").status == 200
    refused(house.subscribe(call_id="c10"), 500)


def test_a_refusal_keeps_no_transaction() -> None:
    house = House(max_watcher_rate=1)
    house.subscribe(call_id="c1")
    kept = house.transactions.servers_in_use
    for number in range(20):
        house.subscribe(call_id=f"f{number}", expires=0)
    assert house.transactions.servers_in_use == kept + 9


@pytest.mark.parametrize("budget", [1, 5])
def test_what_was_kept_counts_after_a_restart(budget: int) -> None:
    house = House(max_watcher_subscriptions=budget)
    for number in range(budget):
        house.subscribe(call_id=f"c{number}")
    reborn = house.restart(max_watcher_subscriptions=budget)
    refused(reborn.subscribe(call_id="more"), 403)


def test_other_shares_count_at_once_and_nobody_loses_what_he_has() -> None:
    house = House(max_watcher_subscriptions=3, max_watcher_rate=1)
    first = house.subscribe(call_id="c1")
    house.subscribe(uri="sip:carol@example.org", call_id="c2")
    house.presence.max_watcher_subscriptions = 1
    house.presence.max_watcher_rate = 0
    house.presence.reconfigured(house.presence)
    refused(house.subscribe(uri="sip:dave@example.org", call_id="c3"), 403)
    assert house.presence.subscriptions.value == 2
    for number in range(30):
        assert house.resubscribe(first, cseq=10 + number).status == 200


@pytest.mark.parametrize("rule", ["* block", "* allow", None])
def test_so_many_decisions_about_strangers_are_kept(rule: str | None) -> None:
    memory = Memory()
    memory.document(ruleset(*([rule] if rule else [])))
    house = House(memory, xml={}, max_presentity_subscriptions=3)
    for number in range(9):
        from_ = f"<sip:eve{number}@example.org>;tag=e"
        exchange = house.subscribe(call_id=f"c{number}", from_=from_, expires=0)
        assert exchange.status == 200, number
    assert len(memory.named("watchers")) == 3
