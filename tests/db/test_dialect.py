from contextlib import closing

import pytest

from openpy.db.dialect import Connection, Dialect, EachRow, SchemaRecorder, fetch
from openpy.db.errors import DatabaseError, RowRefused, Unavailable
from openpy.db.statements import TableSql
from openpy.modules.sqlite.dialect import DIALECT


class Words(type(DIALECT)):  # type: ignore[misc]
    """With the marks that most drivers want."""

    placeholder = "%s"


def test_fixed_sql_addresses_rows_by_id() -> None:
    dialect: Dialect = Words()
    update, delete = dialect.update("t", {"a": "", "b": "", "id": ""}), dialect.delete('odd"name')
    assert isinstance(update, EachRow)
    assert update.sql == 'UPDATE "t" SET "a" = %s, "b" = %s WHERE "id" = %s'
    assert isinstance(delete, EachRow)
    assert delete.sql == 'DELETE FROM "odd""name" WHERE "id" = %s'


def test_a_statement_counts_the_rows_that_it_found(
    dialect: Dialect, connection: Connection, empty_table: TableSql
) -> None:
    cursor = connection.cursor()
    assert empty_table.upsert.run(cursor, [(1, "alice", 5, None), (2, "bob", 6, None)]) == 2
    update = empty_table.update("unread").statement
    assert update.run(cursor, [(5, 1), (7, 2), (7, 3)]) == 2, "also where nothing changes"
    assert fetch(connection, f"SELECT unread FROM mailbox WHERE unread > {dialect.placeholder}", (5,)) == [
        (7,)
    ]
    assert empty_table.delete.run(cursor, [(2,), (3,)]) == 1
    cursor.close()


def test_stream_gives_rows_as_they_are_wanted(
    dialect: Dialect, connection: Connection, empty_table: TableSql
) -> None:
    cursor = connection.cursor()
    empty_table.upsert.run(cursor, [(id_, f"o{id_}", 0, None) for id_ in range(2501)])
    cursor.close()
    query = f"SELECT id FROM mailbox WHERE id > {dialect.placeholder} ORDER BY id"
    rows = dialect.stream(connection, query, (0,))
    assert next(rows) == (1,)
    assert sum(1 for _ in rows) == 2499


def test_the_rows_of_a_statement_that_may_have_none(
    dialect: Dialect, connection: Connection, empty_table: TableSql
) -> None:
    with closing(connection.cursor()) as cursor:
        cursor.execute("INSERT INTO mailbox VALUES (1, 'alice', 3, NULL)")
        assert dialect.result(cursor, 5) == []
        cursor.execute("SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3")
        assert [tuple(row) for row in dialect.result(cursor, 2)] == [(1,), (2,)]


def test_there_is_no_advice_where_nothing_is_to_be_said(connection: Connection) -> None:
    assert DIALECT.advice(connection, "t") == []


def test_ddl_is_recorded_and_must_need_no_parameters() -> None:
    recorder = SchemaRecorder()
    recorder.execute_sql("CREATE TABLE t (a INT)")
    assert recorder.statements == ["CREATE TABLE t (a INT)"]
    with pytest.raises(ValueError, match="cannot be shown"):
        recorder.execute_sql("CREATE TABLE t (a INT DEFAULT ?)", [1])


def test_whatever_happens_is_explained(caplog: pytest.LogCaptureFixture) -> None:
    gone = Unavailable("gone")
    assert DIALECT.explain(gone) is gone
    assert isinstance(DIALECT.explain(OverflowError("too large")), RowRefused)
    assert caplog.text == ""
    mistake = DIALECT.explain(LookupError("ours"))
    assert (type(mistake), str(mistake)) == (DatabaseError, "LookupError: ours")
    assert "not the database's" in caplog.text


def test_explained_lets_only_database_errors_out() -> None:
    with pytest.raises(RowRefused) as caught, DIALECT.explained():
        raise OverflowError("too large")
    assert isinstance(caught.value.__cause__, OverflowError)
    with pytest.raises(Unavailable, match="gone"), DIALECT.explained():
        raise Unavailable("gone")
