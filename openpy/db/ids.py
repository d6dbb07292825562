"""Row ids for a database that several servers write to: given out in blocks that are reserved in the database.

Rules:
1. A block is reserved by an UPDATE that takes effect only if nobody reserved one meanwhile, so no two servers have
   an id in common. What a server has left of its block when it ends is lost.
2. The next block is asked for, in a thread of its own, when half of one is used.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from functools import partial

import peewee

from openpy.db.dialect import Connection, Dialect, fetch
from openpy.db.errors import DatabaseError, RowRefused, Unavailable
from openpy.db.tables import Table, name_of
from openpy.db.threads import THREADS, Threads

__all__ = ["BLOCK", "IdBlocks", "SharedIds"]

logger = logging.getLogger(__name__)

BLOCK = 10_000
"""Ids that are reserved at once. Ids of OpenSER's tables have 31 bits: enough for two hundred thousand blocks."""


class IdBlocks(Table):
    """Up to where the ids of each table are reserved."""

    table_version = 1

    name = peewee.CharField(64)
    next_id = peewee.IntegerField()

    class Meta:
        """A table that OpenSER does not have."""

        table_name = "openpy_ids"
        indexes = ((("name",), True),)


class SharedIds:
    """The ids of the tables of one database. `post(fn)` runs `fn` in the loop's thread."""

    def __init__(
        self,
        dialect: Dialect,
        connect: Callable[[], Connection],
        post: Callable[[Callable[[], None]], None],
        threads: Threads = THREADS,
    ) -> None:
        self._dialect = dialect
        self._connect = connect
        self._post = post
        self._threads = threads
        self._blocks: dict[str, list[range]] = {}
        self._next: dict[str, int] = {}
        self._asked: set[str] = set()

    def lacks(self, name: str) -> bool:
        """Whether a table has no block yet."""
        return name not in self._blocks

    def add(self, name: str, block: range) -> None:
        """Give out the ids of one more block."""
        self._asked.discard(name)
        blocks = self._blocks.setdefault(name, [])
        blocks.append(block)
        if len(blocks) == 1:
            self._next[name] = block.start

    def next(self, name: str) -> int:
        """An id that no row of the table has had; raises Unavailable if no block is left."""
        blocks = self._blocks.get(name)
        if not blocks:
            raise Unavailable(f"no ids of table {name} are reserved")
        block, id_ = blocks[0], self._next[name]
        if id_ == block.stop and len(blocks) > 1:
            del blocks[0]
            block = blocks[0]
            id_ = block.start
        if block.stop - id_ <= BLOCK // 2 and len(blocks) == 1:
            self._ask(name)
        if id_ == block.stop:
            raise Unavailable(f"all reserved ids of table {name} are used")
        self._next[name] = id_ + 1
        return id_

    def skip(self, name: str, id_: int) -> None:
        """Do not give out an id, nor any before it, that is in the block which is being used."""
        blocks = self._blocks.get(name)
        if blocks and self._next[name] <= id_ < blocks[0].stop:
            self._next[name] = id_ + 1

    def reserve(self, connection: Connection, name: str, floor: int) -> range:
        """Reserve a block of ids above `floor`. Blocks; raises what the driver raises."""
        quote, mark = self._dialect.quote, self._dialect.placeholder
        blocks = quote(name_of(IdBlocks))
        reserve = (
            f"UPDATE {blocks} SET {quote('next_id')} = {mark} "
            f"WHERE {quote('name')} = {mark} AND {quote('next_id')} = {mark}"
        )
        ask = f"SELECT {quote('next_id')} FROM {blocks} WHERE {quote('name')} = {mark}"
        insert = f"INSERT INTO {blocks} ({quote('name')}, {quote('next_id')}) VALUES ({mark}, {mark})"
        while True:
            found = fetch(connection, ask, (name,))
            if not found:
                self._insert(connection, insert, name)
                continue
            reserved = found[0][0]
            first = max(reserved, floor + 1)
            if _changes(connection, reserve, (first + BLOCK, name, reserved)):
                return range(first, first + BLOCK)

    def _insert(self, connection: Connection, insert: str, name: str) -> None:
        try:
            _changes(connection, insert, (name, 1))
        except Exception as exception:
            error = self._dialect.explain(exception)
            if not isinstance(error, RowRefused):
                raise error from exception
            logger.debug("another server was first to reserve ids of %s", name)

    def _ask(self, name: str) -> None:
        if name not in self._asked:
            self._asked.add(name)
            self._threads.repeat("database ids", partial(self._fetch, name))

    def _fetch(self, name: str) -> None:
        """The thread: one block more."""
        try:
            with self._dialect.explained(), closing(self._connect()) as connection:
                block = self.reserve(connection, name, 0)
        except DatabaseError as error:
            logger.warning("no ids of table %s could be reserved: %s", name, error)
            self._post(partial(self._asked.discard, name))
        else:
            self._post(partial(self.add, name, block))


def _changes(connection: Connection, sql: str, parameters: tuple[int | str, ...]) -> int:
    """How many rows a statement changes."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql, parameters)
        return cursor.rowcount
    finally:
        cursor.close()
