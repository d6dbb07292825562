"""The SQL of one table, made once, and the operations that fill it with values.

A row is addressed by its `id`, which memory keeps: never by a key that changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from openpy.db.dialect import Dialect, Row


class TableSql:
    """The fixed SQL of one table. `columns` are those after `id`, in the order of an Upsert's values.

    `widths` are the real widths, in characters, of the text columns that have a limit.
    """

    __slots__ = ("_checks", "_dialect", "_updates", "columns", "delete", "name", "select", "upsert", "widths")

    def __init__(
        self, dialect: Dialect, name: str, columns: Sequence[str], widths: Mapping[str, int | None]
    ) -> None:
        self.name = name
        self.columns = tuple(columns)
        self.widths = dict(widths)
        self.upsert = dialect.upsert_sql(name, ("id", *columns))
        self.delete = dialect.delete_sql(name)
        names = ", ".join(dialect.quote(column) for column in ("id", *columns))
        self.select = f"SELECT {names} FROM {dialect.quote(name)}"
        self._dialect = dialect
        self._updates: dict[tuple[str, ...], FixedUpdate] = {}
        self._checks = [(name, widths.get(name)) for name in columns]

    def update(self, *columns: str) -> FixedUpdate:
        """The statement that changes these columns of a row; one object for the same columns.

        Raises ValueError for a column that the table does not have.
        """
        update = self._updates.get(columns)
        if update is None:
            unknown = set(columns).difference(self.columns)
            if unknown:
                raise ValueError(f"table {self.name} has no column {', '.join(sorted(unknown))}")
            update = self._updates[columns] = FixedUpdate(self, columns, self._dialect)
        return update

    def misfit(self, values: Row) -> str | None:
        """The first column whose value cannot be stored, of a full row: too long, or no valid UTF-8.

        To be asked before a row with values from outside is submitted, so that the answer can name the field.
        """
        return _misfit(self._checks, values)


class FixedUpdate:
    """The SQL that changes some columns of a row.

    `in_full_row` gives, for each column, its place in a full row and its place here.
    """

    __slots__ = ("_checks", "_overlaps", "columns", "in_full_row", "sql", "table")

    def __init__(self, table: TableSql, columns: tuple[str, ...], dialect: Dialect) -> None:
        self.table = table
        self.columns = columns
        self.in_full_row = [(table.columns.index(column), place) for place, column in enumerate(columns)]
        self.sql = dialect.update_sql(table.name, columns)
        self._checks = [(name, table.widths.get(name)) for name in columns]
        self._overlaps: dict[FixedUpdate, list[tuple[int, int]]] = {}

    def misfit(self, values: Row) -> str | None:
        """The first column whose value cannot be stored, as `TableSql.misfit` tells for a full row."""
        return _misfit(self._checks, values)

    def overlap(self, other: FixedUpdate) -> list[tuple[int, int]]:
        """For each column that both have: its place in `other` and its place here."""
        pairs = self._overlaps.get(other)
        if pairs is None:
            pairs = self._overlaps[other] = [
                (other.columns.index(column), place)
                for place, column in enumerate(self.columns)
                if column in other.columns
            ]
        return pairs


class Upsert(NamedTuple):
    """Write a full row, whether it exists or not; `values` are those of `table.columns`."""

    table: TableSql
    id: int
    values: Row


class Update(NamedTuple):
    """Change some columns of a row that exists; `values` are those of `sql.columns`."""

    sql: FixedUpdate
    id: int
    values: Row


class Delete(NamedTuple):
    """Delete a row; one that is not there is as good."""

    table: TableSql
    id: int


Operation: TypeAlias = Upsert | Update | Delete


def _misfit(checks: Sequence[tuple[str, int | None]], values: Row) -> str | None:
    for (name, width), value in zip(checks, values, strict=True):
        if type(value) is str and (
            (width is not None and len(value) > width) or not (value.isascii() or _is_unicode(value))
        ):
            return name
    return None


def _is_unicode(text: str) -> bool:
    """Whether no surrogate stands in the text: those are bytes of a message that were no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
