"""What work is counted by: calls of functions, and what the database is asked to do.

Rules:
1. Only calls that are made in the package, or of it, count: not those of the network and event loop in
   virtual time.
2. A function of the script counts as one of the package.
3. The writer's work happens in the same thread here, so it is counted like everything else.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import openpy
from openpy.db.dialect import PATIENCE, Connection, Cursor
from openpy.db.url import DatabaseUrl
from openpy.modules.sqlite.dialect import SqliteDialect

PACKAGE = str(Path(openpy.__file__).parent)
WORLD = str(Path(PACKAGE, "testing"))
"""Network, event loop and threads in virtual time."""


@dataclass
class Calls:
    """Counts calls while its `with` block lasts: those of functions written in Python, and of those that are not."""

    python: int = 0
    builtin: int = 0

    def __post_init__(self) -> None:
        self._known: dict[CodeType, bool] = {}

    def __enter__(self) -> Calls:
        sys.setprofile(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _event(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            back = frame.f_back
            if self._is_ours(frame.f_code) or (back is not None and self._is_ours(back.f_code)):
                self.python += 1
        elif event == "c_call" and self._is_ours(frame.f_code):
            self.builtin += 1

    def _is_ours(self, code: CodeType) -> bool:
        known = self._known.get(code)
        if known is None:
            name = code.co_filename
            in_package = name.startswith(PACKAGE) and not name.startswith(WORLD)
            known = self._known[code] = in_package or name.endswith(".cfg")
        return known


@dataclass
class Asked:
    """What a database was asked to do: statements run (one for many rows is one), transactions committed."""

    statements: int = 0
    commits: int = 0


class CountingDialect(SqliteDialect):
    """SQLite, which counts what is asked of it for writing."""

    def __init__(self) -> None:
        self.asked = Asked()

    def connect(self, url: DatabaseUrl, *, read_only: bool = False, patience: float = PATIENCE) -> Connection:
        connection = super().connect(url, read_only=read_only, patience=patience)
        return connection if read_only else _Connection(connection, self.asked)


class _Connection:
    """A connection that counts."""

    def __init__(self, connection: Connection, asked: Asked) -> None:
        self._connection = connection
        self._asked = asked
        self.rollback = connection.rollback
        self.close = connection.close

    def cursor(self) -> Cursor:
        return _Cursor(self._connection.cursor(), self._asked)

    def commit(self) -> None:
        self._asked.commits += 1
        self._connection.commit()


class _Cursor:
    """A cursor that counts."""

    def __init__(self, cursor: Cursor, asked: Asked) -> None:
        self._cursor = cursor
        self._asked = asked
        self.fetchall = cursor.fetchall
        self.fetchmany = cursor.fetchmany
        self.close = cursor.close

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Any:
        self._asked.statements += 1
        return self._cursor.execute(sql, parameters)

    def executemany(self, sql: str, rows: Any, /) -> Any:
        self._asked.statements += 1
        return self._cursor.executemany(sql, rows)
