"""A database in a file, and a table to keep in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import peewee
import pytest

from openpy.db.dialect import Connection
from openpy.db.statements import TableSql
from openpy.db.tables import Table, columns_of, table_ddl
from openpy.db.url import DatabaseUrl
from openpy.modules.sqlite.dialect import DIALECT


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


@pytest.fixture
def url(tmp_path: Path) -> DatabaseUrl:
    return DatabaseUrl("sqlite", "", "", "", None, str(tmp_path / "openpy.db"))


@pytest.fixture
def connection(url: DatabaseUrl) -> Iterator[Connection]:
    connection = DIALECT.connect(url)
    yield connection
    connection.close()


@pytest.fixture
def empty_table(connection: Connection) -> TableSql:
    """The table, made in the database and empty: owner, unread, note."""
    for statement in table_ddl(DIALECT, Mailbox):
        connection.cursor().execute(statement)
    return TableSql(DIALECT, "mailbox", list(columns_of(Mailbox)), columns_of(Mailbox))
