"""Changes that hold when they are committed, and what becomes of those that are not."""

from __future__ import annotations

import pytest

from openpy.db.errors import OutcomeUnknown, RowRefused, Unavailable
from openpy.modules.usrloc.contacts import MEMORY_ONLY
from openpy.modules.usrloc.modes import REPAIR_AFTER
from openpy.modules.usrloc.record import Undone
from openpy.modules.usrloc.rows import Misfit
from tests.modules.usrloc.kit import THROUGH, Home, renewed


def held() -> Home:
    home = Home(THROUGH)
    home.writer.hold = True
    return home


def test_a_change_holds_when_it_is_committed() -> None:
    home = held()
    first = home.new()
    outcome = home.change(first)
    assert (outcome, home.uris(), home.domain.standing("bob")) == ([], [], (first,))
    home.writer.commit()
    assert (outcome, home.uris(), home.kept()) == ([None], [first.uri], [("bob", first.uri)])


def test_what_changes_nothing_waits_for_what_is_outstanding_only() -> None:
    home = held()
    home.change(home.new())
    behind = home.change(*home.domain.standing("bob"))
    assert behind == []
    home.writer.commit()
    assert behind == [None]
    commits = home.writer.commits
    same = home.domain.of("bob")
    assert home.domain.change("bob", same) is None
    home.writer.commit()
    assert home.writer.commits == commits


def test_overlapping_changes_hold_in_their_order() -> None:
    home = held()
    first = home.new("sip:1@h")
    outcomes = [home.change(first)]
    outcomes.append(home.change(*home.domain.standing("bob"), home.new("sip:2@h")))
    outcomes.append(home.change(*home.domain.standing("bob")[1:]))
    home.writer.commit(1)
    assert home.uris() == ["sip:1@h"]
    home.writer.commit(1)
    assert home.uris() == ["sip:1@h", "sip:2@h"]
    home.writer.commit()
    assert (home.uris(), outcomes) == (["sip:2@h"], [[None]] * 3)
    assert home.kept() == [("bob", "sip:2@h")]


def test_a_refused_change_changes_nothing() -> None:
    home = held()
    first = home.new()
    home.change(first)
    home.writer.commit()
    home.writer.failing = Unavailable("gone")
    outcome = home.change(first, home.new("sip:2@h"))
    behind = home.change()
    home.writer.commit()
    assert all(isinstance(item[0], Unavailable) for item in (outcome, behind))
    assert home.uris() == [first.uri]
    assert home.domain.standing("bob") == (first,)
    home.writer.failing = None
    again = home.change()
    home.writer.commit()
    assert (again, home.uris(), home.kept()) == ([None], [], [])
    assert not home.domain.records


def test_a_full_queue_refuses_at_once() -> None:
    home = Home(THROUGH)
    home.writer.full = True
    (error,) = home.change(home.new())
    assert isinstance(error, Unavailable)
    assert not home.domain.records


def test_nothing_is_decided_on_what_was_refused() -> None:
    home = held()
    home.writer.failing = Unavailable("gone")
    home.change(home.new("sip:1@h"))
    home.change(home.new("sip:2@h"))
    home.writer.commit(1)
    (error,) = home.change(home.new("sip:3@h"))
    assert isinstance(error, Unavailable)
    home.writer.commit()
    assert not home.domain.records


def test_behind_a_refused_row_all_is_decided_again() -> None:
    home = held()
    home.writer.failing = RowRefused("no such value")
    first = home.change(home.new("sip:1@h"))
    behind = home.change(*home.domain.standing("bob"), home.new("sip:2@h"))
    home.writer.commit(1)
    meanwhile = home.change(home.new("sip:3@h"))
    assert isinstance(first[0], RowRefused)
    assert meanwhile == []
    home.writer.commit()
    assert isinstance(behind[0], Undone)
    assert isinstance(meanwhile[0], Undone)
    home.writer.failing = None
    again = home.change(*home.domain.standing("bob"), home.new("sip:2@h"))
    home.writer.commit()
    assert (again, home.uris()) == ([None], ["sip:2@h"])


@pytest.mark.parametrize("is_written", [True, False])
def test_rows_of_unknown_fate_are_written_as_they_were(is_written: bool) -> None:
    home = Home(THROUGH)
    first = home.new("sip:1@h", q=500)
    home.change(first)
    home.writer.failing, home.writer.writes_anyway = OutcomeUnknown("in COMMIT"), is_written
    outcome = home.change(renewed(first, q=900), home.new("sip:2@h"))
    assert isinstance(outcome[0], OutcomeUnknown)
    (error,) = home.change()
    assert isinstance(error, Unavailable)  # nothing is decided meanwhile
    home.writer.failing = None
    home.pass_time(REPAIR_AFTER + 0.2)
    assert home.kept() == [("bob", "sip:1@h")]
    assert home.memory.named("location")[0]["q"] == 0.5
    assert home.change(renewed(first, q=900)) == [None]
    assert home.memory.named("location")[0]["q"] == 0.9


def test_a_row_that_somebody_deleted_is_made_again() -> None:
    home = Home(THROUGH)
    first = home.new()
    home.change(first)
    home.memory.kept[home.rows.table].clear()
    outcome = home.change(renewed(first, cseq=2))
    assert isinstance(outcome[0], Undone)
    assert home.change(renewed(first, cseq=2)) == [None]
    assert home.kept() == [("bob", first.uri)]


def test_a_row_that_can_not_be_made_again_is_refused_and_mended_later() -> None:
    home = held()
    first = home.new()
    home.change(first)
    home.writer.commit()
    home.memory.kept[home.rows.table].clear()
    outcome = home.change(renewed(first, cseq=2))
    home.writer.commit(1)  # finds the row gone, and asks for it to be written
    home.writer.failing = Unavailable("gone")
    home.writer.commit()
    assert isinstance(outcome[0], Unavailable)
    home.writer.failing, home.writer.hold = None, False
    home.pass_time(REPAIR_AFTER + 0.2)
    assert home.kept() == [("bob", first.uri)]
    assert home.change() == [None]


def test_what_does_not_fit_is_refused_before_anything_is_changed() -> None:
    home = Home(THROUGH)
    with pytest.raises(Misfit):
        home.change(home.new(path="x" * 300))
    assert (home.writer.queue, home.domain.records) == ([], {})


def test_what_has_no_row_needs_no_database() -> None:
    home = Home(THROUGH)
    kept, only = home.new("sip:1@h"), home.new("sip:2@h", flags=MEMORY_ONLY)
    home.change(kept)
    home.writer.failing = Unavailable("gone")
    assert home.change(kept, only) == [None]
    assert home.uris() == ["sip:1@h", "sip:2@h"]
    assert isinstance(home.change(renewed(kept, cseq=2), only)[0], Unavailable)
    assert home.uris() == ["sip:1@h", "sip:2@h"]
