"""Databases for tests: a file of SQLite, and one database each on the MariaDB and PostgreSQL of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openpy.db.dialect import Connection, Dialect, execute, fetch
from openpy.db.errors import DatabaseError
from openpy.db.url import DatabaseUrl, parse_url
from openpy.modules.mysql.dialect import DIALECT as MYSQL
from openpy.modules.postgres.dialect import DIALECT as POSTGRES
from openpy.modules.sqlite.dialect import DIALECT as SQLITE

DIALECTS: dict[str, Dialect] = {"sqlite": SQLITE, "mysql": MYSQL, "postgres": POSTGRES}

NAME = f"openpy_test_{os.getpid()}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"

SERVERS = {
    "mysql": ("mysql://root@127.0.0.1:3306", "mysql"),
    "postgres": ("postgres://root@127.0.0.1:5432", "postgres"),
}
"""The URL of each server, and a database that is always there."""

with_server = pytest.mark.parametrize("kind", list(SERVERS))
"""For tests of what can happen to a server, and not to a file."""

PATIENCE = 20.0
"""Seconds: making a database may take long on a busy machine."""


class Databases:
    """Empty databases by kind, made when they are first wanted, and dropped in the end."""

    def __init__(self) -> None:
        self._made: set[str] = set()

    def empty(self, kind: str, folder: Path) -> DatabaseUrl:
        """The URL of an empty database; the test is skipped where no server answers."""
        if kind == "sqlite":
            return parse_url(f"sqlite:///{folder}/openpy.db")
        if kind not in self._made:
            self._make(kind)
        url = parse_url(f"{SERVERS[kind][0]}/{NAME}")
        with closing(DIALECTS[kind].connect(url, patience=PATIENCE)) as connection:
            _empty(kind, connection)
        return url

    def drop(self) -> None:
        """Drop every database that was made."""
        for kind in self._made:
            with closing(self._administer(kind)) as connection:
                _drop(kind, connection)

    def _make(self, kind: str) -> None:
        try:
            connection = self._administer(kind)
        except DatabaseError as error:
            pytest.skip(f"no {kind} server: {error}")
        with closing(connection):
            _drop(kind, connection)
            execute(connection, f"CREATE DATABASE {NAME}")
        self._made.add(kind)

    def _administer(self, kind: str) -> Connection:
        server, database = SERVERS[kind]
        return DIALECTS[kind].connect(parse_url(f"{server}/{database}"), patience=PATIENCE)


def _drop(kind: str, connection: Connection) -> None:
    force = " WITH (FORCE)" if kind == "postgres" else ""
    execute(connection, f"DROP DATABASE IF EXISTS {NAME}{force}")


def _empty(kind: str, connection: Connection) -> None:
    if kind == "postgres":
        execute(connection, "DROP SCHEMA public CASCADE")
        execute(connection, "CREATE SCHEMA public")
        return
    tables = fetch(
        connection, "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
    )
    for (table,) in tables:
        execute(connection, f"DROP TABLE `{table}`")


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """The databases of one test process."""
    databases = Databases()
    yield databases
    databases.drop()
