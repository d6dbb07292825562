"""What runs out, and who hears of it."""

import pytest

from openpy.db.errors import Unavailable
from openpy.documents.pidf import parse
from openpy.modules.presence.eventstate import LAST_STATE_LIFETIME
from openpy.modules.presence.expiry import SLICE
from tests.modules.presence.kit import ALICE, House, presence


def test_pub_27_an_expired_publication_is_gone_and_told_within_a_second() -> None:
    house = House()
    house.publish(presence(more="<note>n</note>"), expires=10)
    house.subscribe()
    house.take()
    house.wait(9.9)
    assert house.take() == []
    house.wait(1.0)
    notify = house.take_one()
    assert b"<basic>closed</basic>" in notify.body
    assert b"note" not in notify.body
    assert house.memory.named("presentity") == []


def test_what_ended_is_told_without_its_tuples_where_they_are_too_many_to_be_kept() -> None:
    house = House()
    many = "".join(f'<tuple id="{number}"/>' for number in range(2000))
    house.publish(presence(more=many), expires=5)
    house.wait(7)
    (row,) = house.memory.named("openpy_last_state")
    assert parse(row["body"]).parts == ()
    house.subscribe()
    assert house.take_one().body == row["body"]


def test_evt_27_evt_47_an_expired_subscription_is_told_and_gone() -> None:
    house = House()
    house.publish()
    house.subscribe(expires=10)
    house.take()
    house.wait(11)
    notify = house.take_one()
    assert notify.get("Subscription-State") == "terminated;reason=timeout"
    assert notify.body == b""
    assert house.memory.named("active_watchers") == []


def test_evt_24_the_remaining_time() -> None:
    house = House()
    house.subscribe(expires=100)
    house.wait(30.5)
    house.publish()
    assert [notify.get("Subscription-State") for notify in house.take()] == [
        "active;expires=100",
        "active;expires=70",
    ]


def test_a_refresh_in_time_saves_both() -> None:
    house = House()
    tag = house.publish(expires=10)["SIP-ETag"]
    first = house.subscribe(expires=10)
    house.wait(9)
    house.publish(None, etag=tag, expires=20)
    house.resubscribe(first, expires=20)
    house.take()
    house.wait(19)
    assert house.take() == []
    house.wait(2)
    assert house.memory.named("presentity") == []


def test_a_refresh_may_also_shorten_a_life() -> None:
    house = House()
    tag = house.publish(expires=500)["SIP-ETag"]
    first = house.subscribe(expires=500)
    house.publish(None, etag=tag, expires=10)
    house.resubscribe(first, expires=20)
    house.take()
    house.wait(11)
    assert b"closed" in house.take_one().body
    house.wait(10)
    assert house.take_one().get("Subscription-State") == "terminated;reason=timeout"


def test_what_expires_together_is_told_once() -> None:
    house = House()
    house.publish(presence(id_="a"), expires=10)
    house.publish(presence(id_="b"), expires=10)
    house.publish(presence(id_="c"), expires=100)
    house.subscribe()
    house.take()
    house.wait(12)
    notify = house.take_one()
    assert b'"c"' in notify.body
    assert b'"a"' not in notify.body
    house.wait(100)
    assert b"closed" in house.take_one().body


def test_what_expires_last_is_what_is_told_closed() -> None:
    house = House()
    house.publish(presence(id_="a"), expires=10)
    house.publish(presence(id_="b"), expires=10)
    house.subscribe()
    house.take()
    house.wait(12)
    body = house.take_one().body
    assert body.count(b"closed") == 2


def test_d47_what_has_expired_is_not_shown_though_its_deadline_was_not_seen() -> None:
    house = House()
    house.publish(presence(id_="a"), expires=10)
    house.publish(presence(id_="b"), expires=100)
    house.clock.time += 10.05
    house.subscribe()
    assert b'"a"' not in house.take_one().body
    house.clock.time += 95
    house.subscribe()
    assert b"closed" in house.take_one().body


def test_d53_a_subscription_that_expired_cannot_be_refreshed() -> None:
    house = House()
    first = house.subscribe(expires=10)
    house.clock.time += 10.05
    assert house.resubscribe(first).status == 481


def test_the_last_state_is_kept_for_a_day() -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    house.publish(None, etag=tag, expires=0)
    house.subscribe(expires=0)
    assert b"closed" in house.take_one().body
    house.clock.time += LAST_STATE_LIFETIME - 10
    house.wait(5)
    assert len(house.memory.named("openpy_last_state")) == 1
    house.wait(10)
    assert house.memory.named("openpy_last_state") == []
    assert house.agent.presentities == {}
    house.subscribe(expires=0)
    assert house.take_one().body == b""


def test_and_longer_where_somebody_watches() -> None:
    house = House(max_expires=10 * LAST_STATE_LIFETIME)
    tag = house.publish()["SIP-ETag"]
    first = house.subscribe(expires=9 * LAST_STATE_LIFETIME)
    house.publish(None, etag=tag, expires=0)
    house.take()
    house.clock.time += LAST_STATE_LIFETIME
    house.wait(2)
    house.resubscribe(first, expires=9 * LAST_STATE_LIFETIME)
    assert b"closed" in house.take_one().body


def test_a_new_publication_hides_the_last_state_and_its_end_replaces_it() -> None:
    house = House()
    house.publish(None, etag=house.publish(presence(id_="a"))["SIP-ETag"], expires=0)
    tag = house.publish(presence(id_="b"))["SIP-ETag"]
    house.subscribe(expires=0)
    assert b"open" in house.take_one().body
    house.publish(None, etag=tag, expires=0)
    house.subscribe(expires=0)
    assert b'"b"' in house.take_one().body
    assert len(house.memory.named("openpy_last_state")) == 1


@pytest.mark.parametrize("outage", [5, 60])
def test_an_expiry_that_cannot_be_committed_is_tried_again(outage: int) -> None:
    house = House()
    house.publish(expires=10)
    house.subscribe(expires=10)
    house.subscribe()
    house.take()
    house.writer.failing = Unavailable("locked")
    house.wait(10 + outage)
    assert house.take() == []
    house.writer.failing = None
    house.wait(1)
    states = [notify.get("Subscription-State") or "" for notify in house.take()]
    assert sorted(state.partition(";")[0] for state in states) == ["active", "terminated"]
    assert house.memory.named("presentity") == []


def test_d20_one_broken_presentity_stops_no_other() -> None:
    house = House()
    house.publish(expires=10)
    house.publish(uri="sip:carol@example.org", expires=10)
    house.writer.unforgiven[ALICE] = Unavailable("refused")
    house.wait(10.6)
    assert [row["username"] for row in house.memory.named("presentity")] == ["alice"]
    house.wait(1)
    assert house.memory.named("presentity") == []


def test_mass_expiry_is_paced() -> None:
    house = House()
    for number in range(2 * SLICE + 10):
        house.publish(uri=f"sip:u{number}@example.org", expires=10)
    rounds = 0
    original = house.soon

    def soon(callback: object) -> None:
        nonlocal rounds
        rounds += 1
        original(callback)  # type: ignore[arg-type]

    house.soon = soon  # type: ignore[method-assign]
    house.wait(11)
    assert rounds == 3
    assert house.memory.named("presentity") == []


def test_a_slice_waits_for_the_commit_of_the_one_before() -> None:
    house = House()
    for number in range(3 * SLICE):
        house.publish(uri=f"sip:u{number}@example.org", expires=10)
    house.writer.hold = True
    house.wait(20)
    assert len(house.writer.queue) == SLICE
    house.writer.commit(SLICE - 1)
    house.wait(5)
    assert len(house.writer.queue) == 1
    house.writer.commit(1)
    house.wait(1)
    assert len(house.writer.queue) == SLICE
    house.writer.hold = False
    house.wait(1)
    assert house.memory.named("presentity") == []


def test_a_refresh_on_its_way_wins_over_the_deadline() -> None:
    house = House()
    tag = house.publish(expires=10)["SIP-ETag"]
    first = house.subscribe(expires=10)
    house.take()
    house.wait(9.9)
    house.writer.hold = True
    house.publish(None, etag=tag, expires=50)
    house.resubscribe(first, expires=50)
    house.wait(2)
    house.writer.hold = False
    house.wait(1)
    assert house.take_one().get("Subscription-State") == "active;expires=48"
    assert len(house.memory.named("presentity")) == 1


def test_what_was_removed_meanwhile_is_not_ended_again() -> None:
    house = House()
    tags = [house.publish(uri=f"sip:u{number}@example.org", expires=10)["SIP-ETag"] for number in range(100)]
    first = house.subscribe(uri="sip:u99@example.org", expires=10)
    held: list[object] = []
    house.soon = held.append  # type: ignore[method-assign,assignment]
    house.wait(10.6)
    assert len(held) == 1
    assert house.publish(None, uri="sip:u99@example.org", etag=tags[99]).status == 412
    assert house.resubscribe(first).status == 481


def test_after_a_drain_nothing_ends() -> None:
    house = House()
    house.publish(expires=10)
    with pytest.raises(StopIteration):
        house.presence.drain().send(None)
    house.wait(300)
    assert len(house.memory.named("presentity")) == 1
