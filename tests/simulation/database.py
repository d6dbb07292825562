"""A database that outlives the server: real SQL on a real SQLite in memory, behind connections that fail.

Rules:
1. There is one SQLite. A connection to it is ours: it takes time, is refused, gets lost, or leaves it open whether its
   COMMIT was done.
2. What was committed stays; a transaction ends with the connection, or the process, that began it.
3. Rows of a user whose name begins with `refused` are refused by the table itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from openpy.db.dialect import PATIENCE, Connection
from openpy.db.errors import OutcomeUnknown, Unavailable
from openpy.db.tables import ddl
from openpy.db.url import DatabaseUrl, parse_url
from openpy.modules.presence.tables import TABLES
from openpy.modules.sqlite.dialect import DIALECT, SqliteDialect
from openpy.testing.world import World

URL = "sqlite:///simulated"


@dataclass
class Trouble:
    """How calls fare: probabilities for each call, and the time that one takes, in seconds."""

    latency: float = 0.001
    away: bool = False
    locked: float = 0.0
    lost: float = 0.0
    silent: float = 0.0
    unknown: float = 0.0


@cache
def _ddl() -> str:
    """The tables of presence, which refuse some rows."""
    triggers = [
        f"CREATE TRIGGER refuse_{table} BEFORE INSERT ON {table} WHEN NEW.{column} LIKE 'refused%' "
        "BEGIN SELECT RAISE(ABORT, 'refused by the table'); END;\n"
        for table, column in (("presentity", "username"), ("active_watchers", "watcher_username"))
    ]
    return ddl(DIALECT, TABLES) + "".join(triggers)


class SimulatedDatabase:
    """The one database of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.url: DatabaseUrl = parse_url(URL)
        self.trouble = Trouble()
        self.dialect = SimulatedDialect(self)
        self.chance = world.chance("database")
        self.sqlite = sqlite3.connect(":memory:", isolation_level=None)
        self.sqlite.executescript(_ddl())

    def close(self) -> None:
        """The end of the world."""
        self.sqlite.close()

    def rows(self, table: str) -> dict[int, tuple[Any, ...]]:
        """What is committed, by id."""
        return {row[0]: row for row in self.sqlite.execute(f"SELECT * FROM {table}")}

    def ask(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """A question of the one who watches, which takes no time and never fails."""
        return self.sqlite.execute(sql, parameters).fetchall()


class SimulatedDialect(SqliteDialect):
    """SQLite's SQL with the manners of a server."""

    alive: ClassVar[str] = "SELECT 1"

    def __init__(self, database: SimulatedDatabase) -> None:
        self._database = database

    def connect(self, url: DatabaseUrl, *, read_only: bool = False, patience: float = PATIENCE) -> Connection:
        connection = SimulatedConnection(self._database, patience)
        connection.call()
        return connection


class SimulatedConnection:
    """One connection, which can be lost."""

    def __init__(self, database: SimulatedDatabase, patience: float) -> None:
        self._database = database
        self._patience = patience
        self._lost = False

    def cursor(self) -> SimulatedCursor:
        return SimulatedCursor(self, self._database)

    def commit(self) -> None:
        """Commit; where the connection is lost in it, by chance or not."""
        sqlite, trouble, chance = self._database.sqlite, self._database.trouble, self._database.chance
        if self._hit(trouble.unknown):
            self._lost = True
            if sqlite.in_transaction:
                done = chance.random() < 0.5
                sqlite.execute("COMMIT" if done else "ROLLBACK")
                self._say(f"the connection is lost in a COMMIT that was {'' if done else 'not '}done")
            raise OutcomeUnknown("the connection was lost in COMMIT")
        self.call()
        if sqlite.in_transaction:
            sqlite.execute("COMMIT")

    def rollback(self) -> None:
        self.call()
        if self._database.sqlite.in_transaction:
            self._database.sqlite.execute("ROLLBACK")

    def close(self) -> None:
        """The server drops what this connection had open."""
        if not self._lost:
            self._lost = True
            self._drop()

    def call(self) -> None:
        """Ask the server for something: it takes time, and may fail."""
        database = self._database
        trouble, spend = database.trouble, database.world.spend
        if self._lost:
            raise Unavailable("the connection is lost")
        if trouble.away:
            self._lose()
            raise Unavailable("the server is away")
        spend(database.chance.uniform(0.2, 1.0) * trouble.latency)
        if self._hit(trouble.silent):
            spend(self._patience)
            self._lose()
            raise Unavailable("the server says nothing")
        if self._hit(trouble.lost):
            self._lose()
            raise Unavailable("the connection is lost")
        if self._hit(trouble.locked):
            spend(0.2)
            raise Unavailable("somebody else has locked the table")

    def _hit(self, probability: float) -> bool:
        return probability > 0 and self._database.chance.random() < probability

    def _lose(self) -> None:
        self._lost = True
        self._say("a connection is lost")
        self._drop()

    def _drop(self) -> None:
        if self._database.sqlite.in_transaction:
            self._database.sqlite.execute("ROLLBACK")

    def _say(self, text: str) -> None:
        self._database.world.say("database", text)


class SimulatedCursor:
    """A cursor of SQLite behind such a connection."""

    def __init__(self, connection: SimulatedConnection, database: SimulatedDatabase) -> None:
        self._connection = connection
        self._cursor = database.sqlite.cursor()

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        self._connection.call()
        return self._cursor.execute(sql, parameters)

    def executemany(self, sql: str, rows: Any, /) -> Any:
        self._connection.call()
        return self._cursor.executemany(sql, rows)

    def fetchall(self) -> Sequence[Any]:
        return self._cursor.fetchall()

    def fetchmany(self, size: int = 1, /) -> Sequence[Any]:
        return self._cursor.fetchmany(size)

    def close(self) -> None:
        self._cursor.close()
