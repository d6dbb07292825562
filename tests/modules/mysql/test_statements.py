import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openpy.db.dialect import Connection, Row, execute, fetch
from openpy.db.errors import RowRefused
from openpy.modules.mysql.dialect import DIALECT
from openpy.modules.mysql.statements import LONGEST, MOST_ROWS, DeleteRows, UpdateRows, UpsertRows, literal

UPSERT = UpsertRows("`t`", ["`id`", "`a`", "`b`", "`body`"])
UPDATE = UpdateRows("`t`", ["`a`", "`body`", "`id`"])
DELETE = DeleteRows("`t`", "`id`")


class Recorder:
    """Keeps the statements, and finds two rows with each."""

    rowcount = 2

    def __init__(self) -> None:
        self.statements: list[str] = []

    def execute(self, sql: str, parameters: object = None, /) -> None:
        self.statements.append(sql)

    def executemany(self, sql: str, rows: object, /) -> None:
        raise AssertionError

    def fetchall(self) -> list[Row]:
        return []

    def fetchmany(self, size: int = 1, /) -> list[Row]:
        return []

    def close(self) -> None: ...


@pytest.fixture
def table(connection: Connection) -> Connection:
    execute(
        connection,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(64) UNIQUE, b DOUBLE, body BLOB)"
        + DIALECT.table_options,
    )
    return connection


def rows(connection: Connection) -> list[Row]:
    return fetch(connection, "SELECT id, a, b, body FROM t ORDER BY id")


def test_one_statement_for_many_rows() -> None:
    cursor = Recorder()
    assert UPSERT.run(cursor, [(1, "x", None, b"\xff"), (2, "y", 1.5, b"")]) == 2
    assert UPDATE.run(cursor, [("x", b"", 1), ("y", b"", 2)]) == 2
    assert DELETE.run(cursor, [(1,), (2,)]) == 2
    assert len(cursor.statements) == 3
    assert "VALUES (1, 'x', NULL, x'ff'), (2, 'y', 1.5, x'') ON DUPLICATE" in cursor.statements[0]
    assert cursor.statements[1:] == [
        "UPDATE `t` SET `a` = CASE `id` WHEN 1 THEN 'x' WHEN 2 THEN 'y' END, "
        "`body` = CASE `id` WHEN 1 THEN x'' WHEN 2 THEN x'' END WHERE `id` IN (1, 2)",
        "DELETE FROM `t` WHERE `id` IN (1, 2)",
    ]


def test_no_statement_is_too_long() -> None:
    cursor = Recorder()
    assert DELETE.run(cursor, [(id_,) for id_ in range(2 * MOST_ROWS + 1)]) == 6
    assert len(cursor.statements) == 3
    cursor = Recorder()
    body = b"x" * 60_000
    UPSERT.run(cursor, [(id_, "", None, body) for id_ in range(5)])
    assert [len(sql) < LONGEST + 1000 for sql in cursor.statements] == [True] * 3


def test_a_row_of_other_length_is_refused_before_the_server_sees_it() -> None:
    cursor = Recorder()
    for statement in (UPSERT, UPDATE, DELETE):
        with pytest.raises(RowRefused, match="values for"):
            statement.run(cursor, [(1, 2)])
    assert cursor.statements == []


@pytest.mark.parametrize("value", [object(), "\udcff", [1], True])
def test_what_no_column_takes_is_refused(value: object) -> None:
    with pytest.raises(RowRefused):
        literal(value)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.binary(max_size=20))
def test_every_value_comes_back_as_it_was(table: Connection, text: str, body: bytes) -> None:
    cursor = table.cursor()
    UPSERT.run(cursor, [(1, text, None, body)])
    assert rows(table) == [(1, text, None, body)]
    UPDATE.run(cursor, [(text + "'\\", body + b"'\\", 1)])
    assert rows(table) == [(1, text + "'\\", None, body + b"'\\")]


def test_a_row_never_takes_the_place_of_another(table: Connection) -> None:
    cursor = table.cursor()
    UPSERT.run(cursor, [(1, "alice", 0.5, b"kept"), (2, "Alice", 1.0, b"")])
    for new in ([(3, "alice", 0.0, b"")], [(3, "bob", 0.0, b""), (4, "alice", 0.0, b"")]):
        execute(table, "BEGIN")
        with pytest.raises(RowRefused, match="another row has this unique key"), DIALECT.explained():
            UPSERT.run(cursor, new)
        table.rollback()
    assert rows(table) == [(1, "alice", 0.5, b"kept"), (2, "Alice", 1.0, b"")]
    assert UPSERT.run(cursor, [(1, "alice", 0.25, b"new")]) == 1
    assert rows(table)[0] == (1, "alice", 0.25, b"new")
