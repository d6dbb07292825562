"""A table that memory does not have."""

from __future__ import annotations

import pytest

from openpy.db.errors import Unavailable
from openpy.modules.usrloc.remote import RemoteDomain
from tests.modules.presence.kit import Memory
from tests.modules.usrloc.kit import NOW, REMOTE, Home, renewed, run


def test_what_one_server_writes_another_reads() -> None:
    memory = Memory()
    one, two = Home(REMOTE, memory), Home(REMOTE, memory)
    assert run(one.domain.hold("bob")) == [None]
    first = one.new("sip:1@h", q=100)
    assert one.change(first, one.new("sip:2@h", q=900)) == [None]
    one.domain.release("bob")
    assert one.domain.records == {}
    (contacts,) = run(two.domain.read("bob"))
    assert [item.uri for item in contacts] == ["sip:2@h", "sip:1@h"]
    run(two.domain.hold("bob"))
    assert two.change(*(item for item in two.domain.standing("bob") if item.uri == "sip:1@h")) == [None]
    two.domain.release("bob")
    assert two.happened == [("delete", "bob", "sip:2@h")]
    assert [item.uri for item in run(one.domain.read("bob"))[0]] == ["sip:1@h"]


def test_who_comes_while_it_is_read_shares_the_query() -> None:
    home = Home(REMOTE)
    home.memory.slow = []
    first, second = run(home.domain.hold("bob")), run(home.domain.hold("bob"))
    assert len(home.memory.slow) == 1
    home.memory.slow.pop()()
    assert (first, second) == ([None], [None])
    third = run(home.domain.hold("bob"))
    assert third == [None]
    assert home.memory.slow == []
    for _ in range(3):
        assert "bob" in home.domain.records
        home.domain.release("bob")
    assert home.domain.records == {}


def test_an_aor_stays_until_its_change_is_committed() -> None:
    home = Home(REMOTE)
    run(home.domain.hold("bob"))
    home.writer.hold = True
    outcome = home.change(home.new())
    home.domain.release("bob")
    assert "bob" in home.domain.records
    home.writer.commit()
    assert outcome == [None]
    assert home.domain.records == {}


def test_a_database_that_is_away() -> None:
    home = Home(REMOTE)
    home.memory.unreadable = Unavailable("gone")
    assert isinstance(run(home.domain.hold("bob"))[0], Unavailable)
    assert isinstance(run(home.domain.read("bob"))[0], Unavailable)
    home.domain.ready = False
    assert isinstance(run(home.domain.hold("bob"))[0], Unavailable)
    assert home.domain.records == {}
    home.domain.ready, home.memory.unreadable = True, None
    assert run(home.domain.hold("bob")) == [None]


def test_what_has_expired_is_swept() -> None:
    home = Home(REMOTE)
    assert isinstance(home.domain, RemoteDomain)
    run(home.domain.hold("bob"))
    first = home.new("sip:1@h", expires=NOW + 10)
    home.change(first, home.new("sip:2@h", expires=0), home.new("sip:3@h", expires=NOW + 600))
    home.domain.release("bob")
    home.domain.run()
    home.pass_time(59)
    assert len(home.kept()) == 3
    home.pass_time(2)
    assert [uri for _, uri in home.kept()] == ["sip:2@h", "sip:3@h"]
    home.domain.halt()
    home.pass_time(1000)
    assert len(home.kept()) == 2


def test_a_refresh_that_is_under_way_at_the_end_is_not_swept() -> None:
    home = Home(REMOTE)
    run(home.domain.hold("bob"))
    home.change(home.new(expires=NOW + 60))
    home.pass_time(59.9)
    home.writer.hold = True
    outcome = home.change(renewed(home.domain.standing("bob")[0], expires=NOW + 660))
    home.pass_time(0.2)
    home.memory.slow = []
    home.domain.run()  # reads the row as it was
    home.writer.hold = False
    home.writer.flush()
    home.domain.release("bob")
    home.memory.slow.pop()()
    assert outcome == [None]
    assert len(home.kept()) == 1


def test_a_sweep_that_fails_is_told_and_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(REMOTE)
    run(home.domain.hold("bob"))
    home.change(home.new(expires=NOW - 60))
    home.domain.release("bob")
    home.writer.failing = Unavailable("gone")
    home.domain.run()
    home.memory.unreadable = Unavailable("gone")
    home.pass_time(61)
    home.memory.unreadable = None
    home.writer.full = True
    home.pass_time(60)
    assert home.logged == ["no sweep of location: gone"] * 2 + [
        "no sweep of location: the database queue is full"
    ]
    home.writer.failing, home.writer.full = None, False
    home.pass_time(60)
    assert home.kept() == []


def test_a_refresh_of_what_was_just_swept_makes_a_row() -> None:
    home = Home(REMOTE)
    run(home.domain.hold("bob"))
    first = home.new()
    home.change(first)
    home.memory.kept[home.rows.table].clear()
    home.change(renewed(first, cseq=2))
    assert home.change(renewed(first, cseq=2)) == [None]
    assert len(home.kept()) == 1


def test_a_share_of_the_rows() -> None:
    home = Home(REMOTE)
    run(home.domain.hold("bob"))
    home.change(*(home.new(f"sip:{number}@h") for number in (1, 2, 3)), home.new("sip:4@h", expires=NOW - 5))
    home.domain.release("bob")
    found: list[tuple[list[str], int]] = []

    def ask() -> None:
        home.domain.portion(0, 2, lambda items, count: found.append(([item.uri for item in items], count)))

    home.memory.slow = []
    ask()
    assert found == []
    home.memory.slow.pop()()
    assert found == [(["sip:2@h"], 2)]
    home.memory.slow = None
    home.memory.unreadable = Unavailable("gone")
    ask()
    home.domain.ready = False
    ask()
    assert len(found) == 1
    assert home.logged == ["the contacts of location cannot be read: gone"]
