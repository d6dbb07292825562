import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openpy.db.dialect import ColumnInfo, Connection, execute, fetch
from openpy.db.errors import DatabaseError, OutcomeUnknown, RowRefused, Unavailable, Unusable, WrongTable
from openpy.db.url import DatabaseUrl, parse_url
from openpy.modules.sqlite.dialect import CHECKPOINT_PAGES, DIALECT, LOCK_WAIT, PAGE_SIZE


@pytest.fixture
def url(tmp_path: Path) -> DatabaseUrl:
    return parse_url(f"sqlite:///{tmp_path}/openpy.db")


@pytest.fixture
def connection(url: DatabaseUrl) -> Iterator[Connection]:
    connection = DIALECT.connect(url)
    yield connection
    connection.close()


def pragma(connection: Connection, name: str) -> object:
    return fetch(connection, f"PRAGMA {name}")[0][0]


def test_commits_are_durable_and_waits_are_short(connection: Connection) -> None:
    assert pragma(connection, "journal_mode") == "wal"
    full = 2
    assert pragma(connection, "synchronous") == full
    assert pragma(connection, "page_size") == PAGE_SIZE
    assert pragma(connection, "wal_autocheckpoint") == CHECKPOINT_PAGES
    assert pragma(connection, "busy_timeout") == int(1000 * LOCK_WAIT) == 200


def test_a_reader_reads_and_makes_no_file(url: DatabaseUrl) -> None:
    with pytest.raises(Unusable, match="there is no file"):
        DIALECT.connect(url, read_only=True)
    writing = DIALECT.connect(url)
    execute(writing, "CREATE TABLE t (a INT)")
    reading = DIALECT.connect(url, read_only=True)
    with pytest.raises(sqlite3.OperationalError):
        execute(reading, "INSERT INTO t VALUES (1)")
    reading.close()
    writing.close()


def test_a_missing_directory_is_told_with_the_fourth_slash(tmp_path: Path) -> None:
    relative = str(tmp_path).lstrip("/")
    with pytest.raises(Unusable, match=f"four slashes: sqlite:////{relative}/x.db"):
        DIALECT.connect(parse_url(f"sqlite:///{relative}/x.db"))
    with pytest.raises(Unusable, match='no directory "no/such"') as caught:
        DIALECT.connect(parse_url("sqlite:///no/such/x.db"))
    assert "slashes" not in str(caught.value)


def test_what_cannot_be_opened_must_be_mended(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="unable to open"):
        DIALECT.connect(parse_url(f"sqlite:///{tmp_path}"))
    (tmp_path / "text").write_text("no database, but long enough to be looked at" * 30)
    with pytest.raises(Unusable, match="not a database"):
        DIALECT.connect(parse_url(f"sqlite:///{tmp_path}/text"))
    with pytest.raises(Unusable, match="in memory"):
        DIALECT.connect(parse_url("sqlite:///:memory:"))


def test_a_lock_while_it_is_opened_passes(url: DatabaseUrl) -> None:
    with closing(sqlite3.connect(url.database)) as other:
        other.execute("CREATE TABLE t (a INT)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unavailable, match="locked"):
            DIALECT.connect(url)


def error(code: int) -> sqlite3.Error:
    exception = sqlite3.OperationalError("text")
    exception.sqlite_errorcode = code
    return exception


@pytest.mark.parametrize(
    ("exception", "in_commit", "meaning"),
    [
        (error(sqlite3.SQLITE_BUSY), True, Unavailable),
        (error(sqlite3.SQLITE_BUSY_SNAPSHOT), False, Unavailable),
        (error(sqlite3.SQLITE_FULL), True, Unavailable),
        (error(sqlite3.SQLITE_IOERR_WRITE), False, Unavailable),
        (error(sqlite3.SQLITE_IOERR_FSYNC), True, OutcomeUnknown),
        (error(sqlite3.SQLITE_CONSTRAINT_UNIQUE), False, RowRefused),
        (error(sqlite3.SQLITE_TOOBIG), False, RowRefused),
        (error(sqlite3.SQLITE_ERROR), False, WrongTable),
        (sqlite3.InterfaceError("bad parameter"), False, RowRefused),
        (OverflowError("too large"), False, RowRefused),
        ("\udcff", False, RowRefused),
    ],
)
def test_what_an_exception_means(
    exception: Exception | str, in_commit: bool, meaning: type[DatabaseError]
) -> None:
    if isinstance(exception, str):
        with pytest.raises(UnicodeEncodeError) as caught:
            exception.encode()
        exception = caught.value
    assert type(DIALECT.classify(exception, in_commit=in_commit)) is meaning


def test_what_is_not_of_sqlite_is_not_explained() -> None:
    assert DIALECT.classify(KeyError("x")) is None


def test_real_columns(connection: Connection) -> None:
    execute(
        connection,
        "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a varchar(64) NOT NULL, b TEXT, "
        "c Char ( 8 ) NOT NULL DEFAULT '')",
    )
    assert DIALECT.real_columns(connection, "t") == {
        "id": ColumnInfo(None, False, True, "INTEGER"),
        "a": ColumnInfo(64, False, False, "varchar(64)"),
        "b": ColumnInfo(None, True, False, "TEXT"),
        "c": ColumnInfo(8, False, True, "Char ( 8 )"),
    }
    assert DIALECT.real_columns(connection, "nosuch") == {}


def test_an_upsert_writes_a_row_whether_it_is_there_or_not(connection: Connection) -> None:
    execute(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b BLOB)")
    upsert = DIALECT.upsert("t", {"id": "", "a": "", "b": ""})
    upsert.run(connection.cursor(), [(1, "x", b"\0"), (1, "X", b"\xff"), (2, "x", None)])
    assert fetch(connection, "SELECT * FROM t ORDER BY id") == [(1, "X", b"\xff"), (2, "x", None)]


def test_comparison_is_binary(connection: Connection) -> None:
    execute(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(8) UNIQUE)")
    DIALECT.upsert("t", {"id": "", "a": ""}).run(connection.cursor(), [(1, "Alice"), (2, "alice")])
    assert fetch(connection, "SELECT id FROM t WHERE a = ?", ("alice",)) == [(2,)]
