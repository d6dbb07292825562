"""A database of each kind, and a table to keep in it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import peewee
import pytest

from openpy.db import schema
from openpy.db.dialect import Connection, Dialect
from openpy.db.statements import TableSql
from openpy.db.tables import Table, columns_of
from openpy.db.url import DatabaseUrl
from tests.gate import Gate, gate
from tests.servers import DIALECTS, Databases, databases

__all__ = ["databases", "gate"]


class Mailbox(Table):
    """No two mailboxes have one owner."""

    table_version = 3
    legacy_widths: ClassVar = {"note": 16}

    owner = peewee.CharField(16)
    unread = peewee.IntegerField()
    note = peewee.CharField(32, null=True)

    class Meta:
        table_name = "mailbox"
        indexes = ((("owner",), True),)


@pytest.fixture
def mailbox() -> type[Table]:
    return Mailbox


@pytest.fixture(params=list(DIALECTS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def dialect(kind: str) -> Dialect:
    return DIALECTS[kind]


@pytest.fixture
def url(kind: str, databases: Databases, tmp_path: Path) -> DatabaseUrl:
    return databases.empty(kind, tmp_path)


@pytest.fixture
def connection(dialect: Dialect, url: DatabaseUrl) -> Iterator[Connection]:
    with closing(dialect.connect(url, patience=10.0)) as connection:
        yield connection


@pytest.fixture
def empty_table(dialect: Dialect, connection: Connection) -> TableSql:
    """The table, made in the database and empty: owner, unread, note."""
    schema.create(dialect, connection, [Mailbox])
    table = TableSql(dialect, "mailbox", list(columns_of(Mailbox)), columns_of(Mailbox))
    table.adapt(dialect.real_columns(connection, "mailbox"))
    return table


@pytest.fixture
def gated(url: DatabaseUrl, gate: Gate) -> DatabaseUrl:
    return replace(url, port=gate.port)
