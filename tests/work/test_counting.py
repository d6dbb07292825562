"""What counts as work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from openpy.db.dialect import fetch
from openpy.db.url import parse_url
from tests.work.counting import Calls, CountingDialect

ROUTE = """
def inner(text):
    return len(text)

def route(text):
    return inner(text) + inner(text)
"""


def route() -> Callable[[str], int]:
    """A function of a script: whether the package is compiled or not, that is not."""
    made: dict[str, Any] = {}
    exec(compile(ROUTE, "work.cfg", "exec"), made)
    found: Callable[[str], int] = made["route"]
    return found


def test_calls_of_the_package_count_and_those_of_the_test_do_not() -> None:
    function, calls = route(), Calls()
    with calls:
        function("a")
        sorted([len("a"), max(2, 1)])
    assert (calls.python, calls.builtin) == (3, 2)


def test_calls_are_added_up() -> None:
    function, calls = route(), Calls()
    for _ in range(3):
        with calls:
            function("a")
    assert calls.python == 9


def test_statements_and_commits_are_counted_where_it_is_written(tmp_path: Path) -> None:
    dialect = CountingDialect()
    url = parse_url(f"sqlite:///{tmp_path / 'counted.sqlite'}")
    connection, reader = dialect.connect(url), dialect.connect(url, read_only=True)
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE t (a)")
    cursor.execute(dialect.begin)
    cursor.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
    assert cursor.rowcount == 2
    connection.commit()
    assert fetch(reader, "SELECT count(*) FROM t") == [(2,)]
    assert (dialect.asked.statements, dialect.asked.commits) == (3, 1)
    for item in (cursor, connection, reader):
        item.close()
