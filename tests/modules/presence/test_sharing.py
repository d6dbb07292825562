"""Several servers on one database: what one of them wrote counts at the others."""

from __future__ import annotations

from typing import Any

import pytest

from openpy.db.errors import OutcomeUnknown, Unavailable
from openpy.db.statements import Delete
from openpy.modules.presence.sharing import POLL, WINDOW
from openpy.sip.message import Request
from tests.modules.presence.kit import ALICE, Exchange, House, presence, ruleset

THERE = ("192.0.2.2", 5060)


class Pair:
    """Two servers with one database and one time."""

    def __init__(self, **parameters: Any) -> None:
        self.parameters = parameters
        self.here = House(fallback2db=1, **parameters)
        self.there = House(self.here.memory, clock=self.here.clock, us=THERE, fallback2db=1, **parameters)

    def wait(self, seconds: float) -> None:
        until = self.here.clock.time + seconds
        while self.here.clock.time < until:
            self.here.wait(0.1)
            self.there.wheel.advance(self.here.clock.time)
            self.there.turn()
            self.here.turn()

    def restart_here(self) -> House:
        """The first server was killed, and is started again."""
        self.here = House(self.here.memory, clock=self.here.clock, fallback2db=1, **self.parameters)
        return self.here


@pytest.fixture
def pair() -> Pair:
    return Pair()


def refresh(house: House, first: Exchange, cseq: int = 2, **more: Any) -> Exchange:
    return house.resubscribe(first, cseq=cseq, **more)


def cseqs(notifies: list[Request]) -> list[int]:
    return [notify.cseq.number for notify in notifies]


def test_publish_at_one_and_watch_at_the_other(pair: Pair) -> None:
    pair.here.publish(presence("open"))
    assert pair.there.subscribe().status == 200
    assert b"open" in pair.there.take_one().body


def test_the_watchers_at_the_other_are_told_of_a_change(pair: Pair) -> None:
    pair.there.subscribe()
    pair.there.take()
    etag = pair.here.publish(presence("open"))["SIP-ETag"]
    assert not pair.there.take()
    pair.wait(POLL + 0.2)
    assert b"open" in pair.there.take_one().body
    etag = pair.here.publish(presence("closed"), etag=etag)["SIP-ETag"]
    pair.wait(POLL + 0.2)
    assert b"closed" in pair.there.take_one().body
    pair.here.publish(None, etag=etag)
    pair.wait(POLL + 0.2)
    assert not pair.there.take(), "a refresh is nothing to see"


def test_the_watchers_at_the_other_are_told_that_it_ended(pair: Pair) -> None:
    etag = pair.here.publish(presence("open"))["SIP-ETag"]
    pair.there.subscribe()
    pair.there.take()
    pair.here.publish(None, etag=etag, expires=0)
    pair.wait(POLL + 0.2)
    assert b"closed" in pair.there.take_one().body
    assert pair.there.presence.publications.value == 0


def test_an_entity_tag_of_the_other_server(pair: Pair) -> None:
    etag = pair.here.publish(presence("open"))["SIP-ETag"]
    changed = pair.there.publish(presence("closed"), etag=etag)
    assert changed.status == 200
    assert pair.here.publish(None, etag=etag).status == 412
    assert pair.here.publish(None, etag=changed["SIP-ETag"]).status == 200
    assert [row["body"] for row in pair.here.memory.named("presentity")] == [presence("closed")]


def test_a_publication_that_the_other_refreshed_does_not_run_out(pair: Pair) -> None:
    etag = pair.here.publish(expires=20)["SIP-ETag"]
    pair.here.subscribe()
    pair.here.take()
    pair.there.publish(None, etag=etag, expires=100)
    pair.wait(30)
    assert not pair.here.take()
    assert len(pair.here.memory.named("presentity")) == 1
    pair.wait(80)
    assert b"closed" in pair.here.take_one().body
    assert pair.here.memory.named("presentity") == []


def test_of_two_changes_with_one_entity_tag_one_wins(pair: Pair) -> None:
    etag = pair.here.publish(presence("open"))["SIP-ETag"]
    pair.here.writer.hold = True
    first = pair.here.publish(presence("closed"), etag=etag)
    second = pair.there.publish(presence("open", more="<note>x</note>"), etag=etag)
    pair.here.writer.hold = False
    pair.here.turn()
    assert (first.status, second.status) == (200, 503)
    assert pair.there.publish(None, etag=etag).status == 412
    pair.wait(5)
    assert [row["body"] for row in pair.here.memory.named("presentity")] == [presence("closed")]


def test_only_the_loser_is_refused_not_what_follows_it(pair: Pair) -> None:
    house = pair.here
    etag = house.publish(presence("open"))["SIP-ETag"]
    first = house.subscribe()
    house.writer.hold = True
    loser = house.publish(presence("closed"), etag=etag)
    others = [house.publish(presence(id_="phone")), refresh(house, first), house.subscribe()]
    pair.there.memory.write([Delete(house.memory.tables["presentity"], 1)])
    house.writer.hold = False
    house.turn()
    assert loser.status == 503
    assert [one.status for one in others] == [200] * 3
    assert house.publish(None, etag=etag).status == 412


def test_a_subscription_moves_to_the_server_that_gets_its_refresh(pair: Pair) -> None:
    first = pair.here.subscribe()
    before = cseqs(pair.here.take())
    moved = refresh(pair.there, first)
    assert moved.status == 200
    assert "192.0.2.2" in moved["Contact"]
    after = cseqs(pair.there.take())
    pair.wait(POLL + 0.2)
    assert (len(pair.here.agent.dialogs), len(pair.there.agent.dialogs)) == (0, 1)
    pair.there.publish()
    pair.wait(POLL + 0.2)
    after += cseqs(pair.there.take())
    assert not pair.here.take()
    assert len(after) == 2
    assert max(before) < min(after)
    (row,) = pair.here.memory.named("active_watchers")
    assert row["socket_info"] == "udp:192.0.2.2:5060"


def test_a_subscription_goes_to_and_fro_and_no_cseq_is_used_twice(pair: Pair) -> None:
    first = pair.here.subscribe()
    used: list[int] = []
    for number in range(2, 10):
        house = pair.there if number % 2 == 0 else pair.here
        assert refresh(house, first, number).status == 200
        used += cseqs(pair.here.take()) + cseqs(pair.there.take())
    assert len(set(used)) == len(used)
    assert used == sorted(used)
    assert refresh(pair.there, first, 9).status == 500, "the CSeq that the other server saw"
    pair.wait(POLL + 0.2)
    assert (len(pair.here.agent.dialogs), len(pair.there.agent.dialogs)) == (1, 0)


def test_a_server_that_lost_a_subscription_cannot_reserve_its_cseqs(pair: Pair) -> None:
    first = pair.here.subscribe()
    refresh(pair.there, first)
    (dialog,) = pair.here.agent.dialogs.values()
    dialog.cseq = dialog.limit
    pair.here.take()
    pair.here.publish()
    assert not pair.here.take()
    (row,) = pair.here.memory.named("active_watchers")
    assert row["socket_info"] == "udp:192.0.2.2:5060"


def test_unsubscribe_at_the_other(pair: Pair) -> None:
    first = pair.here.subscribe()
    assert refresh(pair.there, first, expires=0).status == 200
    assert (pair.there.take_one().get("Subscription-State") or "").startswith("terminated")
    assert refresh(pair.here, first, 3).status == 481
    assert pair.here.memory.named("active_watchers") == []
    assert pair.here.presence.subscriptions.value == 0


def test_a_dialog_that_nobody_has(pair: Pair) -> None:
    first = pair.here.subscribe()
    for house in (pair.here, pair.there):
        assert refresh(house, first, to_tag="10.other").status == 481
        assert refresh(house, first, call_id="other").status == 481
        assert refresh(house, first, from_="<sip:bob@example.org>;tag=b2").status == 481
    assert pair.here.presence.subscriptions.value == 1


def test_what_nobody_knows_to_be_written_is_taken_back_where_it_is_new(pair: Pair) -> None:
    pair.here.writer.failing = OutcomeUnknown("lost in COMMIT")
    pair.here.writer.writes_anyway = True
    assert pair.here.publish().status == 503
    assert len(pair.here.memory.named("presentity")) == 1
    pair.here.writer.failing = None
    pair.wait(2)
    assert pair.here.memory.named("presentity") == []
    assert pair.here.publish().status == 200


def test_what_nobody_knows_to_be_written_is_not_written_over_what_another_server_wrote(pair: Pair) -> None:
    etag = pair.here.publish(presence("open"))["SIP-ETag"]
    pair.here.writer.failing = OutcomeUnknown("lost in COMMIT")
    assert pair.here.publish(presence("open", "phone"), etag=etag).status == 503
    pair.here.writer.failing = None
    changed = pair.there.publish(presence("closed"), etag=etag)
    assert changed.status == 200
    pair.wait(3)
    assert pair.here.publish(None, etag=changed["SIP-ETag"]).status == 200
    assert [row["body"] for row in pair.here.memory.named("presentity")] == [presence("closed")]


def test_a_subscription_that_the_other_has_does_not_run_out_here(pair: Pair) -> None:
    first = pair.here.subscribe(expires=10)
    pair.here.take()
    refresh(pair.there, first, expires=100)
    pair.there.take()
    pair.wait(30)
    assert not pair.here.take()
    assert len(pair.here.memory.named("active_watchers")) == 1
    pair.wait(80)
    assert len(pair.there.take()) == 1
    assert pair.here.memory.named("active_watchers") == []


def test_nothing_is_lost_when_one_is_killed(pair: Pair) -> None:
    etag = pair.here.publish(presence("open"))["SIP-ETag"]
    first = pair.here.subscribe()
    used = cseqs(pair.here.take())
    pair.here.wheel = pair.there.wheel  # nothing turns the first one's any more
    assert pair.there.publish(presence("closed"), etag=etag).status == 200
    assert refresh(pair.there, first).status == 200
    notifies = pair.there.take()
    assert b"closed" in notifies[-1].body
    assert set(cseqs(notifies)).isdisjoint(used)


def test_d22_each_server_takes_its_own_subscriptions_at_the_start(pair: Pair) -> None:
    pair.here.subscribe()
    pair.there.subscribe(contact="<sip:carol@192.0.2.7:5070>", from_="<sip:carol@example.org>;tag=c1")
    pair.there.take()
    again = pair.restart_here()
    assert again.presence.subscriptions.value == 1
    assert len(again.memory.named("active_watchers")) == 2
    again.publish()
    pair.wait(POLL + 0.2)
    assert [notify.uri for notify in again.take()] == ["sip:bob@192.0.2.7:5070"]
    assert [notify.uri for notify in pair.there.take()] == ["sip:carol@192.0.2.7:5070"]


def test_d38_what_is_in_memory_only_is_not_lost_to_an_empty_answer(pair: Pair) -> None:
    pair.here.writer.hold = True
    first = pair.here.publish()
    second = pair.here.publish(presence("closed", "phone"))
    pair.here.writer.hold = False
    pair.here.turn()
    assert (first.status, second.status) == (200, 200)
    assert pair.here.presence.publications.value == 2


def test_an_answer_that_is_older_than_a_write_does_not_count(pair: Pair) -> None:
    house = pair.here
    etag = house.publish(presence("open"))["SIP-ETag"]
    house.memory.slow = []
    waiting = house.publish(None, etag=etag)
    assert not waiting.replies
    held, house.memory.slow = house.memory.slow, None
    changed = house.publish(presence("closed"), etag=etag)
    assert changed.status == 200
    for answer in held:
        answer()
    house.turn()
    assert waiting.status == 412
    assert house.publish(None, etag=changed["SIP-ETag"]).status == 200


def test_while_the_database_does_not_answer_requests_are_refused(pair: Pair) -> None:
    pair.here.memory.unreadable = Unavailable("away")
    assert (pair.here.publish().status, pair.here.subscribe().status) == (503, 503)
    pair.wait(3)
    assert any("away" in line for line in pair.here.logged)
    pair.here.memory.unreadable = None
    assert pair.here.publish().status == 200


def test_nothing_runs_out_while_the_database_does_not_answer(pair: Pair) -> None:
    pair.here.publish(expires=5)
    pair.here.subscribe(expires=5)
    pair.here.memory.unreadable = Unavailable("away")
    pair.wait(10)
    assert pair.here.presence.subscriptions.value == 1
    pair.here.memory.unreadable = None
    pair.wait(3)
    assert (pair.here.presence.publications.value, pair.here.presence.subscriptions.value) == (0, 0)


def test_cseqs_that_nobody_knows_of_are_skipped(pair: Pair) -> None:
    pair.here.subscribe()
    (dialog,) = pair.here.agent.dialogs.values()
    reserved = dialog.reserved
    dialog.reserved += 128  # as after a write that failed
    pair.wait(POLL + 0.2)
    assert dialog.reserved == dialog.cseq == reserved
    pair.here.take()
    pair.here.publish()
    pair.here.turn()
    assert cseqs(pair.here.take()) == [reserved + 1]


def test_bodies_that_cannot_be_understood_are_left_alone(pair: Pair) -> None:
    memory = pair.here.memory
    pair.there.subscribe()
    pair.there.take()
    pair.here.publish(presence("open"))
    pair.wait(POLL + 0.2)
    pair.there.take()
    (table,) = [table for table in memory.kept if table.name == "presentity"]
    ((id_, row),) = memory.kept[table].items()
    memory.kept[table][id_] = (*row[:3], "other", *row[4:-1], b"<no")
    memory.kept[table][77] = (*row[:3], "third", *row[4:-1], b"<no")
    pair.wait(POLL + 0.2)
    assert not pair.there.take()
    assert pair.there.presence.publications.value == 1


def test_presentities_are_compared_in_turn(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openpy.modules.presence.sharing.SLICE", 1)
    uris = [ALICE.replace("alice", name) for name in ("a", "b", "c")]
    tags = [pair.here.publish(uri=uri)["SIP-ETag"] for uri in uris]
    for uri in uris:
        pair.there.subscribe(uri=uri)
    pair.there.take()
    for uri, etag in zip(uris, tags, strict=True):
        pair.here.publish(None, etag=etag, uri=uri, expires=0)
    pair.wait(5 * POLL)
    assert len(pair.there.take()) == 3


def test_the_window_is_wider_than_the_period() -> None:
    assert WINDOW > 2 * POLL


def test_a_drain_ends_it(pair: Pair) -> None:
    with pytest.raises(StopIteration):
        pair.there.presence.drain().send(None)
    pair.there.subscribe()
    pair.there.take()
    pair.here.publish()
    pair.wait(3)
    assert not pair.there.take()


def test_what_was_decided_at_the_other_server_is_known() -> None:
    pair = Pair(xml={})
    for house in (pair.here, pair.there, pair.here):
        assert house.subscribe().status == 200
    assert [row["watcher_username"] for row in pair.here.memory.named("watchers")] == ["bob"]
    pair.here.memory.document(ruleset("* allow"))
    pair.here.refresh()
    assert pair.there.subscribe().status == 200
    state = pair.there.agent.presentities["sip:alice@example.org"].events["presence"]
    assert state.access is not None
    assert [item.status for item in state.access.decisions.values()] == [1]
