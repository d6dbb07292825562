"""The queue of a presentity: commits, refusals, and rows whose fate is unknown."""

import gc

import pytest

from openpy.db.errors import OutcomeUnknown, RowGone, RowRefused, Unavailable
from openpy.modules.presence.authorization import DECISION_LIFETIME, Access
from openpy.modules.presence.events import EventPackage
from openpy.modules.presence.eventstate import EventState
from openpy.modules.presence.module import DECISIONS
from openpy.modules.presence.presentity import Presentity
from tests.modules.presence.kit import ALICE, House, presence


def test_what_follows_a_refused_change_is_refused_with_it() -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    house.writer.hold = True
    one = house.publish(presence("a"), etag=tag)
    two = house.publish(presence(id_="x"))
    house.writer.failing = Unavailable("locked")
    house.writer.commit(1)
    assert one.status == 503
    early = house.publish(presence(id_="y"))
    assert early.status == 503
    house.writer.failing = None
    house.writer.commit()
    assert two.status == 503
    house.writer.hold = False
    assert house.publish(None, etag=tag).status == 200
    assert len(house.memory.named("presentity")) == 1


def test_what_follows_a_refused_row_is_decided_again_in_its_order() -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    first = house.subscribe()
    house.take()
    house.writer.hold = True
    culprit = house.publish(presence("a"), etag=tag)
    beside = house.publish(presence(id_="x"))
    again = house.resubscribe(first)
    other = house.subscribe()
    house.writer.failing = RowRefused("not this row")
    house.writer.commit(1)
    assert culprit.status == 503
    house.writer.failing = None
    late = house.publish(presence(id_="y"))
    assert not any(one.replies for one in (beside, again, other, late))
    house.writer.hold = False
    house.turn()
    assert [one.status for one in (beside, again, other, late)] == [200] * 4
    assert len(house.memory.named("presentity")) == 3
    assert len(house.memory.named("active_watchers")) == 2
    assert house.publish(None, etag=tag).status == 200


def test_each_refused_row_costs_one_request() -> None:
    house = House()
    house.writer.hold = True
    asked = [house.publish(presence(id_=f"p{number}")) for number in range(6)]
    house.writer.failing = RowRefused("not this row")
    house.writer.commit(1)
    house.writer.failing = None
    house.writer.commit(5)  # they are undone, and asked again
    house.writer.failing = RowRefused("nor that one")
    house.writer.commit(1)
    house.writer.failing = None
    house.writer.hold = False
    house.turn()
    assert [one.status for one in asked] == [503, 503, 200, 200, 200, 200]
    assert len({one["SIP-ETag"] for one in asked[2:]}) == 4


def test_a_flood_of_refused_rows_does_not_cost_the_square_of_its_number() -> None:
    house = House()
    house.writer.hold = True
    asked = [house.publish(presence(id_=f"p{number}")) for number in range(3 * len(DECISIONS))]
    house.writer.failing = RowRefused("not one of these rows")
    house.writer.commit()
    house.writer.failing = None
    assert [one.status for one in asked] == [503] * len(asked)
    assert house.agent.presentities == {}
    assert house.agent.store.publication_id() <= len(DECISIONS) * len(asked)
    house.writer.hold = False
    assert house.publish().status == 200


def test_what_was_decided_on_a_refused_row_is_refused_by_what_is_true() -> None:
    house = House()
    house.writer.hold = True
    house.publish()
    unsubscribed = house.subscribe(expires=0)
    house.writer.failing = RowRefused("not this row")
    house.writer.commit(1)
    house.writer.failing = None
    house.writer.hold = False
    house.turn()
    assert unsubscribed.status == 200
    assert house.memory.named("presentity") == []


def test_a_change_that_finds_the_queue_full_harms_no_earlier_one() -> None:
    house = House()
    house.writer.hold = True
    one = house.publish(presence(id_="a"))
    house.writer.full = True
    assert house.publish(presence(id_="b")).status == 503
    house.writer.full = False
    assert house.publish(presence(id_="c")).status == 503
    house.writer.hold = False
    house.turn()
    assert one.status == 200
    assert house.publish(presence(id_="d")).status == 200


def test_other_presentities_are_not_touched() -> None:
    house = House()
    house.writer.hold = True
    house.publish()
    other = house.publish(uri="sip:carol@example.org")
    house.writer.failing = Unavailable("locked")
    house.writer.commit(1)
    house.writer.failing = None
    house.writer.commit()
    assert other.status == 200


@pytest.mark.parametrize("written", [True, False])
def test_an_unknown_outcome_is_mended(written: bool) -> None:
    house = House()
    tag = house.publish(expires=100)["SIP-ETag"]
    first = house.subscribe(expires=100)
    house.publish(None, etag=house.publish(uri="sip:c@x")["SIP-ETag"], uri="sip:c@x", expires=0)
    before = rows(house)
    house.writer.writes_anyway = written
    house.writer.failing = OutcomeUnknown("lost")
    for exchange in (
        house.publish(presence("closed"), etag=tag),
        house.publish(presence(id_="new")),
        house.resubscribe(first, contact="<sip:elsewhere@192.0.2.8>"),
        house.subscribe(),
        house.publish(uri="sip:c@x"),
    ):
        assert exchange.status == 503
    house.writer.failing = None
    house.wait(3)
    assert rows(house) == before
    assert not house.agent.presentities[ALICE].wounded


def rows(house: House) -> dict[str, list[dict[str, object]]]:
    """Every row, but for the block of CSeqs, which only has to grow."""
    return {
        name: [{**row, "local_cseq": 0} for row in house.memory.named(name)] for name in house.memory.tables
    }


def test_mending_goes_on_until_it_succeeds() -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    house.writer.failing = OutcomeUnknown("lost")
    house.publish(None, etag=tag, expires=0)
    house.writer.failing = Unavailable("away")
    house.wait(5)
    assert house.agent.presentities[ALICE].wounded
    house.writer.failing = None
    house.wait(2)
    assert not house.agent.presentities[ALICE].wounded
    assert house.publish(None, etag=tag).status == 200


def test_a_row_that_somebody_deleted_comes_back() -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    first = house.subscribe()
    house.memory.kept[house.agent.store.publications].clear()
    house.memory.kept[house.agent.store.subscriptions].clear()
    assert house.publish(None, etag=tag).status == 503
    house.wait(1.5)
    assert house.publish(None, etag=tag).status == 200
    assert house.resubscribe(first).status == 503
    house.wait(1.5)
    assert house.resubscribe(first, cseq=3).status == 200


def test_nothing_is_decided_before_everything_is_mended() -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    house.writer.hold = True
    house.publish(None, etag=tag)
    late = house.publish(presence(id_="x"))
    house.writer.failing = RowGone("gone")
    house.writer.commit(1)
    house.writer.failing = None
    assert late.replies == []
    house.writer.commit()
    assert late.status == 503
    assert house.publish(None, etag=tag).status == 503
    house.wait(2)
    assert len(house.writer.queue) == 1
    house.writer.hold = False
    house.turn()
    assert house.publish(None, etag=tag).status == 200


def test_a_presentity_with_nothing_to_remember_is_forgotten() -> None:
    house = House()
    first = house.subscribe()
    assert ALICE in house.agent.presentities
    house.resubscribe(first, expires=0)
    assert house.agent.presentities == {}


def test_one_event_does_not_know_the_tags_of_another() -> None:
    house = House()
    other = EventPackage("other", "text/plain")
    house.presence.bind().add_event(other)
    house.writer.hold = True
    house.publish()
    (tag,) = house.agent.presentities[ALICE].tentative
    assert house.publish(None, etag=tag, event="other").status == 412
    house.writer.hold = False
    house.turn()
    assert house.publish(b"text", event="other", content_type="text/plain").status == 200
    assert house.publish(None, etag=tag, event="other").status == 412


@pytest.mark.parametrize("xml", [None, {}])
def test_nothing_of_what_is_forgotten_has_to_be_collected(xml: dict[str, object] | None) -> None:
    house = House(xml=xml)
    gc.collect()
    gc.disable()
    try:
        before = states()
        house.subscribe(expires=10)
        assert len(states()) > len(before)
        house.wait(11)
        house.take()
        house.clock.time += 2 * DECISION_LIFETIME
        house.wait(1)
        assert house.agent.presentities == {}
        assert states() <= before
    finally:
        gc.enable()


def states() -> set[int]:
    """The parts of presentities that live, those of other tests among them."""
    return {id(item) for item in gc.get_objects() if isinstance(item, Presentity | EventState | Access)}
