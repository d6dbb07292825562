"""Many rows in one statement, as text: MySQL takes parameters of one row only.

Rules:
1. A value enters the SQL only through `literal`. The session has no NO_BACKSLASH_ESCAPES and speaks utf8mb4, in
   which no character hides a quote.
2. No statement is longer than LONGEST characters, far below the smallest max_allowed_packet in use, or changes more
   than MOST_ROWS rows.
3. A full row never takes the place of another one that has the same unique key: that is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from openpy.db.dialect import Cursor, Row
from openpy.db.errors import RowRefused

__all__ = ["DeleteRows", "UpdateRows", "UpsertRows", "literal"]

LONGEST = 250_000
MOST_ROWS = 100
"""An update looks its row up in a list: much longer ones cost more than a statement does."""

TAKEN = "another row has this unique key"


def literal(value: Any) -> str:
    """A value as SQL; raises RowRefused for one that no column takes."""
    kind = type(value)
    if kind is str:
        if not value.isascii():
            _check_unicode(value)
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    if kind is bytes:
        return "x'" + value.hex() + "'"  # type: ignore[no-any-return]
    if value is None:
        return "NULL"
    if kind is float:
        return repr(value)
    raise RowRefused(f"no column takes a {kind.__name__}")


def _check_unicode(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RowRefused(str(error)) from error


def _portions(rows: Sequence[Row], width: int) -> Iterator[list[list[str]]]:
    """The rows as literals, in parts that one statement takes."""
    part: list[list[str]] = []
    length = 0
    for row in rows:
        if len(row) != width:
            raise RowRefused(f"{len(row)} values for {width} columns")
        literals = [literal(value) for value in row]
        size = sum(map(len, literals))
        if part and (length + size > LONGEST or len(part) == MOST_ROWS):
            yield part
            part, length = [], 0
        part.append(literals)
        length += size
    if part:
        yield part


class UpsertRows:
    """`INSERT ... ON DUPLICATE KEY UPDATE`; `columns` are quoted, the first is the key."""

    __slots__ = ("_head", "_tail", "_width")

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        key = columns[0]
        settings = ", ".join(f"{name} = VALUES({name})" for name in columns[1:])
        self._head = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "
        # Where it was another unique key that met, the id differs; no id is a text, so the row is refused.
        guard = f"{key} = IF({table}.{key} = VALUES({key}), VALUES({key}), '{TAKEN}')"
        self._tail = f" ON DUPLICATE KEY UPDATE {guard}, {settings}"
        self._width = len(columns)

    def run(self, cursor: Cursor, rows: Sequence[Row]) -> int:
        """Write the rows; how many there were."""
        for part in _portions(rows, self._width):
            values = ", ".join(["(" + ", ".join(literals) + ")" for literals in part])
            cursor.execute(self._head + values + self._tail)
        return len(rows)


class UpdateRows:
    """`UPDATE ... SET a = CASE id WHEN 1 THEN ... END WHERE id IN (...)`; `columns` are quoted, the id comes last."""

    __slots__ = ("_cases", "_head", "_key", "_places", "_width")

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        *changed, key = columns
        self._head = f"UPDATE {table} SET "
        self._cases = [f"{name} = CASE {key}" for name in changed]
        self._key = key
        self._places = range(len(changed))
        self._width = len(columns)

    def run(self, cursor: Cursor, rows: Sequence[Row]) -> int:
        """Change the rows; how many were found."""
        found = 0
        for part in _portions(rows, self._width):
            ids = [literals[-1] for literals in part]
            settings = [
                self._cases[place]
                + "".join([f" WHEN {literals[-1]} THEN {literals[place]}" for literals in part])
                + " END"
                for place in self._places
            ]
            cursor.execute(f"{self._head}{', '.join(settings)} WHERE {self._key} IN ({', '.join(ids)})")
            found += cursor.rowcount
        return found


class DeleteRows:
    """`DELETE ... WHERE id IN (...)`."""

    __slots__ = ("_head",)

    def __init__(self, table: str, key: str) -> None:
        self._head = f"DELETE FROM {table} WHERE {key} IN ("

    def run(self, cursor: Cursor, rows: Sequence[Row]) -> int:
        """Delete the rows; how many were found."""
        found = 0
        for part in _portions(rows, 1):
            cursor.execute(self._head + ", ".join([key for (key,) in part]) + ")")
            found += cursor.rowcount
        return found
