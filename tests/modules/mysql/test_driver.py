import os
import socket
import time
from contextlib import closing
from dataclasses import replace

import pymysql
import pytest

from openpy.db.dialect import Connection, execute, fetch
from openpy.db.errors import DatabaseError, OutcomeUnknown, RowRefused, Unavailable, Unusable, WrongTable
from openpy.db.url import DatabaseUrl, parse_url
from openpy.modules.mysql import driver
from openpy.modules.mysql.driver import classify, connect
from tests.modules.servers import a_lock_is_waited_for_briefly, a_reader_cannot_write


def value(connection: Connection, variable: str) -> object:
    return fetch(connection, f"SELECT @@{variable}")[0][0]


def test_a_session_is_strict_and_reads_what_is_committed(url: DatabaseUrl) -> None:
    with closing(connect(url, read_only=False, patience=0.4)) as connection:
        assert value(connection, "character_set_client") == "utf8mb4"
        assert "STRICT_ALL_TABLES" in str(value(connection, "sql_mode"))
        assert value(connection, "tx_isolation") == "READ-COMMITTED"
        assert value(connection, "autocommit") == 1
        assert value(connection, "max_statement_time") == pytest.approx(0.2)
        assert value(connection, "wait_timeout") == driver.YEAR


def test_a_value_that_does_not_fit_is_refused_and_not_cut(connection: Connection) -> None:
    execute(connection, "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(3))")
    for bad in ("1, 'four'", "99999999999, 'x'", "'x', 'x'"):
        with pytest.raises(pymysql.Error) as caught:
            execute(connection, f"INSERT INTO t VALUES ({bad})")
        assert type(classify(caught.value)) is RowRefused
    assert fetch(connection, "SELECT * FROM t") == []


def test_a_reader_cannot_write(url: DatabaseUrl, connection: Connection) -> None:
    a_reader_cannot_write(driver, pymysql.Error, url, connection)


def test_a_lock_is_waited_for_briefly(url: DatabaseUrl, connection: Connection) -> None:
    a_lock_is_waited_for_briefly(driver, pymysql.Error, url, connection, " ENGINE=InnoDB")


def test_the_socket_file_where_the_host_is_left_out(url: DatabaseUrl) -> None:
    for host in ("", "localhost"):
        with closing(
            connect(replace(url, host=host, port=None), read_only=False, patience=1.0)
        ) as connection:
            (host_seen,) = fetch(connection, "SELECT SUBSTRING_INDEX(USER(), '@', -1)")[0]
            assert host_seen == "localhost"


def test_the_socket_file_that_the_environment_names(
    url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = next(filter(os.path.exists, driver.SOCKETS))
    monkeypatch.setattr(driver, "SOCKETS", ())
    monkeypatch.setenv("MYSQL_UNIX_PORT", path)
    with closing(connect(replace(url, host="", port=None), read_only=False, patience=1.0)) as connection:
        assert fetch(connection, "SELECT SUBSTRING_INDEX(USER(), '@', -1)")[0] == ("localhost",)


def test_without_a_socket_file_localhost_is_a_host(url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "SOCKETS", ("/no/such/socket",))
    with pytest.raises(Unavailable, match="cannot open mysql://root@localhost:1/"):
        connect(replace(url, host="localhost", port=1), read_only=False, patience=0.4)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"database": "no_such_database"}, "Unknown database"),
        ({"user": "nobody", "password": "s%40cret"}, "Access denied"),
    ],
)
def test_who_is_not_let_in_is_told_without_the_password(
    url: DatabaseUrl, changes: dict[str, str], problem: str
) -> None:
    with pytest.raises(Unusable, match=problem) as caught:
        connect(replace(url, **changes), read_only=False, patience=1.0)  # type: ignore[arg-type]
    assert "s%40cret" not in str(caught.value)


def test_a_package_that_the_account_needs_is_named(url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("'cryptography' package is required for caching_sha2_password auth methods")

    monkeypatch.setattr(driver._Connection, "__init__", refuse)
    with pytest.raises(Unusable, match=r"cannot open mysql://.*'cryptography' package is required"):
        connect(url, read_only=False, patience=1.0)


def test_a_password_is_taken_as_it_stands(url: DatabaseUrl, connection: Connection) -> None:
    user = url.database[-30:]
    execute(connection, f"CREATE USER '{user}'@'%%' IDENTIFIED BY 'p@ss:w/%%41'")
    try:
        execute(connection, f"GRANT ALL ON {url.database}.* TO '{user}'@'%%'")
        text = f"mysql://{user}:p@ss:w/%41@127.0.0.1:{url.port}/{url.database}"
        connect(parse_url(text), read_only=False, patience=1.0).close()
    finally:
        execute(connection, f"DROP USER '{user}'@'%%'")


def test_a_server_that_does_not_answer_is_unavailable_soon(url: DatabaseUrl) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="timed out"):
            connect(replace(url, port=silent.getsockname()[1]), read_only=False, patience=0.2)
        assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("exception", "in_commit", "meaning"),
    [
        (pymysql.OperationalError(2013, "Lost connection"), False, Unavailable),
        (pymysql.OperationalError(2013, "Lost connection"), True, OutcomeUnknown),
        (pymysql.OperationalError(1180, "Got error during COMMIT"), True, OutcomeUnknown),
        (pymysql.OperationalError(1213, "Deadlock"), True, Unavailable),
        (pymysql.OperationalError(1205, "Lock wait timeout"), False, Unavailable),
        (pymysql.OperationalError(1114, "The table is full"), False, Unavailable),
        (pymysql.InterfaceError(0, ""), False, Unavailable),
        (ConnectionResetError("reset"), False, Unavailable),
        (BrokenPipeError("broken"), True, OutcomeUnknown),
        (pymysql.IntegrityError(1062, "Duplicate entry"), False, RowRefused),
        (pymysql.DataError(1406, "Data too long"), False, RowRefused),
        (pymysql.ProgrammingError(1146, "no such table"), False, WrongTable),
        (pymysql.OperationalError(1054, "Unknown column"), False, WrongTable),
        (pymysql.OperationalError(1142, "INSERT command denied"), False, Unusable),
    ],
)
def test_what_an_exception_means(exception: Exception, in_commit: bool, meaning: type[DatabaseError]) -> None:
    assert type(classify(exception, in_commit=in_commit)) is meaning


def test_what_is_not_of_the_driver_is_not_explained() -> None:
    assert classify(KeyError("x")) is None
