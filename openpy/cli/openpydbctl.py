"""`openpydbctl`: make, check and drop the tables of the modules in a database.

Exit status: 0 done, or nothing differs; 1 something differs, or it failed; 2 a mistake in the command line.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from importlib.metadata import entry_points
from types import ModuleType

import openpy.modules
from openpy.db import schema
from openpy.db.dialect import Connection, Dialect
from openpy.db.errors import DatabaseError
from openpy.db.tables import Table, ddl, name_of
from openpy.db.url import DatabaseUrl, parse_url

__all__ = ["main"]

PATIENCE = 60.0
"""Seconds without a word from the server: who alters tables may have to wait for others."""

Tables = Sequence[type[Table]]
Command = Callable[[Dialect, Connection, Tables], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        url = parse_url(options.url)
    except ValueError as error:
        parser.error(str(error))
    dialects = {scheme: dialect for dialect in find_dialects() for scheme in dialect.schemes}
    if url.scheme not in dialects:
        parser.error(f"no module for {url.scheme}: there are {', '.join(sorted(dialects))}")
    known = {name_of(table): table for table in find_tables()}
    unknown = [name for name in options.tables or () if name not in known]
    if unknown:
        parser.error(f"no module has a table {', '.join(unknown)}: there are {', '.join(known)}")
    tables = [known[name] for name in options.tables or known]
    return _run(options, url, dialects[url.scheme], tables)


def find_dialects() -> list[Dialect]:
    """The dialects of the database modules: `DIALECT` in `dialect.py` of a module's package."""
    return [found.DIALECT for found in _submodules("dialect")]


def find_tables() -> list[type[Table]]:
    """The tables of all modules: `TABLES` in `tables.py` of a module's package."""
    return [table for found in _submodules("tables") for table in found.TABLES]


def _submodules(name: str) -> Iterator[ModuleType]:
    """The Python module of this name in the package of every openpy module that has one."""
    packages = [f"openpy.modules.{found.name}" for found in pkgutil.iter_modules(openpy.modules.__path__)]
    packages += [entry.module.rpartition(".")[0] for entry in entry_points(group="openpy.modules")]
    for package in sorted(filter(None, packages)):
        if importlib.util.find_spec(f"{package}.{name}") is not None:
            yield importlib.import_module(f"{package}.{name}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("openpydbctl", description="The tables of openpy in a database.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command, text in (
        ("create", "make the tables that are missing"),
        ("drop", "drop the tables and all that is in them"),
        ("check", "tell what keeps the tables from being used"),
        ("version", "print the version of each table in the database, and the one needed"),
        ("sql", "print the SQL that makes the tables; connects to nothing"),
    ):
        subparser = commands.add_parser(command, help=text, description=text)
        subparser.add_argument(
            "url", metavar="URL", help="sqlite:///file, mysql://user:password@host/database ..."
        )
        subparser.add_argument(
            "--tables", nargs="+", metavar="TABLE", help="only these; default: all modules'"
        )
        if command == "drop":
            subparser.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _run(options: argparse.Namespace, url: DatabaseUrl, dialect: Dialect, tables: Tables) -> int:
    if options.command == "sql":
        sys.stdout.write(ddl(dialect, tables))
        return 0
    if options.command == "drop" and not options.yes and not _agreed(url, tables):
        print("nothing was dropped")
        return 1
    commands: dict[str, Command] = {"create": _create, "drop": _drop, "check": _check, "version": _version}
    read_only = options.command in ("check", "version")
    try:
        connection = dialect.connect(url, read_only=read_only, patience=PATIENCE)
        with closing(connection), dialect.explained():
            return commands[options.command](dialect, connection, tables)
    except DatabaseError as error:
        print(f"openpydbctl: {url}: {error}", file=sys.stderr)
        return 1


def _agreed(url: DatabaseUrl, tables: Tables) -> bool:
    print(f"This drops {', '.join(map(name_of, tables))} in {url}, with all that is in them.")
    try:
        return input('Type "yes" to go on: ').strip() == "yes"
    except EOFError:
        return False


def _create(dialect: Dialect, connection: Connection, tables: Tables) -> int:
    for name in schema.create(dialect, connection, tables):
        print(f"made {name}")
    return _check(dialect, connection, tables)


def _drop(dialect: Dialect, connection: Connection, tables: Tables) -> int:
    for name in schema.drop(dialect, connection, tables):
        print(f"dropped {name}")
    return 0


def _check(dialect: Dialect, connection: Connection, tables: Tables) -> int:
    problems = schema.check(dialect, connection, tables)
    for problem in problems:
        print(problem)
    if problems:
        return 1
    for text in schema.advice(dialect, connection, tables):
        print(f"advice: {text}")
    return 0


def _version(dialect: Dialect, connection: Connection, tables: Tables) -> int:
    found = schema.versions(dialect, connection, tables)
    for table in tables:
        version = found[name_of(table)]
        print(f"{name_of(table)} {'-' if version is None else version} {table.table_version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
