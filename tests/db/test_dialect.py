import pytest

from openpy.db.dialect import Connection, Dialect, SchemaRecorder, execute, fetch, stream
from openpy.db.errors import DatabaseError, RowRefused, Unavailable
from openpy.modules.sqlite.dialect import DIALECT


class Words(type(DIALECT)):  # type: ignore[misc]
    """With the marks that most drivers want."""

    placeholder = "%s"


def test_fixed_sql_addresses_rows_by_id() -> None:
    dialect: Dialect = Words()
    assert dialect.update_sql("t", ["a", "b"]) == 'UPDATE "t" SET "a" = %s, "b" = %s WHERE id = %s'
    assert dialect.delete_sql('odd"name') == 'DELETE FROM "odd""name" WHERE id = %s'


def test_run_counts_the_rows_that_it_found(connection: Connection) -> None:
    execute(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT)")
    execute(connection, "INSERT INTO t VALUES (1, 0), (2, 0)")
    rows = [(5, 1), (6, 2), (7, 3)]
    assert DIALECT.run(connection.cursor(), DIALECT.update_sql("t", ["a"]), rows) == 2
    assert fetch(connection, "SELECT a FROM t WHERE a > ? ORDER BY id", (5,)) == [(6,)]


def test_stream_gives_rows_as_they_are_wanted(connection: Connection) -> None:
    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT i FROM n"
    rows = stream(connection, series, (2500,))
    assert next(rows) == (1,)
    assert sum(1 for _ in rows) == 2499


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
