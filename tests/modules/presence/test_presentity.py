"""The queue of a presentity: commits, refusals, and rows whose fate is unknown."""

import pytest

from openpy.db.errors import OutcomeUnknown, RowGone, Unavailable
from openpy.modules.presence.events import EventPackage
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
