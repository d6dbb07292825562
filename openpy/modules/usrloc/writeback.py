"""Rows that are written by a timer, and at the end (`db_mode` 2).

Rules:
1. A change holds at once. What is not written when the server is killed is lost: `db_mode` 1 is for those who mind.
2. Of each contact only the last state is written, whatever it went through meanwhile.
3. What could not be written is tried again with the next flush; what the database refused, row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice

from openpy.db.errors import DatabaseError, Unavailable
from openpy.db.statements import Operation
from openpy.engine.waiting import Wait
from openpy.modules.usrloc.contacts import MEMORY_ONLY, Contact, Contacts
from openpy.modules.usrloc.modes import Apply
from openpy.modules.usrloc.record import Record
from openpy.modules.usrloc.rows import Rows

CHUNK = 100
"""Rows that stand or fall together."""

SLICE = 1000
"""Rows that are handed over before messages are read again."""

Dirty = dict[int, tuple[str, Contact | None]]
"""By id: the AoR, and the contact whose row is to be written, or None to delete it."""


class WriteBack:
    """A change holds at once, and is written later."""

    waits = False

    def __init__(
        self,
        rows: Rows,
        apply: Apply,
        soon: Callable[[Callable[[], None]], None],
        warn: Callable[[str], None],
    ) -> None:
        """`soon` calls back after what has arrived was read; `warn` tells of what could not be written."""
        self.rows = rows
        self._apply = apply
        self._soon = soon
        self._warn = warn
        self._dirty: Dirty = {}
        self._unwritten: set[int] = set()
        self._failed: Dirty = {}
        self._refused: set[int] = set()
        self._waiting: list[Wait[None]] = []
        self._outstanding = 0

    def new_id(self) -> int:
        """The id of a new contact; raises Unavailable."""
        return self.rows.new_id()

    def flush(self) -> None:
        """Nothing waits."""

    def change(self, record: Record, contacts: Contacts) -> None:
        """Make an AoR have other contacts; raises Misfit."""
        aor, before = record.aor, record.contacts
        self.rows.difference(aor, before, contacts)  # whether every row can be written
        known = {contact.id: contact for contact in before}
        for contact in contacts:
            old = known.pop(contact.id, None)
            if old is None and not contact.flags & MEMORY_ONLY:
                self._unwritten.add(contact.id)
            if old is not contact:
                self._mark(aor, old, contact)
        for contact in known.values():
            self._mark(aor, contact, None)
        record.tentative = contacts
        self._apply(record, contacts)

    def state_of(self, contact: Contact) -> str:
        """1.3's word for how a contact stands to its row."""
        if contact.id in self._unwritten:
            return "CS_NEW"
        return "CS_DIRTY" if contact.id in self._dirty else "CS_SYNC"

    def _mark(self, aor: str, old: Contact | None, contact: Contact | None) -> None:
        if contact is not None and not contact.flags & MEMORY_ONLY:
            self._dirty[contact.id] = aor, contact
            self._failed.pop(contact.id, None)  # an earlier state: it must not be written over this one
        elif old is not None and not old.flags & MEMORY_ONLY:
            self._unwritten.discard(old.id)
            self._dirty[old.id] = aor, None
            self._failed.pop(old.id, None)

    # --- writing ------------------------------------------------------------------------------------------------

    def write(self) -> Wait[None]:
        """Write everything; resolved when all of it was tried."""
        wait: Wait[None] = Wait()
        self._waiting.append(wait)
        self._go_on()
        return wait

    def hand_over(self) -> None:
        """Give everything to the writer at once, which finishes it when it stops."""
        self._dirty, self._failed = self._failed | self._dirty, {}
        while self._dirty:
            self._submit_slice()
        self.rows.writer.flush()

    def _go_on(self) -> None:
        """Hand over the next slice once the one before is committed."""
        if self._outstanding:
            return
        if self._dirty:
            self._submit_slice()
            self.rows.writer.flush()
            return
        if self._failed:
            self._warn(f"{len(self._failed)} contacts could not be written, and will be tried again")
            self._dirty, self._failed = self._failed, {}
        waiting, self._waiting = self._waiting, []
        for wait in waiting:
            wait.resolve(None)

    def _submit_slice(self) -> None:
        taken = list(islice(self._dirty.items(), SLICE))
        for id_, _ in taken:
            del self._dirty[id_]
        alone = [{id_: item} for id_, item in taken if id_ in self._refused]
        others = [each for each in taken if each[0] not in self._refused]
        chunks = alone + [dict(others[at : at + CHUNK]) for at in range(0, len(others), CHUNK)]
        self._outstanding += len(chunks)
        for chunk in chunks:
            operations: list[Operation] = [
                self.rows.delete(id_) if contact is None else self.rows.whole(aor, contact)
                for id_, (aor, contact) in chunk.items()
            ]
            key = object()  # of its own: no chunk is refused because another was
            done = partial(self._written, key, chunk)
            try:
                self.rows.writer.submit(key, operations, done)
            except Unavailable as error:
                done(error)

    def _written(self, key: object, chunk: Dirty, error: DatabaseError | None) -> None:
        self._outstanding -= 1
        if error is None:
            self._unwritten.difference_update(chunk)
            self._refused.difference_update(chunk)
        else:
            self.rows.writer.forgive(key)
            self._failed |= {id_: item for id_, item in chunk.items() if id_ not in self._dirty}
            if not isinstance(error, Unavailable):
                self._refused.update(chunk)
        if not self._outstanding:
            self._soon(self._go_on)
