"""One address-of-record, and the queue through which everything that changes it passes.

Rules:
1. Decide, commit, apply. A change is decided against `tentative`, what the AoR will be once everything outstanding is
   committed; it becomes `contacts`, what the AoR is, when its rows are. So REGISTERs that overlap count in their order.
2. When a write is refused, what was decided after it is undone too, and nothing is decided until every outstanding
   write has its answer. Where the database refused one row only, what was undone may be decided again (`Undone`).
3. Where nobody knows whether rows were written, or a row has gone, nothing is decided until those rows are as
   `contacts` has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from openpy.db.errors import DatabaseError
from openpy.db.statements import Operation
from openpy.engine.waiting import Wait
from openpy.modules.usrloc.contacts import PERMANENT, Contacts

Committed: TypeAlias = Wait[DatabaseError | None]
"""Resolved with None when a change is applied, or with the error that refused it."""

NEVER = float("inf")


class Undone(DatabaseError):
    """A change was decided on another one that came to nothing: it may be decided again, now."""


class Record:
    """An AoR. `expires` is when the first of its contacts runs out, `bucket` belongs to the deadlines.

    `readers` counts who needs it although it may be empty (db_mode 3).
    """

    __slots__ = (
        "aor",
        "broken",
        "bucket",
        "contacts",
        "expires",
        "lost",
        "outstanding",
        "readers",
        "tentative",
        "undone",
    )

    def __init__(self, aor: str, contacts: Contacts = ()) -> None:
        self.aor = aor
        self.contacts = contacts
        self.tentative = contacts
        self.outstanding = 0
        self.broken = False
        self.lost: Sequence[Operation] = ()
        self.undone: list[Committed] | None = None
        self.expires = NEVER
        self.bucket = 0
        self.readers = 0

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to remember."""
        return not (self.contacts or self.outstanding or self.lost or self.readers)

    def first_expiry(self) -> float:
        """When the first contact runs out."""
        if len(self.contacts) == 1:
            return self.contacts[0].expires or NEVER
        times = [contact.expires for contact in self.contacts if contact.expires != PERMANENT]
        return min(times) if times else NEVER
