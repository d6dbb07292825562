import socket
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from openpy.db.dialect import Connection, execute, fetch
from openpy.db.errors import DatabaseError, OutcomeUnknown, RowRefused, Unavailable, Unusable, WrongTable
from openpy.db.url import DatabaseUrl, parse_url
from openpy.modules.postgres import driver
from openpy.modules.postgres.driver import classify, connect
from tests.modules.servers import a_lock_is_waited_for_briefly, a_reader_cannot_write


def value(connection: Connection, setting: str) -> object:
    return fetch(connection, f"SHOW {setting}")[0][0]


def test_a_session_reads_what_is_committed_and_waits_briefly(url: DatabaseUrl) -> None:
    with closing(connect(url, read_only=False, patience=0.4)) as connection:
        assert value(connection, "client_encoding") == "UTF8"
        assert value(connection, "default_transaction_isolation") == "read committed"
        assert value(connection, "lock_timeout") == "200ms"
        assert value(connection, "statement_timeout") == "360ms"


def test_commits_are_durable_whatever_the_database_is_set_to(
    url: DatabaseUrl, connection: Connection
) -> None:
    execute(connection, f"ALTER DATABASE {url.database} SET synchronous_commit = off")
    try:
        with closing(connect(url, read_only=False, patience=1.0)) as other:
            assert value(other, "synchronous_commit") == "on"
    finally:
        execute(connection, f"ALTER DATABASE {url.database} RESET synchronous_commit")


def test_a_reader_cannot_write(url: DatabaseUrl, connection: Connection) -> None:
    a_reader_cannot_write(driver, psycopg.Error, url, connection)


def test_a_lock_is_waited_for_briefly(url: DatabaseUrl, connection: Connection) -> None:
    a_lock_is_waited_for_briefly(driver, psycopg.Error, url, connection)


def test_a_socket_file_where_the_host_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(driver, "SOCKETS", ("/no/such", str(tmp_path)))
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / ".s.PGSQL.5432"))
        silent.listen()
        with pytest.raises(Unavailable, match="does not answer"):
            connect(parse_url("postgres:///x"), read_only=False, patience=0.1)


def test_without_a_socket_file_it_is_this_host(url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "SOCKETS", ())
    connect(replace(url, host=""), read_only=False, patience=1.0).close()


@pytest.mark.parametrize(
    "changes", [{"database": "no_such_database"}, {"user": "nobody", "password": "s%40cret"}]
)
def test_who_is_not_let_in_is_told_without_the_password(url: DatabaseUrl, changes: dict[str, str]) -> None:
    with pytest.raises(Unusable, match="does not exist") as caught:
        connect(replace(url, **changes), read_only=False, patience=1.0)  # type: ignore[arg-type]
    assert "s%40cret" not in str(caught.value)


def test_a_server_that_is_not_there_is_unavailable(url: DatabaseUrl) -> None:
    with pytest.raises(Unavailable, match=r"cannot open postgres://root@127\.0\.0\.1:1/"):
        connect(replace(url, port=1), read_only=False, patience=0.4)


def test_a_server_that_does_not_answer_is_unavailable_soon(url: DatabaseUrl) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="does not answer"):
            connect(replace(url, port=silent.getsockname()[1]), read_only=False, patience=0.2)
        assert time.monotonic() - begun < 2


def test_a_statement_without_an_answer_costs_the_connection(url: DatabaseUrl) -> None:
    with closing(connect(url, read_only=False, patience=0.2)) as connection:
        execute(connection, "SET statement_timeout = 0")
        begun = time.monotonic()
        with pytest.raises(psycopg.OperationalError):
            execute(connection, "SELECT pg_sleep(5)")
        assert time.monotonic() - begun < 2.5
        with pytest.raises(psycopg.OperationalError) as caught:
            connection.rollback()
        assert type(classify(caught.value)) is Unavailable


@pytest.mark.parametrize(
    ("exception", "in_commit", "meaning"),
    [
        (psycopg.OperationalError("server closed the connection"), False, Unavailable),
        (psycopg.OperationalError("server closed the connection"), True, OutcomeUnknown),
        (errors.AdminShutdown("shut down"), True, OutcomeUnknown),
        (errors.SerializationFailure("deadlock"), True, Unavailable),
        (errors.UniqueViolation("deferred"), True, RowRefused),
        (errors.LockNotAvailable("lock"), False, Unavailable),
        (errors.DiskFull("full"), False, Unavailable),
        (errors.QueryCanceled("timeout"), False, Unavailable),
        (errors.UniqueViolation("duplicate"), False, RowRefused),
        (errors.StringDataRightTruncation("too long"), False, RowRefused),
        (errors.UndefinedTable("no table"), False, WrongTable),
        (errors.UndefinedColumn("no column"), False, WrongTable),
        (errors.InsufficientPrivilege("permission denied"), False, Unusable),
        (errors.InvalidPassword("password"), False, Unusable),
        (psycopg.ProgrammingError("cannot adapt"), False, RowRefused),
        (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogate"), False, RowRefused),
    ],
)
def test_what_an_exception_means(exception: Exception, in_commit: bool, meaning: type[DatabaseError]) -> None:
    assert type(classify(exception, in_commit=in_commit)) is meaning


def test_what_is_not_of_the_driver_is_not_explained() -> None:
    assert classify(KeyError("x")) is None
