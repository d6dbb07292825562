import peewee

from openpy.db.dialect import Connection, Dialect, execute, fetch
from openpy.db.tables import (
    Table,
    Version,
    columns_of,
    ddl,
    name_of,
    named,
    reading,
    table_ddl,
    text_column,
    time_column,
    with_columns,
)
from openpy.modules.mysql.dialect import DIALECT as MYSQL
from openpy.modules.sqlite.dialect import DIALECT as SQLITE
from openpy.modules.sqlite.dialect import SqliteDialect


class Fancy(SqliteDialect):
    table_options = " STRICT"


def test_columns_after_id_with_their_widths(mailbox: type[Table]) -> None:
    assert columns_of(mailbox) == {"owner": 16, "unread": None, "note": 32}


def test_ddl_makes_tables_indexes_and_versions(
    mailbox: type[Table], dialect: Dialect, connection: Connection
) -> None:
    script = ddl(dialect, [mailbox])
    for statement in filter(None, script.split(";\n")):
        execute(connection, statement)
    assert fetch(connection, "SELECT table_name, table_version FROM version") == [("mailbox", 3)]
    assert list(dialect.real_columns(connection, "mailbox")) == ["id", "owner", "unread", "note"]
    assert "CREATE UNIQUE INDEX" in script


def test_a_table_under_another_name_has_its_own_indexes(
    mailbox: type[Table], dialect: Dialect, connection: Connection
) -> None:
    other = named(mailbox, "voicemail")
    assert (name_of(other), other.table_version) == ("voicemail", 3)
    assert columns_of(other) == columns_of(mailbox)
    for statement in table_ddl(dialect, mailbox) + table_ddl(dialect, other):
        execute(connection, statement)
    assert name_of(mailbox) == "mailbox"


def test_the_own_name_is_no_other_name(mailbox: type[Table]) -> None:
    assert named(mailbox, "") is mailbox
    assert named(mailbox, "mailbox") is mailbox


def test_a_table_with_other_names_of_columns(
    mailbox: type[Table], dialect: Dialect, connection: Connection
) -> None:
    other = with_columns(mailbox, "voicemail", {"owner": "whose", "note": "note"})
    assert (name_of(other), other.table_version) == ("voicemail", 3)
    assert columns_of(other) == {"whose": 16, "unread": None, "note": 32}
    assert other.legacy_widths == {
        "whose" if name == "owner" else name: width for name, width in mailbox.legacy_widths.items()
    }
    for statement in table_ddl(dialect, other):
        execute(connection, statement)
    assert "whose" in dialect.real_columns(connection, "voicemail")
    assert with_columns(mailbox, "mailbox", {"owner": "owner"}) is mailbox


def test_table_options_of_the_dialect_end_create_table() -> None:
    (statement,) = table_ddl(Fancy(), Version)
    assert statement.startswith("CREATE TABLE")
    assert statement.endswith(") STRICT")


class Wide(Table):
    first = peewee.CharField(255)
    second = peewee.CharField(255)
    third = peewee.CharField(255)
    number = peewee.IntegerField()
    fourth = peewee.CharField(64)

    class Meta:
        indexes = ((("first", "second", "third", "number", "fourth"), True),)


def test_an_index_that_is_too_wide_covers_the_beginnings_and_refuses_nothing() -> None:
    _, index = table_ddl(MYSQL, Wide)
    assert index.startswith("CREATE INDEX")
    assert index.endswith("(`first`(153), `second`(153), `third`(153), `number`, `fourth`(64))")
    assert table_ddl(SQLITE, Wide)[1].startswith("CREATE UNIQUE INDEX")


def test_tables_that_openser_does_not_have_are_ours(mailbox: type[Table]) -> None:
    assert not mailbox.is_ours()
    assert named(mailbox, "openpy_mailbox").is_ours()


def test_a_table_as_who_only_reads_it_sees_it(
    mailbox: type[Table], dialect: Dialect, connection: Connection
) -> None:
    seen = reading(mailbox, ["id", "owner", "colour"], "voicemail", oldest=1)
    assert (name_of(seen), seen.table_version, seen.oldest_version) == ("voicemail", 3, 1)
    assert seen.needed == frozenset({"id", "owner", "colour"})
    assert columns_of(seen) == {**columns_of(mailbox), "colour": 255}
    for statement in table_ddl(dialect, mailbox) + table_ddl(dialect, seen):
        execute(connection, statement)
    assert dialect.real_columns(connection, "voicemail")["colour"].nullable
    assert reading(mailbox, ["owner"]).needed == frozenset({"owner"})
    assert mailbox.needed is None


class Note(Table):
    text = text_column(8)
    changed = time_column()


def test_columns_that_a_row_need_not_give(dialect: Dialect, connection: Connection) -> None:
    for statement in table_ddl(dialect, Note):
        execute(connection, statement)
    mark = dialect.placeholder
    execute(connection, f"INSERT INTO note (id) VALUES ({mark})", (1,))
    ((text, changed),) = fetch(connection, "SELECT text, changed FROM note")
    assert text == ""
    assert str(changed) == "1900-01-01 00:00:01"
