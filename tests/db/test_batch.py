from collections.abc import Sequence
from typing import Any

import peewee
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openpy.db import schema
from openpy.db.batch import Batch, run_in_order
from openpy.db.dialect import Connection, Dialect, Row, execute, fetch
from openpy.db.errors import RowGone
from openpy.db.statements import Change, Delete, Insert, Operation, TableSql, Update, Upsert
from openpy.db.tables import Table


def rows(connection: Connection) -> list[Row]:
    return fetch(connection, "SELECT id, owner, unread, note FROM mailbox ORDER BY id")


def run(connection: Connection, operations: Sequence[Change]) -> int:
    batch = Batch()
    batch.add(operations)
    return batch.run(connection.cursor())


def test_the_last_full_row_wins(connection: Connection, empty_table: TableSql) -> None:
    operations = [Upsert(empty_table, 1, ("alice", n, None)) for n in range(3)]
    assert run(connection, [*operations]) == 1
    assert rows(connection) == [(1, "alice", 2, None)]


def test_new_rows_get_their_ids_from_the_database(connection: Connection, empty_table: TableSql) -> None:
    inserts = [Insert(empty_table, (owner, 1, None)) for owner in ("alice", "bob")]
    assert run(connection, inserts) == 2
    assert run_in_order([Insert(empty_table, ("carol", 2, "x"))], connection.cursor()) == 1
    found = rows(connection)
    assert [row[1:] for row in found] == [("alice", 1, None), ("bob", 1, None), ("carol", 2, "x")]
    assert len({row[0] for row in found}) == 3


def test_an_update_completes_a_full_row(connection: Connection, empty_table: TableSql) -> None:
    note = empty_table.update("note")
    assert run(connection, [Upsert(empty_table, 1, ("alice", 1, None)), Update(note, 1, ("x",))]) == 1
    assert rows(connection) == [(1, "alice", 1, "x")]


def test_updates_of_one_row_that_share_columns_keep_their_order(
    connection: Connection, empty_table: TableSql
) -> None:
    run(connection, [Upsert(empty_table, 1, ("alice", 0, None)), Upsert(empty_table, 2, ("bob", 0, None))])
    first, second = empty_table.update("unread", "note"), empty_table.update("unread")
    run(
        connection,
        [
            Update(first, 1, (1, "a")),
            Update(second, 1, (2,)),
            Update(second, 2, (3,)),
            Update(first, 2, (4, "b")),
        ],
    )
    assert rows(connection) == [(1, "alice", 2, "a"), (2, "bob", 4, "b")]


def test_a_deleted_row_frees_its_unique_key(connection: Connection, empty_table: TableSql) -> None:
    run(connection, [Upsert(empty_table, 1, ("alice", 0, None))])
    assert run(connection, [Upsert(empty_table, 2, ("alice", 1, None)), Delete(empty_table, 1)]) == 2
    assert rows(connection) == [(2, "alice", 1, None)]


def test_delete_wins_over_what_came_before_and_loses_to_what_comes_after(
    connection: Connection, empty_table: TableSql
) -> None:
    note = empty_table.update("note")
    full = Upsert(empty_table, 1, ("alice", 0, None))
    run(connection, [full, Update(note, 1, ("x",)), Delete(empty_table, 1), Update(note, 1, ("y",))])
    assert rows(connection) == []
    run(connection, [Update(note, 1, ("y",)), Delete(empty_table, 1), full])
    assert rows(connection) == [(1, "alice", 0, None)]


def test_an_update_that_finds_no_row_is_told(connection: Connection, empty_table: TableSql) -> None:
    update = Update(empty_table.update("note"), 7, ("x",))
    with pytest.raises(RowGone, match="mailbox"):
        run(connection, [update])
    with pytest.raises(RowGone, match="mailbox"):
        run_in_order([update], connection.cursor())


def test_in_order_two_rows_exchange_a_unique_key(connection: Connection, empty_table: TableSql) -> None:
    owner = empty_table.update("owner")
    run(connection, [Upsert(empty_table, 1, ("alice", 0, None)), Upsert(empty_table, 2, ("bob", 0, None))])
    operations = [Update(owner, 1, ("",)), Update(owner, 2, ("alice",)), Update(owner, 1, ("bob",))]
    assert run_in_order(operations, connection.cursor()) == 3
    assert [row[1] for row in rows(connection)] == ["bob", "alice"]


def test_in_order_everything_runs_as_it_stands(connection: Connection, empty_table: TableSql) -> None:
    operations: list[Operation] = [Upsert(empty_table, 1, ("alice", 0, None)), Delete(empty_table, 1)]
    assert run_in_order(operations, connection.cursor()) == 2
    assert rows(connection) == []


class Numbers(Table):
    unread = peewee.IntegerField()
    note = peewee.IntegerField()


COLUMNS = [("unread",), ("note",), ("unread", "note"), ("note", "unread")]
STEPS = st.lists(
    st.tuples(st.sampled_from(["upsert", "delete", *COLUMNS]), st.integers(1, 3), st.integers(0, 9)),
    max_size=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_a_batch_leaves_what_its_operations_leave_one_by_one(
    connection: Connection, dialect: Dialect, steps: list[tuple[Any, int, int]]
) -> None:
    schema.create(dialect, connection, [Numbers])
    execute(connection, "DELETE FROM numbers")
    table = TableSql(dialect, "numbers", ["unread", "note"], {})
    table.adapt(dialect.real_columns(connection, "numbers"))
    batch = Batch()
    model: dict[int, dict[str, int]] = {id_: {"unread": 0, "note": 0} for id_ in (1, 2, 3)}
    operations: list[Operation] = [Upsert(table, id_, (0, 0)) for id_ in model]
    batch.add(operations)
    batch.run(connection.cursor())
    batch = Batch()
    for kind, id_, value in steps:
        if kind == "upsert":
            model[id_] = {"unread": value, "note": -value}
            batch.add([Upsert(table, id_, (value, -value))])
        elif kind == "delete":
            model.pop(id_, None)
            batch.add([Delete(table, id_)])
        elif id_ in model:
            values = {column: value + place for place, column in enumerate(kind)}
            model[id_].update(values)
            batch.add([Update(table.update(*kind), id_, tuple(values.values()))])
    batch.run(connection.cursor())
    found = {id_: {"unread": unread, "note": note} for id_, unread, note in fetch(connection, table.select)}
    assert found == model


def test_guarded_updates_of_one_row_each_find_what_the_one_before_made(
    connection: Connection, empty_table: TableSql
) -> None:
    run(connection, [Upsert(empty_table, 1, ("a", 0, None)), Upsert(empty_table, 2, ("x", 0, None))])
    owner, both = (
        empty_table.guarded_update("owner", "owner"),
        empty_table.guarded_update("owner", "owner", "unread"),
    )
    chain = [Update(owner, 1, ("b", "a")), Update(both, 2, ("y", 5, "x")), Update(both, 1, ("c", 9, "b"))]
    assert run(connection, [*chain]) == 3
    assert rows(connection) == [(1, "c", 9, None), (2, "y", 5, None)]
    with pytest.raises(RowGone):
        run(connection, [Update(owner, 1, ("d", "a")), Update(owner, 1, ("e", "c"))])


def test_a_guarded_update_of_a_row_that_is_written_as_a_whole_or_deleted(
    connection: Connection, empty_table: TableSql
) -> None:
    owner = empty_table.guarded_update("owner", "owner")
    run(connection, [Upsert(empty_table, 2, ("x", 0, None))])
    operations: list[Operation] = [
        Upsert(empty_table, 1, ("a", 0, None)),
        Update(owner, 1, ("b", "a")),
        Update(owner, 2, ("y", "x")),
        Delete(empty_table, 2),
        Update(owner, 2, ("z", "y")),
    ]
    run(connection, operations)
    assert rows(connection) == [(1, "b", 0, None)]
