from openpy.db.dialect import Connection, execute, fetch
from openpy.db.tables import Table, Version, columns_of, ddl, name_of, named, table_ddl
from openpy.modules.sqlite.dialect import DIALECT, SqliteDialect


class Fancy(SqliteDialect):
    table_options = " STRICT"


def test_columns_after_id_with_their_widths(mailbox: type[Table]) -> None:
    assert columns_of(mailbox) == {"owner": 16, "unread": None, "note": 32}


def test_ddl_makes_tables_indexes_and_versions(mailbox: type[Table], connection: Connection) -> None:
    script = ddl(DIALECT, [mailbox])
    for statement in script.split(";\n"):
        execute(connection, statement)
    assert fetch(connection, "SELECT table_name, table_version FROM version") == [("mailbox", 3)]
    assert list(DIALECT.real_columns(connection, "mailbox")) == ["id", "owner", "unread", "note"]
    assert "CREATE UNIQUE INDEX" in script


def test_a_table_under_another_name_has_its_own_indexes(mailbox: type[Table], connection: Connection) -> None:
    other = named(mailbox, "voicemail")
    assert (name_of(other), other.table_version) == ("voicemail", 3)
    assert columns_of(other) == columns_of(mailbox)
    for statement in table_ddl(DIALECT, mailbox) + table_ddl(DIALECT, other):
        execute(connection, statement)
    assert name_of(mailbox) == "mailbox"


def test_the_own_name_is_no_other_name(mailbox: type[Table]) -> None:
    assert named(mailbox, "") is mailbox
    assert named(mailbox, "mailbox") is mailbox


def test_table_options_of_the_dialect_end_create_table() -> None:
    (statement,) = table_ddl(Fancy(), Version)
    assert statement.startswith("CREATE TABLE")
    assert statement.endswith(") STRICT")
