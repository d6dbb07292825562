"""A table of contacts that memory does not have (`db_mode` 3): other servers may write to it too.

Rules:
1. What is looked up is read each time.
2. An AoR is in memory while somebody changes it: then it is what this server knows, and changes of it pass one queue.
3. Whoever wants an AoR that is being read waits for that query, so that all decide on the same.
4. What has expired is deleted by a timer, a while later. Nothing else refreshes such a row: a REGISTER makes another
   one. A refresh that came before the end is committed by then, so no sweep deletes what it has made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from openpy.db.dialect import Row
from openpy.db.errors import DatabaseError, Unavailable
from openpy.db.reader import Answer
from openpy.engine.services import Services
from openpy.engine.waiting import Wait
from openpy.modules.usrloc.contacts import Contact, Contacts, Rules, in_order
from openpy.modules.usrloc.domain import Domain, Take, Watcher
from openpy.modules.usrloc.record import Record
from openpy.modules.usrloc.rows import Rows

CHUNK = 100
"""Expired rows that are deleted together."""

GRACE = 10
"""Seconds for which a row stays that has expired: longer than a commit may take, or clocks of servers may differ."""


class RemoteDomain(Domain):
    """A table in a database, read when it is needed."""

    is_remote = True

    def __init__(
        self,
        services: Services,
        name: str,
        rules: Rules,
        watchers: list[Watcher],
        rows: Rows,
        period: float,
    ) -> None:
        """`period` is the time between two sweeps, in seconds."""
        super().__init__(services, name, rules, watchers)
        self.rows = rows
        self._period = period
        self._loading: dict[str, list[Wait[None]]] = {}

    async def read(self, aor: str) -> Contacts:
        """The contacts as the database has them; raises DatabaseError."""
        answer: Wait[Contacts] = Wait()
        self._query(aor, partial(self._answer, answer))
        return await answer

    async def hold(self, aor: str) -> None:
        """Have an AoR in memory until it is released; raises DatabaseError."""
        record = self.records.get(aor)
        if record is not None:
            record.readers += 1
            return
        loaded: Wait[None] = Wait()
        if aor in self._loading:
            self._loading[aor].append(loaded)
        else:
            self._loading[aor] = [loaded]
            try:
                self._query(aor, partial(self._loaded, aor))
            except Unavailable:
                del self._loading[aor]
                raise
        await loaded

    def portion(self, number: int, of: int, take: Take) -> None:
        """Give `take` the contacts of one share of the rows, once they are read (see Domain)."""

        def read(rows: list[Row], error: DatabaseError | None) -> None:
            if error is None:
                take(self._usable(rows), len(rows))
            else:
                self._services.log.warning("usrloc", f"the contacts of {self.name} cannot be read: {error}")

        if self.ready:
            with suppress(Unavailable):  # the server stops
                self.rows.database.reader.query(self.rows.portion_query(number, of), (), read)

    def _usable(self, rows: list[Row]) -> Iterator[Contact]:
        for row in rows:
            found = self.rows.read(row)
            if found is not None and found[1].is_valid(self.now()):
                yield found[1]

    def release(self, aor: str) -> None:
        """It was held, and is not needed any more."""
        record = self.records[aor]
        record.readers -= 1
        self.let_go(record)

    def apply(self, record: Record, contacts: Contacts) -> None:
        """A change holds."""
        before, record.contacts = record.contacts, contacts
        self._tell(record.aor, before, contacts)

    def let_go(self, record: Record) -> None:
        """Forget a record that nobody changes."""
        if not (record.readers or record.outstanding or record.lost):
            self.records.pop(record.aor, None)

    # --- the database -----------------------------------------------------------------------------------------------

    def _query(self, aor: str, done: Answer) -> None:
        if not self.ready:
            raise Unavailable(f"the table {self.name} is not ready yet")
        sql, values = self.rows.query(aor)
        self.rows.database.reader.query(sql, values, done)

    def _contacts(self, rows: list[Row]) -> Contacts:
        found = (self.rows.read(row) for row in sorted(rows, key=lambda row: int(row[0])))
        return in_order(tuple(item[1] for item in found if item is not None), self.rules)

    def _answer(self, answer: Wait[Contacts], rows: list[Row], error: DatabaseError | None) -> None:
        if error is None:
            answer.resolve(self._contacts(rows))
        else:
            answer.fail(error)

    def _loaded(self, aor: str, rows: list[Row], error: DatabaseError | None) -> None:
        waiting = self._loading.pop(aor)
        if error is None:
            record = self.records[aor] = Record(aor, self._contacts(rows))
            record.readers = len(waiting)
        for wait in waiting:
            if error is None:
                wait.resolve(None)
            else:
                wait.fail(error)
        self.mode.flush()

    # --- the sweep ----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Delete what has expired, now and again after the period."""
        self._running = True
        self._sweep()

    def _sweep(self) -> None:
        if not self._running:
            return
        self._services.wheel.add(self._period, self._sweep)
        sql, values = self.rows.expired_query(self.now() - GRACE)
        try:
            self.rows.database.reader.query(sql, values, self._found)
        except Unavailable as error:
            self._services.log.warning("usrloc", f"no sweep of {self.name}: {error}")

    def _found(self, rows: list[Row], error: DatabaseError | None) -> None:
        for at in range(0, len(rows), CHUNK):
            operations = [self.rows.delete(id_) for (id_,) in rows[at : at + CHUNK]]
            try:
                self.rows.writer.submit(self, operations, self._swept)
            except Unavailable as failure:
                error = failure
        self.mode.flush()
        if error is not None:
            self._services.log.warning("usrloc", f"no sweep of {self.name}: {error}")

    def _swept(self, error: DatabaseError | None) -> None:
        if error is not None:
            self.rows.writer.forgive(self)
            self._services.log.warning("usrloc", f"no sweep of {self.name}: {error}")
