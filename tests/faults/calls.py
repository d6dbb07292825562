"""A database that fails at one call: every call to its driver is counted, and the n-th meets a fault.

Rules:
1. The calls are those of PEP 249: connect, execute, executemany, fetch, commit, rollback. What a driver says to its
   server to open a session is one connect.
2. A call that fails has no effect, but where the fault says that it came too late.
3. A process that dies leaves no connection behind: the database drops what they had open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from openpy.db.dialect import PATIENCE, Connection, Cursor, Dialect
from openpy.db.errors import OutcomeUnknown, RowRefused, Unavailable
from openpy.db.url import DatabaseUrl
from openpy.modules.mysql.dialect import MysqlDialect
from openpy.modules.postgres.dialect import PostgresDialect
from openpy.modules.sqlite.dialect import SqliteDialect
from tests.simulation.database import SimulatedDatabase, SimulatedDialect

T = TypeVar("T")

ANY = frozenset({"connect", "execute", "executemany", "fetch", "commit", "rollback"})


class Died(BaseException):
    """The process ended in a call: nothing that stands behind it is run."""


@dataclass(frozen=True)
class Fault:
    """What becomes of a call of one of the kinds it `meets`. `late`: the call has its effect first."""

    name: str
    meets: frozenset[str] = ANY
    late: bool = False
    loses: bool = False
    """Whether the connection is lost."""
    kills: bool = False
    """Whether the process dies."""
    lasts: bool = False
    """Whether every later call meets it too, until the fault is over."""


REFUSED = Fault("refused", meets=frozenset({"executemany"}))

FAULTS = (
    Fault("busy", meets=ANY - {"rollback"}),
    Fault("lost", loses=True),
    Fault("lost too late", meets=frozenset({"execute", "executemany", "commit"}), late=True, loses=True),
    Fault("away", loses=True, lasts=True),
    REFUSED,
    Fault("dies", kills=True),
    Fault("dies after it", late=True, kills=True),
)


class Calls:
    """The calls to one database. `made` are their kinds since it was last told to count."""

    def __init__(self, die: Callable[[], None]) -> None:
        """`die` ends the process; the exception that follows ends what it was doing."""
        self.made: list[str] = []
        self.died = False
        self._die = die
        self._fault: Fault | None = None
        self._place = 0
        self._open: set[FaultyConnection] = set()

    def count(self, fault: Fault | None = None, place: int = 0) -> None:
        """Count from now on; the call at this place, from 0, meets the fault."""
        self.made = []
        self.died = False
        self._fault, self._place = fault, place

    def stop(self) -> None:
        """The fault is over."""
        self._fault = None

    def opened(self, connection: FaultyConnection) -> None:
        self._open.add(connection)

    def closed(self, connection: FaultyConnection) -> None:
        self._open.discard(connection)

    def call(self, kind: str, action: Callable[[], T], lose: Callable[[], None]) -> T:
        """Make a call, or meet the fault instead; `lose` ends its connection."""
        fault, place = self._fault, len(self.made)
        self.made.append(kind)
        if fault is None or place < self._place or (place > self._place and not fault.lasts):
            return action()
        if fault.late:
            action()
        if fault.kills:
            self.stop()
            self.died = True
            for connection in list(self._open):
                connection.close()
            self._die()
            raise Died
        if fault.loses:
            lose()
        if fault is REFUSED:
            raise RowRefused("refused, as the test wants it")
        if kind == "commit" and fault.loses:
            raise OutcomeUnknown(f"{fault.name} in COMMIT, as the test wants it")
        raise Unavailable(f"{fault.name}, as the test wants it")


class FaultyConnection:
    """A connection whose calls are counted."""

    def __init__(self, connection: Connection, calls: Calls) -> None:
        self._real = connection
        self._calls = calls
        self._cursors: list[Cursor] = []
        self.closed = False
        calls.opened(self)

    def cursor(self, *parameters: Any) -> Cursor:
        cursor = self._real.cursor(*parameters)
        self._cursors.append(cursor)
        return FaultyCursor(cursor, self, self._calls)

    def commit(self) -> None:
        self._calls.call("commit", self._real.commit, self.close)

    def rollback(self) -> None:
        self._calls.call("rollback", self._real.rollback, self.close)

    def close(self) -> None:
        """Close it, if it is open; with its cursors, as SQLite needs it to let go of its locks."""
        if not self.closed:
            self.closed = True
            self._calls.closed(self)
            for cursor in self._cursors:
                cursor.close()
            self._real.close()


class FaultyCursor:
    """A cursor whose calls are counted."""

    def __init__(self, cursor: Cursor, connection: FaultyConnection, calls: Calls) -> None:
        self._cursor = cursor
        self._connection = connection
        self._calls = calls

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    def execute(self, *parameters: Any) -> Any:
        return self._call("execute", lambda: self._cursor.execute(*parameters))

    def executemany(self, *parameters: Any) -> Any:
        return self._call("executemany", lambda: self._cursor.executemany(*parameters))

    def fetchall(self) -> Sequence[Any]:
        return self._call("fetch", self._cursor.fetchall)

    def fetchmany(self, size: int = 1, /) -> Sequence[Any]:
        return self._call("fetch", lambda: self._cursor.fetchmany(size))

    def close(self) -> None:
        """Close it; with its connection it is closed already."""
        if not self._connection.closed:
            self._cursor.close()

    def _call(self, kind: str, action: Callable[[], T]) -> T:
        return self._calls.call(kind, action, self._connection.close)


class _Faulty(Dialect):
    """A mix-in before a dialect: what it connects is counted."""

    calls: Calls

    def connect(self, url: DatabaseUrl, *, read_only: bool = False, patience: float = PATIENCE) -> Connection:
        def connect() -> Connection:
            connect = super(_Faulty, self).connect  # type: ignore[safe-super] # that of the dialect behind it
            connection = connect(url, read_only=read_only, patience=patience)
            return FaultyConnection(connection, self.calls)

        return self.calls.call("connect", connect, lambda: None)


class _FaultyServer(_Faulty):
    """The same for a dialect that reads a table in a way of its driver's own: that is one fetch."""


class FaultySimulated(_Faulty, SimulatedDialect):
    """The simulated SQLite."""

    def __init__(self, database: SimulatedDatabase, calls: Calls) -> None:
        super().__init__(database)
        self.calls = calls


class FaultySqlite(_Faulty, SqliteDialect):
    """SQLite's own driver."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls


class FaultyMysql(_Faulty, MysqlDialect):
    """PyMySQL."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls


class FaultyPostgres(_Faulty, PostgresDialect):
    """psycopg."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
