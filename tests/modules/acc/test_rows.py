"""Rows of accounting, on each database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openpy.db import schema
from openpy.db.database import Database
from openpy.db.dialect import execute, fetch
from openpy.db.errors import Unavailable
from openpy.engine.log import Log
from openpy.modules.acc.records import Record
from openpy.modules.acc.rows import Rows
from openpy.modules.acc.tables import COLUMNS, TABLES, accounting_table
from tests.servers import DIALECTS, Databases, databases

__all__ = ["databases"]

RECORD = Record("INVITE", "f", "t" * 200, "call\udcff", "200", "OK", 1_600_000_000)


class Site:
    def __init__(self, kind: str, databases: Databases, folder: Path) -> None:
        self.url = databases.empty(kind, folder)
        self.dialect = DIALECTS[kind]
        self.posted: list[Callable[[], None]] = []
        self.logged: list[str] = []
        self.database = Database(self.url, self.dialect, self.posted.append)
        with closing(self.dialect.connect(self.url, patience=10.0)) as connection:
            schema.create(self.dialect, connection, TABLES)
        self.database.open()
        self.rows = Rows(
            self.database,
            Log(4, lambda _, line: self.logged.append(line)),
            ("acc", "missed_calls", "acc"),
            COLUMNS,
            (),
        )

    def stop(self) -> None:
        self.database.close()
        while self.posted:
            self.posted.pop(0)()

    def read(self, name: str) -> list[tuple[object, ...]]:
        with closing(self.dialect.connect(self.url, patience=10.0)) as connection:
            names = ", ".join(self.dialect.quote(column) for column in COLUMNS)
            return fetch(connection, f"SELECT {names} FROM {self.dialect.quote(name)} ORDER BY id")


@pytest.fixture(params=list(DIALECTS))
def site(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path) -> Iterator[Site]:
    found = Site(str(request.param), databases, tmp_path)
    yield found
    found.stop()


def test_rows_are_written_behind(site: Site) -> None:
    site.rows.keep("acc", RECORD, (), ())
    site.rows.keep("acc", RECORD._replace(code="486"), (), ((), ()))
    site.rows.keep("missed_calls", RECORD, (), ())
    site.stop()
    rows = site.read("acc")
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(RECORD.time))
    assert [row[:-1] for row in rows] == [
        ("INVITE", "f", "t" * 128, "call\ufffd", code, "OK") for code in ("200", "486", "486")
    ]
    assert {str(row[-1]) for row in rows} == {moment}
    assert len(site.read("missed_calls")) == 1
    assert site.logged == []


def test_a_table_that_nobody_has_named_at_the_start(site: Site) -> None:
    with closing(site.dialect.connect(site.url, patience=10.0)) as connection:
        schema.create(site.dialect, connection, [accounting_table("late", 0, COLUMNS)])
    site.rows.keep("late", RECORD, (), ())
    site.rows.keep("later", RECORD, (), ())
    site.stop()
    assert len(site.read("late")) == 1
    (line,) = site.logged
    assert "a row of later was not written (" in line


def test_a_row_that_is_refused_is_logged(site: Site) -> None:
    with closing(site.dialect.connect(site.url, patience=10.0)) as connection:
        execute(connection, f"DROP TABLE {site.dialect.quote('acc')}")
        connection.commit()
    site.rows.keep("acc", RECORD, (), ())
    site.stop()
    (line,) = site.logged
    assert "a row of acc was not written (" in line
    assert "method=INVITE;from_tag=f;" in line


def test_a_database_that_takes_nothing(site: Site) -> None:
    def refuse(*_: object) -> None:
        raise Unavailable("full")

    site.database.writer.submit = refuse  # type: ignore[assignment,method-assign]
    site.rows.keep("acc", RECORD, (), ())
    assert "a row of acc was not written (full)" in site.logged[0]
