"""One table of contacts, as one server knows it (openser 1.3: a `udomain`).

Rules:
1. What is there is kept by `mode`, which calls `apply` when a change holds.
2. A contact leaves when it expires, by the deadline of its record: nothing looks through everything.
3. Watchers are told of each contact when the change holds, in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from typing import Protocol, TypeAlias

from openpy.db.errors import DatabaseError, Unavailable
from openpy.engine.deadlines import STEP, Deadlines
from openpy.engine.services import Services
from openpy.modules.usrloc.contacts import Contact, Contacts, Rules, alive, in_order
from openpy.modules.usrloc.record import NEVER, Committed, Record

SLICE = 128
"""Records that are looked at before messages are read again."""

RETRY = 1.0
"""Seconds after which a record is looked at again whose contacts could not be ended."""


class Happening(Enum):
    """What can happen to a contact."""

    INSERTED = "insert"
    UPDATED = "update"
    DELETED = "delete"
    EXPIRED = "expire"


Watcher: TypeAlias = Callable[[Happening, str, Contact], None]
"""watcher(happening, aor, contact)"""

Take: TypeAlias = Callable[[Iterator[Contact], int], None]
"""take(contacts, count): contacts that are looked for as they are asked for, and about how many they are."""


class Mode(Protocol):
    """How contacts are kept (`db_mode`)."""

    @property
    def waits(self) -> bool:
        """Whether a change holds only later."""
        ...

    def new_id(self) -> int:
        """The id of a new contact; raises Unavailable."""
        ...

    def change(self, record: Record, contacts: Contacts) -> Committed | None:
        """Make an AoR have other contacts; None: it has them now. Raises Misfit, and then nothing is changed."""
        ...

    def flush(self) -> None:
        """Hand over what was changed; to be called where no burst of messages ends."""
        ...


class Domain:
    """A table. It serves once it is `ready`."""

    is_remote = False
    """Whether an AoR has to be held while it is changed, and read when it is looked up: memory does not have it."""

    def __init__(self, services: Services, name: str, rules: Rules, watchers: list[Watcher]) -> None:
        self.name = name
        self.rules = rules
        self.ready = False
        self.records: dict[str, Record] = {}
        self.users = 0
        self.contacts = 0
        self.expired = 0
        self.mode: Mode
        self._services = services
        self._watchers = watchers
        self._monotonic = services.clock.monotonic
        self._epoch = services.clock.wall() - self._monotonic()
        self._deadlines: Deadlines[Record] = Deadlines(self._epoch + self._monotonic())
        self._running = False
        self._working = False
        self._uncommitted = 0

    def now(self) -> int:
        """Unix time in seconds; a jump of the wall clock ends nothing."""
        return int(self._epoch + self._monotonic())

    # --- reading ------------------------------------------------------------------------------------------------

    def standing(self, aor: str) -> Contacts:
        """The contacts that an AoR will have once everything outstanding is committed."""
        record = self.records.get(aor)
        return () if record is None else record.tentative

    def of(self, aor: str) -> Contacts:
        """The contacts that an AoR has; some may have expired just now."""
        record = self.records.get(aor)
        return () if record is None else record.contacts

    def all(self) -> Iterator[tuple[str, Contact]]:
        """Every contact with its AoR."""
        for record in self.records.values():
            for contact in record.contacts:
                yield record.aor, contact

    def portion(self, number: int, of: int, take: Take) -> None:
        """Give `take` the contacts that can be used whose id leaves this remainder; `of` is a power of 2.

        So each is seen once in `of` calls, whatever comes and goes meanwhile. Where they cannot be had now none is
        given.
        """
        records = list(self.records.values())
        take(self._portion(records, number, of - 1), len(records) // of + 1)

    def _portion(self, records: list[Record], number: int, mask: int) -> Iterator[Contact]:
        for record in records:
            for contact in record.contacts:
                if contact.id & mask == number and contact.is_valid(self.now()):
                    yield contact

    async def read(self, aor: str) -> Contacts:
        """As `of`, wherever the contacts are; raises DatabaseError, also where they are not loaded yet."""
        self._check_ready()
        return self.of(aor)

    async def hold(self, aor: str) -> None:
        """Have an AoR in memory until it is released; raises DatabaseError."""
        self._check_ready()

    def release(self, aor: str) -> None:
        """It was held, and is not needed any more."""

    # --- changing -----------------------------------------------------------------------------------------------

    def change(self, aor: str, contacts: Contacts) -> Committed | None:
        """Let an AoR have other contacts; None: it has them now, else what to wait for.

        Raises Unavailable where nothing is kept yet, Misfit for a value that no row takes; then nothing is changed.
        """
        self._check_ready()
        record = self.records.get(aor)
        if record is None:
            if not contacts:
                return None
            record = self.records[aor] = Record(aor)
        try:
            return self.mode.change(record, contacts)
        finally:
            if not record.contacts:
                self.let_go(record)

    def _check_ready(self) -> None:
        if not self.ready:
            raise Unavailable(f"the contacts of {self.name} are not loaded yet")

    def apply(self, record: Record, contacts: Contacts) -> None:
        """A change holds."""
        before = record.contacts
        record.contacts = contacts
        self.contacts += len(contacts) - len(before)
        self.users += bool(contacts) - bool(before)
        # one that had expired may have given way to another
        has_expired = record.expires <= self._epoch + self._monotonic()
        if self._watchers or has_expired or len(contacts) < len(before):
            self._tell(record.aor, before, contacts)
        record.expires = record.first_expiry()
        if record.expires != NEVER:
            self._deadlines.put(record)

    def take(self, aor: str, contact: Contact) -> None:
        """A contact was read from its row."""
        record = self.records.get(aor)
        if record is None:
            record = self.records[aor] = Record(aor)
            self.users += 1
        record.contacts = record.tentative = in_order((*record.contacts, contact), self.rules)
        self.contacts += 1
        record.expires = record.first_expiry()
        if record.expires != NEVER:
            self._deadlines.put(record)

    def forget(self) -> None:
        """Forget everything: what was read has to be read again."""
        self.records.clear()
        self.users = self.contacts = 0
        self._deadlines = Deadlines(self._epoch + self._monotonic())

    def let_go(self, record: Record) -> None:
        """Forget a record of which nothing is known."""
        if record.is_idle and self.records.get(record.aor) is record:
            del self.records[record.aor]
            self._deadlines.remove(record)

    def _tell(self, aor: str, before: Contacts, after: Contacts) -> None:
        now = self.now()
        known = {contact.id: contact for contact in before}
        for contact in after:
            old = known.pop(contact.id, None)
            if old is not contact:
                self._happened(Happening.INSERTED if old is None else Happening.UPDATED, aor, contact)
        for contact in known.values():
            if contact.is_valid(now):
                self._happened(Happening.DELETED, aor, contact)
            else:
                self.expired += 1
                self._happened(Happening.EXPIRED, aor, contact)

    def _happened(self, happening: Happening, aor: str, contact: Contact) -> None:
        for watcher in self._watchers:
            watcher(happening, aor, contact)

    # --- expiry ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Watch the deadlines from now on."""
        self._running = True
        self._step()

    def halt(self) -> None:
        """End nothing any more."""
        self._running = False

    def _step(self) -> None:
        if self._running:
            self._services.wheel.add(STEP, self._step)
            if not self._working:
                self._look()

    def _look(self) -> None:
        """End the next slice of what is due. The one after follows when it is committed, and messages were read."""
        now = self._epoch + self._monotonic()
        due = self._deadlines.due(now, SLICE) if self._running else []
        self._working = bool(due) or (self._running and self._deadlines.behind)
        if not self._working:
            return
        waits = []
        for record in due:
            if record.outstanding or record.broken:
                self._deadlines.put(record, now + RETRY)
                continue
            committed = self.change(record.aor, alive(record.contacts, now))
            if committed is not None:
                waits.append((record, committed))
        self._uncommitted = len(waits) + 1
        for record, committed in waits:
            committed.on_done(partial(self._ended, record, committed))
        self.mode.flush()
        self._ended(None, None)

    def _ended(self, record: Record | None, committed: Committed | None) -> None:
        if record is not None and committed is not None and isinstance(committed.value, DatabaseError):
            self._deadlines.put(record, self._epoch + self._monotonic() + RETRY)
        self._uncommitted -= 1
        if not self._uncommitted:
            self._services.soon(self._look)
