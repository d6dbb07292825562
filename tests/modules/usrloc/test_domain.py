"""One table: what is in it, and what leaves by its deadline."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpy.db.errors import Unavailable
from openpy.modules.usrloc import domain as domain_file
from openpy.modules.usrloc.contacts import Contact
from tests.modules.usrloc.kit import MEMORY, NOW, THROUGH, Home, contact, renewed, run


def test_what_is_changed_is_there_and_counted() -> None:
    home = Home(MEMORY)
    one, two = home.new("sip:1@h"), home.new("sip:2@h")
    assert home.change(one, two) == [None]
    assert home.uris() == ["sip:1@h", "sip:2@h"]
    assert home.domain.standing("bob") == home.domain.of("bob")
    assert (home.domain.users, home.domain.contacts) == (1, 2)
    home.change(renewed(one, cseq=2))
    home.change(home.new("sip:3@h"), aor="alice")
    assert [(aor, item.uri) for aor, item in home.domain.all()] == [("bob", "sip:1@h"), ("alice", "sip:3@h")]
    home.change()
    assert (home.domain.users, home.domain.contacts) == (1, 1)
    assert "bob" not in home.domain.records
    assert home.happened == [
        ("insert", "bob", "sip:1@h"),
        ("insert", "bob", "sip:2@h"),
        ("update", "bob", "sip:1@h"),
        ("delete", "bob", "sip:2@h"),
        ("insert", "alice", "sip:3@h"),
        ("delete", "bob", "sip:1@h"),
    ]


def test_nothing_for_nobody_makes_nothing() -> None:
    home = Home(MEMORY)
    assert home.change() == [None]
    assert not home.domain.records


def test_nothing_changes_and_nothing_is_told_before_it_is_ready() -> None:
    home = Home(MEMORY)
    home.domain.ready = False
    with pytest.raises(Unavailable):
        home.change(home.new())
    assert isinstance(run(home.domain.read("bob"))[0], Unavailable)
    assert isinstance(run(home.domain.hold("bob"))[0], Unavailable)


@pytest.mark.parametrize("mode", [MEMORY, THROUGH])
def test_a_contact_leaves_when_it_expires(mode: int) -> None:
    home = Home(mode)
    home.domain.run()
    first = home.new("sip:1@h", expires=NOW + 10)
    home.change(first, home.new("sip:2@h", expires=NOW + 30), home.new("sip:3@h", expires=0))
    home.pass_time(9)
    assert len(home.uris()) == 3
    home.pass_time(2)
    assert home.uris() == ["sip:2@h", "sip:3@h"]
    home.pass_time(25)
    assert home.uris() == ["sip:3@h"]
    assert home.domain.expired == 2
    assert ("expire", "bob", "sip:1@h") in home.happened
    if mode == THROUGH:
        assert home.kept() == [("bob", "sip:3@h")]
    home.pass_time(3600)
    assert home.uris() == ["sip:3@h"]


def test_a_refreshed_contact_stays() -> None:
    home = Home(MEMORY)
    home.domain.run()
    first = home.new(expires=NOW + 10)
    home.change(first)
    home.pass_time(5)
    home.change(renewed(first, expires=NOW + 60))
    home.pass_time(20)
    assert len(home.uris()) == 1
    home.pass_time(36)
    assert home.uris() == []
    assert home.domain.users == 0


@pytest.mark.parametrize("mode", [MEMORY, THROUGH])
def test_a_contact_that_became_permanent_stays(mode: int) -> None:
    home = Home(mode)
    home.domain.run()
    first = home.new(expires=NOW + 10)
    home.change(first)
    home.change(home.new(expires=NOW + 10), aor="alice")
    home.change(renewed(first, expires=0))
    home.pass_time(30)
    assert len(home.uris()) == 1
    assert home.uris("alice") == []


def test_a_contact_that_had_expired_before_another_took_its_place_is_counted() -> None:
    home = Home(MEMORY)
    home.domain._watchers.clear()
    home.change(home.new(expires=NOW + 10))
    home.pass_time(10)
    home.change(home.new())
    assert home.domain.expired == 1


def test_what_could_not_be_ended_is_ended_later() -> None:
    home = Home(THROUGH)
    home.domain.run()
    home.change(home.new(expires=NOW + 5))
    home.writer.failing = Unavailable("gone")
    home.pass_time(10)
    assert home.uris() != []
    assert home.kept() != []
    home.writer.failing = None
    home.pass_time(3)
    assert (home.uris(), home.kept()) == ([], [])
    assert home.domain.expired == 1


def test_a_contact_that_is_being_refreshed_is_not_ended() -> None:
    home = Home(THROUGH)
    home.domain.run()
    first = home.new(expires=NOW + 5)
    home.change(first)
    home.writer.hold = True
    outcome = home.change(renewed(first, expires=NOW + 600, cseq=2))
    home.pass_time(10)
    assert outcome == []
    home.writer.hold = False
    home.writer.flush()
    assert outcome == [None]
    home.pass_time(60)
    assert len(home.uris()) == 1


def test_many_that_expire_at_once_are_ended_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain_file, "SLICE", 3)
    home = Home(THROUGH)
    home.domain.run()
    for number in range(10):
        home.change(home.new(expires=NOW + 5), aor=f"user{number}")
    home.clock.time += 7
    home.wheel.advance(home.clock.time)
    assert home.domain.users == 7
    home.turn()
    assert home.domain.users == 0
    assert home.kept() == []


def test_nothing_ends_after_a_halt() -> None:
    home = Home(MEMORY)
    home.domain.run()
    home.change(home.new(expires=NOW + 5))
    home.domain.halt()
    home.pass_time(10)
    assert len(home.uris()) == 1


def test_what_was_read_can_be_forgotten() -> None:
    home = Home(MEMORY)
    home.domain.take("bob", contact("sip:1@h", 1, q=100))
    home.domain.take("bob", contact("sip:2@h", 2, q=200))
    assert home.uris() == ["sip:2@h", "sip:1@h"]
    assert (home.domain.users, home.domain.contacts) == (1, 2)
    home.domain.forget()
    assert (home.domain.users, home.domain.contacts, home.uris()) == (0, 0, [])


def test_a_table_in_memory_needs_no_holding() -> None:
    home = Home(MEMORY)
    home.change(home.new())
    assert run(home.domain.hold("bob")) == [None]
    assert run(home.domain.read("bob")) == [home.domain.of("bob")]
    home.domain.release("bob")
    assert len(home.uris()) == 1


def portions(home: Home, of: int) -> list[list[str]]:
    """The URIs of each share."""
    found: list[list[str]] = []
    for number in range(of):
        home.domain.portion(number, of, lambda items, count: found.append([item.uri for item in items]))
    return found


def test_each_contact_is_in_one_share() -> None:
    home = Home(MEMORY)
    for number in range(1, 8):
        home.change(home.new(f"sip:{number}@h"), aor=f"user{number}")
    home.change(home.new("sip:8@h"), home.new("sip:9@h", expires=NOW - 1), home.new("sip:10@h", expires=0))
    assert portions(home, 4) == [
        ["sip:4@h", "sip:8@h"],
        ["sip:1@h", "sip:5@h"],
        ["sip:2@h", "sip:6@h", "sip:10@h"],
        ["sip:3@h", "sip:7@h"],
    ]
    sizes: list[int] = []
    home.domain.portion(0, 4, lambda items, count: sizes.append(count))
    assert sizes == [3]


def test_what_goes_meanwhile_is_not_given() -> None:
    home = Home(MEMORY)
    home.change(home.new("sip:1@h"))
    given: list[Iterator[Contact]] = []
    home.domain.portion(1, 2, lambda items, count: given.append(items))
    home.change()
    assert list(given[0]) == []
