"""How dialogs are kept: in memory alone, or in rows too, which are written at once or later.

Rules:
1. A row is that of an answered dialog, and goes when the dialog ends.
2. Calls go on without the database: what it does not take is kept in memory, and written when it is there again.
3. What no row can hold is told, and kept in memory alone.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Protocol

from openpy.db.database import Database
from openpy.db.errors import DatabaseError, RowRefused, Unavailable
from openpy.db.statements import Operation, TableSql
from openpy.engine.services import Services
from openpy.engine.waiting import Wait
from openpy.modules.dialog.record import Dialog
from openpy.modules.dialog.rows import Misfit, delete, upsert
from openpy.modules.dialog.states import State
from openpy.transaction.wheel import Timer

RETRY = 1.0
"""Seconds until what the database did not take is offered again."""

SLICE = 1000
"""Rows that are under way at once."""


class Keeper(Protocol):
    """Who hears of every change of a dialog that was answered."""

    def changed(self, dialog: Dialog) -> None:
        """The dialog is to be kept as it is now; one that has ended is to be kept no more."""
        ...

    def kept(self, dialog: Dialog) -> Wait[None] | None:
        """What is resolved when the dialog is kept, or cannot be for now; None: nothing is to be waited for."""
        ...


class InMemory:
    """Nothing is written."""

    def changed(self, dialog: Dialog) -> None:
        """Nothing to do."""

    def kept(self, dialog: Dialog) -> Wait[None] | None:
        """Nothing to wait for."""
        return None


class Store:
    """Writes rows: each change at once, or what has changed whenever `write` is called."""

    def __init__(self, database: Database, table: TableSql, services: Services, *, at_once: bool) -> None:
        self._database = database
        self._table = table
        self._writer = database.writer
        self._services = services
        self._log = services.log
        self._at_once = at_once
        self._dirty: dict[Dialog, None] = {}
        self._waits: dict[Dialog, Wait[None]] = {}
        self._under_way = 0
        self._retry: Timer | None = None
        self._is_timed = False
        self._is_short = False
        self._is_writing = False

    @property
    def unwritten(self) -> int:
        """How many dialogs are not in the table as they are now."""
        return len(self._dirty) + self._under_way

    def changed(self, dialog: Dialog) -> None:
        """Write it, now or later."""
        if self._at_once and self._retry is None:
            self._submit(dialog)
            self._flush_soon()
        else:
            self._dirty[dialog] = None

    def kept(self, dialog: Dialog) -> Wait[None] | None:
        """Resolved with the answer of the database to the last change, whatever that is."""
        return self._waits.get(dialog)

    def write(self) -> None:
        """Write what has changed, some at a time."""
        self._is_writing = True
        for dialog in list(islice(self._dirty, max(0, SLICE - self._under_way))):
            self._submit(dialog)
        self._writer.flush()

    def hand_over(self) -> None:
        """Give everything to the writer at once, which finishes it when it stops, and what changes from now on."""
        self._at_once = True
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        for dialog in list(self._dirty):
            self._submit(dialog)
        self._writer.flush()

    def _flush_soon(self) -> None:
        """What a burst of messages changes is handed over at its end, by the server or here."""
        if not self._is_timed:
            self._is_timed = True
            self._services.soon(self._flush)

    def _flush(self) -> None:
        self._is_timed = False
        self._writer.flush()

    # --- one row ------------------------------------------------------------------------------------------------

    def _submit(self, dialog: Dialog) -> None:
        self._dirty.pop(dialog, None)
        try:
            operation = self._operation(dialog)
        except Misfit as problem:
            self._log.error(
                "dialog", f"the dialog of {dialog.call_id} is not kept in the database: {problem}"
            )
            return
        except Unavailable:
            self._put_back(dialog)
            return
        if operation is None:
            return
        wait = self._waits[dialog] = Wait()
        done = partial(self._done, dialog, wait)
        self._under_way += 1
        try:
            self._writer.submit(dialog, (operation,), done)
        except Unavailable as error:
            done(error)

    def _operation(self, dialog: Dialog) -> Operation | None:
        """What makes the table right; raises Misfit, or Unavailable where no id can be had."""
        if dialog.state is State.ENDED:
            return None if dialog.row is None else delete(self._table, dialog.row)
        if dialog.row is None:
            id_ = self._database.next_id(self._table)
            operation = upsert(self._table, id_, dialog)
            dialog.row = id_
            return operation
        return upsert(self._table, dialog.row, dialog)

    def _done(self, dialog: Dialog, wait: Wait[None], error: DatabaseError | None) -> None:
        self._under_way -= 1
        if self._waits.get(dialog) is wait:
            del self._waits[dialog]
        if error is None:
            self._is_short = False
            if self._is_writing and not self._under_way and self._retry is None:
                self._go_on()
        else:
            self._writer.forgive(dialog)
            if isinstance(error, RowRefused):
                text = f"the dialog of {dialog.call_id} is not kept in the database: {error}"
                self._log.error("dialog", text)
            else:
                self._put_back(dialog, error)
        wait.resolve(None)

    def _put_back(self, dialog: Dialog, error: DatabaseError | None = None) -> None:
        """Try again later; what the dialog is then is written."""
        self._dirty[dialog] = None
        if not self._is_short:
            self._is_short = True
            why = f": {error}" if error is not None else ""
            self._log.warning("dialog", f"dialogs wait for the database, and are kept in memory{why}")
        if self._retry is None:
            self._retry = self._services.wheel.add(RETRY, self._again)

    def _go_on(self) -> None:
        """The next part of what `write` began."""
        if self._dirty:
            self.write()
        else:
            self._is_writing = False

    def _again(self) -> None:
        self._retry = None
        self.write()
