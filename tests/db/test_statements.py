import pytest

from openpy.db.dialect import ColumnInfo, EachRow
from openpy.db.statements import Delete, TableSql, Update, Upsert
from openpy.modules.sqlite.dialect import DIALECT


@pytest.fixture
def table() -> TableSql:
    return TableSql(DIALECT, "t", ["name", "count", "body"], {"name": 4, "body": None})


def test_sql_is_made_once(table: TableSql) -> None:
    assert table.select == 'SELECT "id", "name", "count", "body" FROM "t"'
    assert isinstance(table.delete, EachRow)
    assert table.delete.sql == 'DELETE FROM "t" WHERE "id" = ?'
    assert table.update("count", "name") is table.update("count", "name")
    assert table.update("count", "name") is not table.update("name", "count")


def test_an_update_knows_its_place_in_a_full_row_and_in_other_updates(table: TableSql) -> None:
    update = table.update("body", "name")
    assert update.in_full_row == [(2, 0), (0, 1)]
    assert update.overlap(table.update("count", "name")) == [(1, 1)]
    assert update.overlap(table.update("count")) == []


def test_a_column_that_is_not_there_is_a_mistake_at_the_start(table: TableSql) -> None:
    with pytest.raises(ValueError, match="nosuch"):
        table.update("nosuch")


@pytest.mark.parametrize(
    ("values", "column"),
    [
        (("four", 10**9, b"\xff" * 99), None),
        (("fïve", 0, "Ω" * 99), None),
        (("fives", 0, ""), "name"),
        (("a\udcff", 0, ""), "name"),
        (("", 0, "long, but not UTF-8: \udc80"), "body"),
        ((None, None, None), None),
    ],
)
def test_misfit_names_the_column(table: TableSql, values: tuple[object, ...], column: str | None) -> None:
    assert table.misfit(values) == column


def test_a_row_as_it_can_be_stored(table: TableSql) -> None:
    values = ("f\u00efve and more", 10**9, "not UTF-8: \udc80")
    assert table.fitted(values) == ("f\u00efve", 10**9, "not UTF-8: \ufffd")
    assert table.misfit(table.fitted(values)) is None


def test_misfit_of_an_update_names_the_column_too(table: TableSql) -> None:
    update = table.update("body", "name")
    assert update.misfit(("long enough", "four")) is None
    assert update.misfit(("", "fives")) == "name"


def test_what_was_assumed_is_put_right_everywhere(table: TableSql) -> None:
    update = table.update("name")
    table.adapt({"name": ColumnInfo(2, False, False, "varchar"), "body": ColumnInfo(None, False)})
    assert table.types == {"id": "", "name": "varchar", "count": "", "body": ""}
    assert table.widths == {"name": 2, "body": None}
    assert (
        table.misfit(("abc", 0, ""))
        == update.misfit(("abc",))
        == table.update("name").misfit(("abc",))
        == "name"
    )


def test_operations_say_what_they_carry(table: TableSql) -> None:
    assert Upsert(table, 1, ("a", 2, b"")).values == ("a", 2, b"")
    assert Update(table.update("count"), 1, (2,)).sql.table is table
    assert Delete(table, 1).id == 1


def test_a_guarded_update_is_of_a_row_that_nobody_else_changed(table: TableSql) -> None:
    update = table.guarded_update("name", "body", "name")
    assert isinstance(update.statement, EachRow)
    assert update.statement.sql == 'UPDATE "t" SET "body" = ?, "name" = ? WHERE "name" = ? AND "id" = ?'
    assert update is table.guarded_update("name", "body", "name")
    assert update.in_full_row == [(2, 0), (0, 1)]
    assert update.misfit(("", "fives", "old")) == "name"
    with pytest.raises(ValueError, match="nosuch"):
        table.guarded_update("nosuch", "name")
