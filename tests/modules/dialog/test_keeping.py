"""How dialogs are kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import count
from typing import Any, cast

import pytest

from openpy.db.database import Database
from openpy.db.errors import DatabaseError, RowRefused, Unavailable
from openpy.db.statements import Delete, Operation, Upsert
from openpy.engine.log import Log
from openpy.engine.services import Services
from openpy.engine.waiting import Wait
from openpy.modules.dialog import keeping
from openpy.modules.dialog.keeping import RETRY, InMemory, Store
from openpy.modules.dialog.record import Dialog, Leg, Name
from openpy.modules.dialog.states import State
from openpy.transaction.wheel import Wheel
from tests.modules.dialog.test_rows import TABLE

Done = Callable[[DatabaseError | None], None]


class Scribe:
    """A database and its writer, which answers when the test says so."""

    def __init__(self) -> None:
        self.writer = self
        self.is_full = False
        self.has_ids = True
        self.submitted: list[tuple[Operation, Done]] = []
        self.flushed = 0
        self.forgiven: list[Hashable] = []
        self._ids = count(1)

    def next_id(self, table: object) -> int:
        if not self.has_ids:
            raise Unavailable("not yet")
        return next(self._ids)

    def submit(self, key: Hashable, operations: Sequence[Operation], done: Done) -> None:
        if self.is_full:
            raise Unavailable("full")
        self.submitted.append((operations[0], done))

    def flush(self) -> None:
        self.flushed = len(self.submitted)

    def forgive(self, key: Hashable) -> None:
        self.forgiven.append(key)

    def answer(self, error: DatabaseError | None = None) -> list[Operation]:
        """Answer all that was handed over."""
        assert self.flushed == len(self.submitted)
        given, self.submitted, self.flushed = self.submitted, [], 0
        for _, done in given:
            done(error)
        return [operation for operation, _ in given]


class House:
    def __init__(self, *, at_once: bool = True) -> None:
        self.scribe = Scribe()
        self.wheel = Wheel(0.0)
        self.lines: list[str] = []
        self.log = Log(4, lambda level, line: self.lines.append(line))
        self.turns = 0
        database, services = cast(Database, self.scribe), cast(Services, self)
        self.store = Store(database, TABLE, services, at_once=at_once)

    def soon(self, callback: Callable[[], None]) -> None:
        self.turns += 1
        self.next = callback

    def answer(self, error: DatabaseError | None = None) -> list[Operation]:
        """The burst of messages is over, and what was handed over is answered."""
        if self.turns:
            assert self.turns == 1
            self.turns = 0
            self.next()
        return self.scribe.answer(error)


def dialog(number: int = 1, **changes: Any) -> Dialog:
    made = Dialog(Name(0, number), "call", Leg("a", "sip:a@x"), Leg("b", "sip:b@x"), State.ANSWERED)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_memory_waits_for_nothing() -> None:
    InMemory().changed(dialog())
    assert InMemory().kept(dialog()) is None


def test_a_life_at_once() -> None:
    house, call = House(), dialog()
    house.store.changed(call)
    wait = house.store.kept(call)
    assert isinstance(wait, Wait)
    ends: list[bool] = [wait.done]
    (insert,) = house.answer()
    assert isinstance(insert, Upsert)
    assert [*ends, wait.done] == [False, True]
    assert house.store.kept(call) is None
    call.state = State.CONFIRMED
    house.store.changed(call)
    (update,) = house.answer()
    assert isinstance(update, Upsert)
    assert (update.id, update.values[TABLE.columns.index("state")]) == (insert.id, 4)
    call.state = State.ENDED
    house.store.changed(call)
    assert house.answer() == [Delete(TABLE, insert.id)]
    assert house.store.unwritten == 0


def test_changes_before_the_answer_keep_their_order() -> None:
    house, call = House(), dialog()
    house.store.changed(call)
    call.state = State.ENDED
    house.store.changed(call)
    assert [type(operation) for operation in house.answer()] == [Upsert, Delete]


def test_what_never_had_a_row_needs_no_end() -> None:
    house = House()
    house.store.changed(dialog(state=State.ENDED))
    assert house.answer() == []


@pytest.mark.parametrize("why", ["full", "ids", "away"])
def test_without_the_database(why: str) -> None:
    house, call = House(), dialog()
    house.scribe.is_full, house.scribe.has_ids = why == "full", why != "ids"
    house.store.changed(call)
    if why == "away":
        house.answer(Unavailable("away"))
    assert (house.store.kept(call), house.store.unwritten) == (None, 1)
    other = dialog(2)
    house.store.changed(other)
    assert (house.store.kept(other), house.store.unwritten) == (None, 2)
    house.scribe.is_full, house.scribe.has_ids = False, True
    house.wheel.advance(RETRY + 0.1)
    assert len(house.answer()) == 2
    assert house.store.unwritten == 0
    assert len(house.lines) == 1
    assert "wait for the database" in house.lines[0]


def test_it_stays_away() -> None:
    house, call = House(), dialog()
    house.store.changed(call)
    for second in range(1, 5):
        house.answer(Unavailable("away"))
        house.wheel.advance(second * (RETRY + 0.1))
    assert len(house.lines) == 1
    assert len(house.scribe.submitted) == 1
    call.state = State.ENDED
    house.answer(Unavailable("away"))
    house.wheel.advance(10.0)
    assert house.answer() == [Delete(TABLE, 1)]


def test_what_no_row_can_hold() -> None:
    house = House()
    house.store.changed(dialog(call_id="x" * 300))
    assert "callid cannot be stored" in house.lines[0]
    call = dialog()
    house.store.changed(call)
    wait = house.store.kept(call)
    house.answer(RowRefused("no"))
    assert wait is not None
    assert wait.done
    assert house.scribe.forgiven == [call]
    assert "is not kept in the database: no" in house.lines[1]
    assert house.store.unwritten == 0


def test_later_and_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "SLICE", 3)
    house = House(at_once=False)
    calls = [dialog(number) for number in range(7)]
    for call in calls * 2:
        house.store.changed(call)
    assert (house.scribe.submitted, house.store.kept(calls[0])) == ([], None)
    house.store.write()
    assert [len(house.answer()) for _ in range(4)] == [3, 3, 1, 0]
    house.store.changed(calls[0])
    assert house.scribe.submitted == []


def test_everything_at_the_end() -> None:
    house = House(at_once=False)
    for number in range(5):
        house.store.changed(dialog(number))
    house.scribe.is_full = True
    house.store.write()
    house.scribe.is_full = False
    house.store.hand_over()
    assert len(house.answer()) == 5
    assert house.wheel.next_due() is None


@pytest.mark.parametrize("was_away", [False, True])
def test_what_changes_after_that_is_written_too(was_away: bool) -> None:
    house = House(at_once=False)
    if was_away:
        house.store.changed(dialog())
        house.store.write()
        house.answer(Unavailable("not there"))
    house.store.hand_over()
    house.answer()
    late = dialog(7)
    house.store.changed(late)
    assert len(house.answer()) == 1
    assert late.row
