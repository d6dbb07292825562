"""The tables of a real database: make them, check them, drop them, ask for their version and widths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from openpy.db.dialect import ColumnInfo, Connection, Dialect, execute, fetch
from openpy.db.tables import VERSION_TABLE, Table, Version, columns_of, name_of, table_ddl


def create(dialect: Dialect, connection: Connection, tables: Sequence[type[Table]]) -> list[str]:
    """Make the tables that are missing, with their version rows; returns their names.

    A table that exists is left as it is: `check` tells whether it will do.
    """
    execute(connection, dialect.begin)
    try:
        missing = [table for table in tables if not dialect.real_columns(connection, name_of(table))]
        statements = [statement for table in missing for statement in table_ddl(dialect, table)]
        if not dialect.real_columns(connection, VERSION_TABLE):
            statements = table_ddl(dialect, Version) + statements
        for statement in statements:
            execute(connection, statement)
        mark = dialect.placeholder
        for table in missing:
            _forget_version(dialect, connection, name_of(table))
            execute(
                connection,
                f"INSERT INTO {VERSION_TABLE} (table_name, table_version) VALUES ({mark}, {mark})",
                (name_of(table), table.table_version),
            )
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
    return [name_of(table) for table in missing]


def drop(dialect: Dialect, connection: Connection, tables: Iterable[type[Table]]) -> list[str]:
    """Drop the tables that exist, and their version rows; returns their names."""
    execute(connection, dialect.begin)
    try:
        found = [name for name in map(name_of, tables) if dialect.real_columns(connection, name)]
        has_versions = bool(dialect.real_columns(connection, VERSION_TABLE))
        for name in found:
            execute(connection, f"DROP TABLE {dialect.quote(name)}")
            if has_versions:
                _forget_version(dialect, connection, name)
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
    return found


def versions(
    dialect: Dialect, connection: Connection, tables: Iterable[type[Table]]
) -> dict[str, int | None]:
    """The version that the database says each table has; None where it says nothing."""
    found: dict[str, int] = {}
    if dialect.real_columns(connection, VERSION_TABLE):
        found = dict(fetch(connection, f"SELECT table_name, table_version FROM {VERSION_TABLE}"))
    return {name: found.get(name) for name in map(name_of, tables)}


def check(dialect: Dialect, connection: Connection, tables: Sequence[type[Table]]) -> list[str]:
    """What keeps the tables from being used, one text a problem: what was found, what is needed."""
    found = versions(dialect, connection, tables)
    problems: list[str] = []
    for table in tables:
        name = name_of(table)
        columns = dialect.real_columns(connection, name)
        if columns:
            problems += _version_problems(table, found[name])
            problems += _column_problems(table, columns)
        else:
            problems.append(f"table {name} does not exist; openpydbctl create makes it")
    return problems


def advice(dialect: Dialect, connection: Connection, tables: Iterable[type[Table]]) -> list[str]:
    """What keeps the tables, which serve as they are, from being all that was promised; each with what to run."""
    return [text for table in tables for text in dialect.advice(connection, name_of(table))]


def _anew(name: str) -> str:
    """What helps; the other tables are none of its business."""
    return f"alter it, or make it anew, empty, with openpydbctl drop and create, both with --tables {name}"


def _forget_version(dialect: Dialect, connection: Connection, name: str) -> None:
    execute(connection, f"DELETE FROM {VERSION_TABLE} WHERE table_name = {dialect.placeholder}", (name,))


def _version_problems(table: type[Table], found: int | None) -> list[str]:
    name, needed = name_of(table), table.table_version
    # No row counts as version 0, as in OpenSER.
    version = found or 0
    oldest = needed if table.oldest_version is None else table.oldest_version
    is_known = oldest <= version <= needed or (table.newer_accepted and version > needed)
    if table.any_version or is_known:
        return []
    if found is None:
        return [
            f"table {name} has no version, needed is {needed}; if it is of that layout, "
            f"INSERT INTO {VERSION_TABLE} (table_name, table_version) VALUES ('{name}', {needed})"
        ]
    at_least = "at least " if table.newer_accepted else ""
    return [f"table {name} has version {found}, needed is {at_least}{oldest}; {_anew(name)}"]


def _column_problems(table: type[Table], found: dict[str, ColumnInfo]) -> list[str]:
    name = name_of(table)
    if table.needed is not None:
        missing = sorted(table.needed.difference(found))
        return [f"table {name} has no column {column}; {_anew(name)}" for column in missing]
    needed = columns_of(table)
    problems = []
    for column, width in needed.items():
        real = found.get(column)
        least = table.legacy_widths.get(column, width)
        if real is None:
            problems.append(f"table {name} has no column {column}; {_anew(name)}")
        elif real.width is not None and least is not None and real.width < least:
            problems.append(f"column {name}.{column} is {real.width} wide, needed is {least}; {_anew(name)}")
    for column, real in found.items():
        if column != "id" and column not in needed and not (real.nullable or real.has_default):
            problems.append(
                f"column {name}.{column} is unknown, and takes no row without a value; {_anew(name)}"
            )
    return problems
