"""How contacts are kept: in memory, and in rows that are written before a change counts (`db_mode` 0, 1 and 3).

Write-back (`db_mode` 2) is in writeback.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count

from openpy.db.errors import DatabaseError, OutcomeUnknown, RowGone, RowRefused, Unavailable
from openpy.db.statements import Operation
from openpy.engine.waiting import Wait
from openpy.modules.usrloc.contacts import MEMORY_ONLY, Contacts
from openpy.modules.usrloc.record import Committed, Record, Undone
from openpy.modules.usrloc.rows import Rows

Apply = Callable[[Record, Contacts], None]

REPAIR_AFTER = 1.0
"""Seconds between two attempts to write rows whose fate is unknown."""


class InMemory:
    """Nothing is kept: a change holds at once."""

    waits = False

    def __init__(self, apply: Apply) -> None:
        self._apply = apply
        self._ids = count(1)

    def new_id(self) -> int:
        """The id of a new contact."""
        return next(self._ids)

    def change(self, record: Record, contacts: Contacts) -> None:
        """Make an AoR have other contacts."""
        record.tentative = contacts
        self._apply(record, contacts)

    def flush(self) -> None:
        """There is nothing to hand over."""


class WriteThrough:
    """A change holds when it is committed, with many others in one transaction."""

    waits = True

    def __init__(
        self,
        rows: Rows,
        apply: Apply,
        let_go: Callable[[Record], None],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        """`let_go(record)` hears that nothing is outstanding; `later(seconds, callback)` calls back."""
        self.rows = rows
        self._apply = apply
        self._let_go = let_go
        self._later = later

    def new_id(self) -> int:
        """The id of a new contact; raises Unavailable."""
        return self.rows.new_id()

    def flush(self) -> None:
        """Hand over what was submitted."""
        self.rows.writer.flush()

    def change(self, record: Record, contacts: Contacts) -> Committed | None:
        """Commit and apply a change that was decided against the tentative state; None: nothing changes.

        Raises Misfit.
        """
        wait: Committed = Wait()
        if record.broken:
            self._refuse(record, wait, Unavailable("an earlier change of this user was refused"))
            return wait
        if contacts is record.contacts and not record.outstanding:
            return None
        operations = self.rows.difference(record.aor, record.tentative, contacts)
        record.tentative = contacts
        if not operations and not record.outstanding:  # nothing that has a row: it needs no database
            self._apply(record, contacts)
            return None
        self._submit(record, operations, partial(self._answered, record, contacts, operations, wait))
        return wait

    def _submit(
        self, record: Record, operations: Sequence[Operation], done: Callable[[DatabaseError | None], None]
    ) -> None:
        record.outstanding += 1
        try:
            self.rows.writer.submit(record, operations, done)
        except Unavailable as error:
            done(error)

    def _answered(
        self,
        record: Record,
        contacts: Contacts,
        operations: Sequence[Operation],
        wait: Committed,
        error: DatabaseError | None,
    ) -> None:
        record.outstanding -= 1
        if error is None:
            self._apply(record, contacts)
            wait.resolve(None)
        else:
            self._failed(record, operations, wait, error)
        if not record.outstanding:
            if record.broken:
                self._mend(record)
            self._let_go(record)

    # --- what was refused -----------------------------------------------------------------------------------------

    def _failed(
        self, record: Record, operations: Sequence[Operation], wait: Committed, error: DatabaseError
    ) -> None:
        if isinstance(error, OutcomeUnknown | RowGone):
            record.lost = (*record.lost, *operations)
        if record.broken:
            self._refuse(record, wait, error)
            return
        record.broken = True
        if isinstance(
            error, RowGone
        ):  # somebody else deleted it: it is made again, and then all are decided again
            record.undone = [wait]
        else:
            record.undone = [] if isinstance(error, RowRefused) and not record.lost else None
            wait.resolve(error)

    def _refuse(self, record: Record, wait: Committed, error: DatabaseError) -> None:
        if record.undone is None:
            wait.resolve(error)
        else:
            record.undone.append(wait)

    def _mend(self, record: Record) -> None:
        """Every write has its answer: the tentative state is dropped, and decisions count again."""
        record.tentative = record.contacts
        self.rows.writer.forgive(record)
        if record.lost:
            self._repair(record)
        else:
            self._whole_again(record)

    def _whole_again(self, record: Record) -> None:
        record.broken = False
        undone, record.undone = record.undone or (), None
        for wait in undone:
            wait.resolve(Undone("an earlier change of this user was refused"))

    def _repair(self, record: Record) -> None:
        """Write the rows whose fate is unknown as they should be; nothing else is decided meanwhile."""
        kept = {contact.id: contact for contact in record.contacts if not contact.flags & MEMORY_ONLY}
        ids = dict.fromkeys(operation.id for operation in record.lost)
        operations: list[Operation] = [
            self.rows.whole(record.aor, kept[id_]) if id_ in kept else self.rows.delete(id_) for id_ in ids
        ]
        self._submit(record, operations, partial(self._repaired, record))
        self.flush()

    def _repaired(self, record: Record, error: DatabaseError | None) -> None:
        record.outstanding -= 1
        if error is None:
            record.lost = ()
            self._whole_again(record)
            self._let_go(record)
            return
        self.rows.writer.forgive(record)
        undone, record.undone = record.undone or (), None
        for wait in undone:
            wait.resolve(error)
        self._later(REPAIR_AFTER, partial(self._repair, record))
