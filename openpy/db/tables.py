"""Tables as modules declare them, and their DDL.

A module's `tables.py` declares each table as a peewee model with OpenSER's columns, and lists them in
`TABLES`. Tables made here are wider than OpenSER's own, whose widths stand beside them: a table of either
layout is accepted, and the real widths are asked from the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import peewee

from openpy.db.dialect import Dialect

URI_WIDTH = 255
TAG_WIDTH = 128
CALL_ID_WIDTH = 255

VERSION_TABLE = "version"

OWN_PREFIX = "openpy_"
"""What the names of tables begin with that OpenSER does not have."""


class Table(peewee.Model):
    """The base of all tables. `id` is the primary key, first in every table."""

    id = peewee.AutoField()

    table_version: ClassVar[int] = 0
    """OpenSER's number of this layout, as the table `version` has it."""
    newer_accepted: ClassVar[bool] = False
    """A higher number in the database is good too (OpenSER asks for "at least", not for "exactly")."""
    any_version: ClassVar[bool] = False
    """OpenSER never looks at the number: whatever it is, and if there is none, the columns decide."""
    oldest_version: ClassVar[int | None] = None
    """The lowest number that is good too, where that is not the same."""
    legacy_widths: ClassVar[dict[str, int]] = {}
    """The widths of OpenSER 1.3 where today's differ; narrower than that is refused."""
    needed: ClassVar[frozenset[str] | None] = None
    """The columns that are read, of a table that others fill: whatever else it has is theirs. None: we write rows."""

    @classmethod
    def is_ours(cls) -> bool:
        """Whether OpenSER knows no such table: then its scripts cannot have made it, and we do."""
        return name_of(cls).startswith(OWN_PREFIX)


class Version(peewee.Model):
    """OpenSER's `version`: the number of each table's layout."""

    table_name = peewee.CharField(64, primary_key=True)
    table_version = peewee.IntegerField(constraints=[peewee.SQL("DEFAULT 0")])

    class Meta:
        """The name that OpenSER gives it."""

        table_name = VERSION_TABLE


T = TypeVar("T", bound=type[Table])


def name_of(table: type[peewee.Model]) -> str:
    """The table's name in the database."""
    name: str = table._meta.table_name
    return name


def named(table: T, name: str) -> T:
    """The same table under another name, as `modparam("presence", "presentity_table", ...)` asks for."""
    if not name or name == name_of(table):
        return table
    meta = type("Meta", (), {"table_name": name})
    # peewee names indexes after the class, and these names are shared by all tables of a database.
    renamed: Any = type(name, (table,), {"Meta": meta, "__doc__": table.__doc__})
    return renamed  # type: ignore[no-any-return]


def with_columns(table: T, name: str, columns: Mapping[str, str]) -> T:
    """The same table under another name, with other names of columns: OpenSER's name -> its name there."""
    if all(columns.get(column, column) == column for column in columns_of(table)):
        return named(table, name)
    names = {column: columns.get(column, column) for column in columns_of(table)}
    made: Any = type(
        name,
        (Table,),
        {
            **{column: _renamed(getattr(table, column), other) for column, other in names.items()},
            "__doc__": table.__doc__,
            "Meta": type("Meta", (), {"table_name": name, "indexes": table._meta.indexes}),
            "table_version": table.table_version,
            "newer_accepted": table.newer_accepted,
            "any_version": table.any_version,
            "legacy_widths": {names[column]: width for column, width in table.legacy_widths.items()},
        },
    )
    return made  # type: ignore[no-any-return]


def _renamed(field: Any, column: str) -> Any:
    twin = field.clone()
    twin.column_name = column
    return twin


def reading(
    table: type[Table], columns: Iterable[str], name: str = "", *, oldest: int | None = None
) -> type[Table]:
    """The table as it is to be for who only reads these columns: under another name, from an older version on.

    Columns that OpenSER's table does not have are texts where the table has to be made.
    """
    name = name or name_of(table)
    wanted = frozenset(columns)
    further = {
        column: peewee.CharField(URI_WIDTH, null=True)
        for column in wanted.difference(columns_of(table), {"id"})
    }
    attributes = {
        **further,
        "Meta": type("Meta", (), {"table_name": name}),
        "__doc__": table.__doc__,
        "needed": wanted,
        "oldest_version": table.oldest_version if oldest is None else oldest,
    }
    return type(name, (table,), attributes)


def text_column(width: int) -> peewee.CharField:
    """A column of text that is empty where a row does not say otherwise."""
    return peewee.CharField(width, constraints=[peewee.SQL("DEFAULT ''")])


def time_column() -> peewee.DateTimeField:
    """A column for the time of a change, which OpenSER's own tools leave at its begin."""
    return peewee.DateTimeField(constraints=[peewee.SQL("DEFAULT '1900-01-01 00:00:01'")])


def columns_of(table: type[Table]) -> dict[str, int | None]:
    """The columns after `id`, in order, each with the width that it is made with."""
    fields = [field for field in table._meta.sorted_fields if field.column_name != "id"]
    return {field.column_name: getattr(field, "max_length", None) for field in fields}


def table_ddl(dialect: Dialect, table: type[peewee.Model]) -> list[str]:
    """The statements that make one table and its indexes."""
    database, statements = dialect.recorder()
    schema: Any = peewee.SchemaManager(table, database)
    schema.create_table(safe=False)
    statements[0] += dialect.table_options
    for index in table._meta.fields_to_index():
        if dialect.widest_key is not None:
            _narrow(index, dialect, dialect.widest_key)
        schema.database.execute(schema._create_index(index, safe=False))
    return statements


def _narrow(index: Any, dialect: Dialect, widest: int) -> None:
    """Let an index that is too wide cover only the first characters of its columns.

    It is not unique then: it would refuse rows that differ further on, and rows are addressed by `id`.
    """
    widths = [getattr(field, "max_length", None) or 0 for field in index._expressions]
    if sum(widths) <= widest:
        return
    share = widest // len(widths)
    index._unique = False
    index._expressions = [
        peewee.SQL(dialect.quote(field.column_name) + (f"({min(width, share)})" if width else ""))
        for field, width in zip(index._expressions, widths, strict=True)
    ]


def ddl(dialect: Dialect, tables: Sequence[type[Table]]) -> str:
    """The SQL that makes an empty database's tables and their version rows. Connects to nothing."""
    statements = table_ddl(dialect, Version)
    for table in tables:
        statements += table_ddl(dialect, table)
        statements.append(
            f"INSERT INTO {VERSION_TABLE} (table_name, table_version) "
            f"VALUES ('{name_of(table)}', {table.table_version})"
        )
    return "".join(statement + ";\n" for statement in statements)
