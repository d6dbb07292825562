"""The SQL of one table, made once, and the operations that fill it with values.

A row is addressed by its `id`, which memory keeps: never by a key that changes. What is written once and never looked
at again has none here: the database numbers it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from openpy.db.dialect import ColumnInfo, Dialect, EachRow, Row, Statement


class TableSql:
    """The fixed SQL of one table. `columns` are those after `id`, in the order of an Upsert's values.

    `widths` are the real widths, in characters, of the text columns that have a limit. Both may be assumed until
    the database can be asked: `adapt` then puts them right, here and in every update of the table.
    """

    __slots__ = (
        "_checks", "_dialect", "_updates", "columns", "delete", "insert", "name", "select", "types", "upsert",
        "widths",
    )  # fmt: skip

    def __init__(
        self, dialect: Dialect, name: str, columns: Sequence[str], widths: Mapping[str, int | None]
    ) -> None:
        self.name = name
        self.columns = tuple(columns)
        self._dialect = dialect
        self._updates: dict[tuple[str, ...], FixedUpdate] = {}
        names = ", ".join(dialect.quote(column) for column in ("id", *columns))
        self.select = f"SELECT {names} FROM {dialect.quote(name)}"
        self.delete: Statement = dialect.delete(name)
        self.insert: Statement = dialect.insert(name, self.columns)
        self.upsert: Statement
        self._adapt(widths, {})

    def adapt(self, found: Mapping[str, ColumnInfo]) -> None:
        """Take the columns as the database has them."""
        widths = {name: column.width for name, column in found.items()}
        self._adapt(widths, {name: column.type for name, column in found.items()})
        for update in self._updates.values():
            update.adapt(self._dialect)

    def _adapt(self, widths: Mapping[str, int | None], types: Mapping[str, str]) -> None:
        self.widths = dict(widths)
        self.types = {name: types.get(name, "") for name in ("id", *self.columns)}
        self.upsert = self._dialect.upsert(self.name, self.types)
        self._checks = [(name, self.widths.get(name)) for name in self.columns]

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

    def guarded_update(self, guard: str, *columns: str) -> GuardedUpdate:
        """The statement that changes these columns of a row while the column `guard` has the value it is given.

        One object for the same columns. Raises ValueError for a column that the table does not have.
        """
        key = ("", guard, *columns)  # no column has no name
        update = self._updates.get(key)
        if not isinstance(update, GuardedUpdate):
            unknown = {guard, *columns}.difference(self.columns)
            if unknown:
                raise ValueError(f"table {self.name} has no column {', '.join(sorted(unknown))}")
            update = self._updates[key] = GuardedUpdate(self, guard, columns, self._dialect)
        return update

    def misfit(self, values: Row) -> str | None:
        """The first column whose value cannot be stored, of a full row: too long, or no valid UTF-8.

        To be asked before a row with values from outside is submitted, so that the answer can name the field.
        """
        return _misfit(self._checks, values)

    def fitted(self, values: Row) -> Row:
        """A full row as it can be stored: what is too long is cut, and bytes that are no UTF-8 are replaced."""
        pairs = zip(values, self._checks, strict=True)
        return tuple(_cut(value, width) if type(value) is str else value for value, (_, width) in pairs)


class FixedUpdate:
    """The SQL that changes some columns of a row.

    `in_full_row` gives, for each column, its place in a full row and its place here.
    """

    __slots__ = ("_checks", "_overlaps", "columns", "in_full_row", "statement", "table")

    def __init__(self, table: TableSql, columns: tuple[str, ...], dialect: Dialect) -> None:
        self.table = table
        self.columns = columns
        self.in_full_row = [(table.columns.index(column), place) for place, column in enumerate(columns)]
        self._overlaps: dict[FixedUpdate, list[tuple[int, int]]] = {}
        self.statement: Statement
        self.adapt(dialect)

    def adapt(self, dialect: Dialect) -> None:
        """Take the columns as the table has them."""
        table, columns = self.table, self.columns
        types = {name: table.types[name] for name in (*columns, "id")}
        self.statement = dialect.update(table.name, types)
        self._checks = [(name, table.widths.get(name)) for name in columns]

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


class GuardedUpdate(FixedUpdate):
    """The SQL that changes some columns of a row that nobody else has changed.

    The last of the values is what the column `guard` has to have; a row where it has another is not found.
    """

    __slots__ = ("guard",)

    def __init__(self, table: TableSql, guard: str, columns: tuple[str, ...], dialect: Dialect) -> None:
        self.guard = guard
        super().__init__(table, columns, dialect)

    def adapt(self, dialect: Dialect) -> None:
        """Take the columns as the table has them."""
        super().adapt(dialect)
        mark = dialect.placeholder
        settings = ", ".join(f"{dialect.quote(column)} = {mark}" for column in self.columns)
        condition = f"{dialect.quote(self.guard)} = {mark} AND {dialect.quote('id')} = {mark}"
        name = dialect.quote(self.table.name)
        self.statement = EachRow(f"UPDATE {name} SET {settings} WHERE {condition}")
        self._checks.append((self.guard, None))


class Insert(NamedTuple):
    """Write a new row, whose id the database gives; `values` are those of `table.columns`."""

    table: TableSql
    values: Row


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
"""What is done to a row that is known by its id."""

Change: TypeAlias = Insert | Operation


def _misfit(checks: Sequence[tuple[str, int | None]], values: Row) -> str | None:
    for (name, width), value in zip(checks, values, strict=True):
        if type(value) is str and (
            (width is not None and len(value) > width) or not (value.isascii() or _is_unicode(value))
        ):
            return name
    return None


def _cut(text: str, width: int | None) -> str:
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text if width is None else text[:width]


def _is_unicode(text: str) -> bool:
    """Whether no surrogate stands in the text: those are bytes of a message that were no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
