"""Many rows in one statement: each column is one parameter, an array, in the binary format.

The SQL is the same for one row and for a thousand, so the server parses it once a connection. It needs the types of
the columns, which the database was asked for; where they are not known yet, rows are given one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

from openpy.db.dialect import Cursor, Row
from openpy.db.errors import RowRefused

__all__ = ["Columns", "delete_rows", "update_rows", "upsert_rows"]


class Columns:
    """A statement whose parameters are the columns of the rows, as arrays."""

    __slots__ = ("sql", "width")

    def __init__(self, sql: str, width: int) -> None:
        self.sql = sql
        self.width = width

    def run(self, cursor: Cursor, rows: Sequence[Row]) -> int:
        """Run it for all rows; how many were found."""
        try:
            columns = [list(column) for column in zip(*rows, strict=True)]
        except ValueError as error:
            raise RowRefused(f"a row of other than {self.width} values") from error
        if len(columns) != self.width:
            raise RowRefused(f"{len(columns)} values for {self.width} columns")
        cursor.execute(self.sql, columns)
        return cursor.rowcount


def upsert_rows(table: str, columns: Sequence[tuple[str, str]]) -> Columns:
    """`INSERT ... ON CONFLICT (id) DO UPDATE`; quoted names with their types, the first is the key."""
    names = [name for name, _ in columns]
    settings = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
    return Columns(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT * FROM unnest({_arrays(columns)}) "
        f"ON CONFLICT ({names[0]}) DO UPDATE SET {settings}",
        len(columns),
    )


def update_rows(table: str, columns: Sequence[tuple[str, str]]) -> Columns:
    """`UPDATE ... FROM`; quoted names with their types, the id comes last."""
    names = [name for name, _ in columns]
    settings = ", ".join(f"{name} = new.{name}" for name in names[:-1])
    return Columns(
        f"UPDATE {table} SET {settings} FROM unnest({_arrays(columns)}) AS new ({', '.join(names)}) "
        f"WHERE {table}.{names[-1]} = new.{names[-1]}",
        len(columns),
    )


def delete_rows(table: str, key: str) -> Columns:
    """`DELETE ... = ANY`."""
    return Columns(f"DELETE FROM {table} WHERE {key} = ANY(%b::bigint[])", 1)


def _arrays(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"%b::{kind}[]" for _, kind in columns)
