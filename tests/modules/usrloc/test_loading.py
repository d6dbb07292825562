"""Rows become contacts again."""

from __future__ import annotations

import pytest

from openpy.db.errors import Unavailable
from openpy.modules.usrloc import loading
from openpy.modules.usrloc.loading import load
from tests.modules.usrloc.kit import THROUGH, Home, run


def filled(users: int) -> Home:
    home = Home(THROUGH)
    for number in range(users):
        home.change(home.new(f"sip:{number}@h", q=number), home.new("sip:x@h", q=1000), aor=f"user{number}")
    return home


def test_all_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "SLICE", 3)
    before = filled(5)
    home = Home(THROUGH, before.memory)
    assert run(load(home.services, home.domain, home.rows, lambda: True)) == [0]
    assert list(home.domain.records) == [f"user{number}" for number in range(5)]
    assert home.uris("user3") == ["sip:x@h", "sip:3@h"]
    assert (home.domain.users, home.domain.contacts) == (5, 10)
    assert {item.id: item.uri for item in home.domain.of("user4")} == {
        item.id: item.uri for item in before.domain.of("user4")
    }


def test_what_cannot_be_understood_is_counted() -> None:
    home = filled(2)
    rows = home.memory.kept[home.rows.table]
    rows[99] = ("", *rows[1][1:])
    other = Home(THROUGH, home.memory)
    assert run(load(other.services, other.domain, other.rows, lambda: True)) == [1]
    assert len(rows) == 5


def test_it_ends_when_nobody_wants_it() -> None:
    home = filled(2)
    other = Home(THROUGH, home.memory)
    assert run(load(other.services, other.domain, other.rows, lambda: False)) == [0]
    assert other.domain.records == {}


def test_a_database_that_goes_away_is_told() -> None:
    home = filled(2)

    def rows(_: object) -> object:
        raise Unavailable("gone")

    home.rows.database.rows = rows  # type: ignore[method-assign, assignment]
    with pytest.raises(Unavailable):
        load(home.services, home.domain, home.rows, lambda: True).send(None)
