"""The rows of messages that are kept.

Rules:
1. Whoever is answered waits for the commit, which is shared with others.
2. Rows are read a few at a time, in the order in which they were written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import count

from openpy.db.database import Database
from openpy.db.errors import DatabaseError, Unavailable
from openpy.db.statements import Change, Delete, Insert
from openpy.db.tables import with_columns
from openpy.engine.lookups import Lookups, Row
from openpy.engine.run import Overloaded, Run
from openpy.engine.waiting import Wait
from openpy.modules.msilo.messages import Message, NotKept, Owner, Stored, content_types
from openpy.modules.msilo.tables import COLUMNS, Silo

SLICE = 8
"""Messages that are read at once: 0.5 MB at most, as a body has 64 KiB."""

LONGEST_BODY = 65535
"""Bytes that MySQL's BLOB holds."""

SWEPT = 1000
"""Expired rows that are deleted at once."""


class Store:
    """The table of one module; `names` are those of its columns by 1.3's names."""

    def __init__(self, database: Database, lookups: Lookups, table: str, names: Mapping[str, str]) -> None:
        """Check (or make) the table; raises DatabaseError."""
        self._writer = database.writer
        self._lookups = lookups
        self._table = database.use(with_columns(Silo, table, names))
        self._numbers = count()
        dialect = database.dialect
        column = {name: dialect.quote(names.get(name, name)) for name in COLUMNS}
        mark, table_name = dialect.placeholder, dialect.quote(table)
        read = f"SELECT id, {', '.join(column[name] for name in COLUMNS)} FROM {table_name} WHERE"
        whose = f"{column['username']} = {mark} AND {column['domain']} = {mark}"
        alive = f"{column['exp_time']} > {mark} AND id > {mark} ORDER BY id LIMIT {SLICE}"
        self._of = f"{read} {whose} AND {alive}"
        self._at_once = f"{read} {whose} AND {column['snd_time']} = 0 AND {alive}"
        self._due = f"{read} {column['snd_time']} > 0 AND {column['snd_time']} <= {mark} AND {alive}"
        self._count = f"SELECT count(*) FROM {table_name} WHERE {whose}"
        self._expired = f"SELECT id FROM {table_name} WHERE {column['exp_time']} <= {mark} LIMIT {SWEPT}"

    # --- writing ------------------------------------------------------------------------------------------------

    async def keep(self, run: Run, message: Message) -> None:
        """Write a message: it is committed then. Raises NotKept, or DatabaseError."""
        insert = Insert(self._table, self._fitting(message))
        try:
            run.hold()
        except Overloaded:
            raise Unavailable("no further request can be held") from None
        await self._commit([insert])

    async def delete(self, ids: Iterable[int]) -> None:
        """Delete rows; those that are gone are as good. Raises DatabaseError."""
        await self._commit([Delete(self._table, id_) for id_ in ids])

    def _fitting(self, message: Message) -> Row:
        """The row of a message; raises NotKept for what no column takes."""
        if len(message.body) > LONGEST_BODY:
            raise NotKept(f"the body has more than {LONGEST_BODY} bytes")
        misfit: str | None = None
        for content_type in content_types(message.content_type):
            values = _values(message._replace(content_type=content_type))
            misfit = self._table.misfit(values)
            if misfit is None:
                return values
        raise NotKept(f"it does not fit column {misfit} of {self._table.name}")

    async def _commit(self, operations: Sequence[Change]) -> None:
        key = self._table.name, next(self._numbers)
        answer: Wait[DatabaseError | None] = Wait()
        self._writer.submit(key, operations, partial(self._answered, key, answer))
        self._writer.flush()
        if (error := await answer) is not None:
            raise error

    def _answered(
        self, key: tuple[str, int], answer: Wait[DatabaseError | None], error: DatabaseError | None
    ) -> None:
        if error is not None:
            self._writer.forgive(key)
        answer.resolve(error)

    # --- reading: all raise DatabaseError -----------------------------------------------------------------------

    async def of(self, owner: Owner, now: int, after: int, *, with_reminders: bool) -> list[Stored]:
        """The first of an owner's messages whose id is greater; those that have expired are left out."""
        sql = self._of if with_reminders else self._at_once
        return _read(await self._lookups.rows(sql, *owner, now, after))

    async def due(self, now: int, after: int) -> list[Stored]:
        """The first reminders that are due, whose id is greater."""
        return _read(await self._lookups.rows(self._due, now, now, after))

    async def count(self, run: Run, owner: Owner) -> int:
        """How many messages of an owner there are."""
        rows = await self._lookups.ask(run, self._count, *owner)
        return int(rows[0][0]) if rows else 0

    async def expired(self, now: int) -> list[int]:
        """The first rows that nobody wants any more."""
        return [id_ for (id_,) in await self._lookups.rows(self._expired, now)]


def _values(message: Message) -> Row:
    """The row of a message, as `COLUMNS` has it."""
    sender, recipient, owner, *times, content_type, body = message
    return (sender, recipient, *owner, *times, content_type, body)


def _read(rows: Iterable[Row]) -> list[Stored]:
    found = []
    for id_, sender, recipient, user, domain, stored, expires, due, content_type, body in rows:
        octets = body.encode() if isinstance(body, str) else bytes(body or b"")
        owner = Owner(user, domain)
        found.append(
            Stored(id_, Message(sender, recipient, owner, stored, expires, due, content_type, octets))
        )
    return found
