"""Tables as modules declare them, and their DDL.

A module's `tables.py` declares each table as a peewee model with OpenSER's columns, and lists them in
`TABLES`. Tables made here are wider than OpenSER's own, whose widths stand beside them: a table of either
layout is accepted, and the real widths are asked from the database.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    legacy_widths: ClassVar[dict[str, int]] = {}
    """The widths of OpenSER 1.3 where today's differ; narrower than that is refused."""

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
