import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openpy.db.dialect import Connection, Row, execute, fetch
from openpy.db.errors import RowRefused
from openpy.modules.postgres.dialect import DIALECT
from openpy.modules.postgres.statements import delete_rows, update_rows, upsert_rows

KINDS = [('"id"', "integer"), ('"a"', "character varying"), ('"b"', "bigint"), ('"body"', "bytea")]
UPSERT = upsert_rows('"t"', KINDS)
UPDATE = update_rows('"t"', [*KINDS[1:], KINDS[0]])
DELETE = delete_rows('"t"', '"id"')


@pytest.fixture
def table(connection: Connection) -> Connection:
    execute(
        connection,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(64) UNIQUE, b BIGINT, body BYTEA NOT NULL)",
    )
    return connection


def rows(connection: Connection) -> list[Row]:
    return fetch(connection, "SELECT id, a, b, body FROM t ORDER BY id")


def test_the_sql_is_the_same_for_any_number_of_rows() -> None:
    assert UPSERT.sql == (
        'INSERT INTO "t" ("id", "a", "b", "body") SELECT * FROM unnest(%b::integer[], %b::character varying[], '
        '%b::bigint[], %b::bytea[]) ON CONFLICT ("id") DO UPDATE SET "a" = excluded."a", "b" = excluded."b", '
        '"body" = excluded."body"'
    )
    assert UPDATE.sql.endswith('AS new ("a", "b", "body", "id") WHERE "t"."id" = new."id"')


def test_many_rows_at_once(table: Connection) -> None:
    cursor = table.cursor()
    assert UPSERT.run(cursor, [(n, f"a{n}", n, b"%d" % n) for n in range(500)]) == 500
    assert UPDATE.run(cursor, [(f"b{n}", 2**40, b"", n) for n in range(400, 600)]) == 100
    assert DELETE.run(cursor, [(n,) for n in range(499)]) == 499
    assert rows(table) == [(499, "b499", 2**40, b"")]


def test_null_and_numbers_of_any_size_go_together(table: Connection) -> None:
    cursor = table.cursor()
    UPSERT.run(cursor, [(1, None, None, b""), (2, "x", 1, b"x"), (3, "y", 2**40, b"")])
    UPSERT.run(cursor, [(4, None, None, b"")])
    assert rows(table) == [
        (1, None, None, b""),
        (2, "x", 1, b"x"),
        (3, "y", 2**40, b""),
        (4, None, None, b""),
    ]


@pytest.mark.parametrize("bad", [(1, 2), (1, "a", 2, b"", 5)])
def test_a_row_of_other_length_is_refused(table: Connection, bad: Row) -> None:
    with pytest.raises(RowRefused, match="values"):
        UPSERT.run(table.cursor(), [bad])
    with pytest.raises(RowRefused, match="values"):
        UPSERT.run(table.cursor(), [(2, "a", 1, b""), bad])
    assert rows(table) == []


@pytest.mark.parametrize(
    "bad", [(1, object(), 2, b""), (1, "\udcff", 2, b""), (1, "\0", 2, b""), (2**40, "", 2, b"")]
)
def test_a_value_that_no_column_takes_is_refused(table: Connection, bad: Row) -> None:
    with pytest.raises(RowRefused), DIALECT.explained():
        UPSERT.run(table.cursor(), [bad])


def test_a_text_that_is_too_long_is_refused_and_not_cut(table: Connection) -> None:
    with pytest.raises(RowRefused, match="too long"), DIALECT.explained():
        UPSERT.run(table.cursor(), [(1, "x" * 65, 1, b"")])
    assert rows(table) == []


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    st.binary(max_size=20),
)
def test_every_value_comes_back_as_it_was(table: Connection, text: str, body: bytes) -> None:
    UPSERT.run(table.cursor(), [(1, text, 1, body)])
    assert rows(table) == [(1, text, 1, body)]


def test_a_row_never_takes_the_place_of_another(table: Connection) -> None:
    cursor = table.cursor()
    UPSERT.run(cursor, [(1, "alice", 0, b""), (2, "Alice", 1, b"")])
    with pytest.raises(RowRefused, match="unique"), DIALECT.explained():
        UPSERT.run(cursor, [(3, "alice", 0, b"")])
    assert [row[1] for row in rows(table)] == ["alice", "Alice"]
