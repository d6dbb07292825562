"""Traced messages as rows: written behind the calls, and lost rather than waited for.

Rules:
1. At most `MOST_UNDER_WAY` messages wait for the database, which others need too.
2. What does not fit a column is cut, and bytes that are no UTF-8 are replaced.
3. What the database refuses, or cannot take now, is dropped and counted; the log tells of the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from itertools import count

from openpy.db.database import Database
from openpy.db.errors import DatabaseError, Unavailable
from openpy.db.statements import Insert, TableSql
from openpy.db.tables import with_columns
from openpy.engine.log import Log
from openpy.engine.module import Count
from openpy.modules.siptrace.captured import Captured
from openpy.modules.siptrace.tables import SipTrace
from openpy.sip.errors import RemoteError
from openpy.sip.message import Response, parse_message

MOST_UNDER_WAY = 5000
MOST_TABLES = 100
LONGEST_TEXT = 65535
"""Octets that the column `msg` holds in every database."""

REPLACED = "\N{REPLACEMENT CHARACTER}"


class Rows:
    """The tables of traced messages in one database."""

    def __init__(
        self, database: Database, name: str, columns: Mapping[str, str], log: Log, dropped: Count
    ) -> None:
        """Check, or make, the table; `columns` are those with other names than 1.3's. Raises DatabaseError."""
        self._database = database
        self._writer = database.writer
        self._table: TableSql = database.use(with_columns(SipTrace, name, columns))
        self._others: dict[str, TableSql] = {}
        self._log = log
        self._dropped = dropped
        self._numbers = count()
        self.most_under_way = MOST_UNDER_WAY
        self._under_way = 0
        self._is_well = True

    def take(self, messages: Sequence[Captured]) -> int:
        """Submit as many as there is room for; returns how many."""
        taken = messages[: max(0, self.most_under_way - self._under_way)]
        for captured in taken:
            self._submit(captured)
        self._writer.flush()
        return len(taken)

    def _submit(self, captured: Captured) -> None:
        key = "siptrace", next(self._numbers)
        table = self._table_of(captured)
        operations = [Insert(table, table.fitted(values)) for values in _rows(captured)]
        self._under_way += 1
        done = partial(self._done, key)
        try:
            self._writer.submit(key, operations, done)
        except Unavailable as error:
            done(error)

    def _done(self, key: Hashable, error: DatabaseError | None) -> None:
        self._under_way -= 1
        if error is None:
            self._is_well = True
            return
        self._writer.forgive(key)
        self._dropped.value += 1
        if self._is_well:
            self._is_well = False
            self._log.error("siptrace", f"messages are not traced: {error}")

    def _table_of(self, captured: Captured) -> TableSql:
        """The table that the script chose; that it is there and of this layout is the administrator's affair."""
        name = captured.table
        if not name or name == self._table.name:
            return self._table
        if name not in self._others and len(self._others) < MOST_TABLES:
            usual = self._table
            self._others[name] = TableSql(self._database.dialect, name, usual.columns, usual.widths)
        return self._others.get(name, self._table)


def _rows(captured: Captured) -> list[tuple[str, ...]]:
    """The values of the columns, for each user."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(captured.time))
    call_id, method, status, from_tag = _read(captured.data)
    return [
        (
            moment,
            call_id,
            user,
            _text(captured.data),
            method,
            status,
            captured.source,
            captured.target,
            from_tag,
            captured.direction,
        )
        for user in captured.users
    ]


def _read(data: bytes) -> tuple[str, str, str, str]:
    """Call-ID, method, status and From tag of a message; "" where one cannot be read."""
    try:
        message = parse_message(data)
    except RemoteError:
        return "", "", "", ""
    status = str(message.status) if isinstance(message, Response) else ""
    return (
        _or_nothing(lambda: message.call_id),
        _or_nothing(lambda: message.cseq.method),
        status,
        _or_nothing(lambda: message.from_.tag),
    )


def _or_nothing(read: Callable[[], str]) -> str:
    try:
        return read()
    except RemoteError:
        return ""


def _text(data: bytes) -> str:
    """A message as text that every database holds."""
    text = data.decode("utf-8", "replace").replace("\0", REPLACED)
    return text if len(data) * 3 <= LONGEST_TEXT else text.encode()[:LONGEST_TEXT].decode("utf-8", "ignore")
