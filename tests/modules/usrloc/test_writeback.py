"""Rows that are written later."""

from __future__ import annotations

import pytest

from openpy.db.errors import RowRefused, Unavailable
from openpy.modules.usrloc import writeback
from openpy.modules.usrloc.contacts import MEMORY_ONLY
from openpy.modules.usrloc.rows import Misfit
from openpy.modules.usrloc.writeback import WriteBack
from tests.modules.usrloc.kit import BACK, Home, register, renewed, script


def made() -> tuple[Home, WriteBack]:
    home = Home(BACK)
    assert isinstance(home.domain.mode, WriteBack)
    return home, home.domain.mode


def write(home: Home, mode: WriteBack) -> bool:
    wait = mode.write()
    home.turn()
    return wait.done


def test_a_change_holds_at_once_and_is_written_later() -> None:
    home, mode = made()
    first = home.new("sip:1@h")
    assert home.change(first) == [None]
    assert (home.uris(), home.kept(), mode.state_of(first)) == (["sip:1@h"], [], "CS_NEW")
    assert write(home, mode)
    assert (home.kept(), mode.state_of(first)) == ([("bob", "sip:1@h")], "CS_SYNC")
    first = renewed(first, q=300)
    home.change(first)
    assert mode.state_of(first) == "CS_DIRTY"
    assert home.memory.named("location")[0]["q"] == -1
    write(home, mode)
    assert home.memory.named("location")[0]["q"] == 0.3
    home.change()
    assert len(home.kept()) == 1
    write(home, mode)
    assert home.kept() == []


def test_only_the_last_state_is_written() -> None:
    home, mode = made()
    first = home.new()
    for number in range(5):
        home.change(renewed(first, cseq=number))
    gone = home.new("sip:2@h")
    home.change(first, gone)
    home.change(first)
    write(home, mode)
    assert len(home.kept()) == 1
    assert home.writer.commits == 1
    write(home, mode)
    assert home.writer.commits == 1


def test_a_contact_for_memory_is_not_written() -> None:
    home, mode = made()
    only = home.new(flags=MEMORY_ONLY)
    home.change(only)
    write(home, mode)
    assert home.kept() == []
    home.change(renewed(only, flags=0))
    write(home, mode)
    assert len(home.kept()) == 1
    home.change(only)
    write(home, mode)
    assert home.kept() == []


def test_what_could_not_be_written_is_tried_again() -> None:
    home, mode = made()
    home.change(home.new())
    home.writer.failing = Unavailable("gone")
    assert write(home, mode)
    assert (home.kept(), home.logged) == ([], ["1 contacts could not be written, and will be tried again"])
    home.writer.failing = None
    write(home, mode)
    assert len(home.kept()) == 1


def test_a_refused_row_takes_the_others_with_it_once_only() -> None:
    home, mode = made()
    first = home.new("sip:1@h")
    home.change(first, home.new("sip:2@h"))
    home.writer.failing = RowRefused("no")
    write(home, mode)
    home.writer.failing = None
    write(home, mode)
    assert home.writer.commits == 2  # row by row
    assert len(home.kept()) == 2


def test_what_changed_while_it_failed_is_written_as_it_is() -> None:
    home, mode = made()
    first = home.new()
    home.change(first)
    home.writer.hold = True
    mode.write()
    home.change(renewed(first, q=100))
    home.writer.failing = Unavailable("gone")
    home.writer.commit()
    home.writer.failing, home.writer.hold = None, False
    home.turn()
    write(home, mode)
    assert home.memory.named("location")[0]["q"] == 0.1


@pytest.mark.parametrize("removed", [False, True])
def test_what_changes_after_it_failed_is_not_written_over(removed: bool) -> None:
    home, mode = made()
    first = home.new()
    home.change(first)
    home.writer.failing = Unavailable("gone")
    mode.write()
    home.change(*() if removed else (renewed(first, cseq=7),))
    home.writer.failing = None
    home.turn()
    write(home, mode)
    assert [row["cseq"] for row in home.memory.named("location")] == ([] if removed else [7])
    assert home.logged == []


def test_a_refused_row_does_not_take_the_others_with_it_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writeback, "CHUNK", 2)
    home, mode = made()
    bad = home.new("sip:bad@h")
    monkeypatch.setattr(
        home.memory,
        "missing",
        lambda operations: RowRefused("no") if any(each.id == bad.id for each in operations) else None,
    )
    home.change(bad, home.new("sip:2@h"), home.new("sip:3@h"))
    write(home, mode)
    assert [uri for _, uri in home.kept()] == ["sip:3@h"]  # in a chunk of its own
    for number in range(3):
        home.change(home.new(), aor=f"other{number}")
        write(home, mode)
        assert len(home.kept()) == 3 + number


def test_a_row_that_is_refused_stays_the_only_one_without() -> None:
    with script(BACK) as server:
        server.sql(
            "CREATE TRIGGER bad BEFORE INSERT ON location WHEN new.contact = 'sip:bad@h' "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        register(server, "<sip:bad@h>", user="bad")
        for number in range(150):
            register(server, user=f"user{number}")
        server.mi("ul_flush")
        assert len(server.rows("location")) == 51  # the chunks without it
        server.mi("ul_flush")
        assert len(server.rows("location")) == 150
        server.sql("DROP TRIGGER bad")
        server.mi("ul_flush")
        assert len(server.rows("location")) == 151


def test_what_could_not_be_written_is_handed_over_at_the_end_too() -> None:
    home, mode = made()
    home.change(home.new())
    home.writer.failing = Unavailable("gone")
    mode.write()
    home.writer.failing = None
    mode.hand_over()
    assert len(home.kept()) == 1


def test_many_are_written_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writeback, "SLICE", 4)
    monkeypatch.setattr(writeback, "CHUNK", 2)
    home, mode = made()
    for number in range(10):
        home.change(home.new(f"sip:{number}@h"), aor=f"user{number}")
    wait = mode.write()
    assert len(home.kept()) == 4
    home.turn()
    assert wait.done
    assert len(home.kept()) == 10
    assert home.writer.commits == 5


def test_at_the_end_all_is_handed_over_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writeback, "SLICE", 4)
    home, mode = made()
    for number in range(10):
        home.change(home.new(f"sip:{number}@h"), aor=f"user{number}")
    home.writer.hold = True
    mode.hand_over()
    assert sum(len(operations) for _, operations, _ in home.writer.queue) == 10


def test_a_closed_writer_is_told() -> None:
    home, mode = made()
    home.change(home.new())
    home.writer.full = True
    assert write(home, mode)
    assert home.logged


def test_what_does_not_fit_is_refused_at_once() -> None:
    home, _ = made()
    with pytest.raises(Misfit):
        home.change(home.new(path="x" * 300))
    assert not home.domain.records
