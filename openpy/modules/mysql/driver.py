"""PyMySQL: connections as the writer and the readers need them, and what its exceptions mean.

Rules:
1. A session is strict, speaks utf8mb4, reads what is committed, and outside of BEGIN commits each statement.
2. A row counts as found even where an update changes nothing in it.
3. No statement takes longer than half the patience of its connection on MariaDB, so that a request may wait for two
   locks. MySQL has no such limit: there the patience ends it, and the connection.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, cast

import pymysql
from pymysql.connections import Connection as MysqlConnection
from pymysql.constants import CLIENT, ER
from pymysql.cursors import Cursor, SSCursor

from openpy.db.dialect import Connection, Row
from openpy.db.errors import DatabaseError, OutcomeUnknown, RowRefused, Unavailable, Unusable, WrongTable
from openpy.db.url import DatabaseUrl

__all__ = ["classify", "connect", "stream"]

PORT = 3306

SOCKETS = ("/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock")
"""Where the server of this host listens for `localhost`, as the C client does it that OpenSER used."""

SQL_MODE = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO"

YEAR = 31_536_000

_UNUSABLE = frozenset(
    {
        ER.DBACCESS_DENIED_ERROR,
        ER.ACCESS_DENIED_ERROR,
        ER.BAD_DB_ERROR,
        ER.TABLEACCESS_DENIED_ERROR,
        ER.COLUMNACCESS_DENIED_ERROR,
        1227,  # a privilege is missing
        1251,  # client does not support the authentication protocol
        1698,  # access denied: the account has another way to authenticate
    }
)

_UNAVAILABLE = frozenset(
    {
        ER.DISK_FULL,
        ER.CON_COUNT_ERROR,
        ER.OUT_OF_RESOURCES,
        ER.SERVER_SHUTDOWN,
        ER.RECORD_FILE_FULL,
        ER.LOCK_WAIT_TIMEOUT,
        ER.LOCK_DEADLOCK,
        ER.OPTION_PREVENTS_STATEMENT,
        ER.QUERY_INTERRUPTED,
        ER.TOO_MANY_USER_CONNECTIONS,
        ER.USER_LIMIT_REACHED,
        1020,  # somebody else changed the row
        1026,  # error writing a file
        1030,  # error from the storage engine
        1047,  # a Galera node without a quorum
        1158, 1159, 1160, 1161,  # packets that were not read or written in time
        1180,  # error in COMMIT
        1290, 1792, 1836,  # read-only: a replica, or an administrator at work
        1927,  # the connection was killed
        1969, 3024,  # a statement took too long
        2002, 2003, 2005, 2006, 2013, 2014, 2055,  # the client found no server, or lost it
    }
)  # fmt: skip

_ROLLED_BACK = frozenset({ER.LOCK_DEADLOCK, ER.LOCK_WAIT_TIMEOUT})
"""With these a COMMIT has surely not happened."""

_WRONG_TABLE = frozenset(
    {
        ER.BAD_FIELD_ERROR,
        ER.NO_SUCH_TABLE,
        ER.NO_DEFAULT_FOR_FIELD,
        ER.PARSE_ERROR,
        ER.BAD_TABLE_ERROR,
    }
)


if TYPE_CHECKING:
    _Base = MysqlConnection[Cursor]  # generic for the type checker only
else:
    _Base = MysqlConnection


class _Connection(_Base):
    """A connection that may be closed although it was lost."""

    def close(self) -> None:
        """Close it, if it is open."""
        if self.open:
            super().close()


def connect(url: DatabaseUrl, *, read_only: bool, patience: float) -> Connection:
    """Open a session; raises Unusable or Unavailable."""
    try:
        connection = _Connection(
            host=url.host or "localhost",
            port=url.port or PORT,
            unix_socket=_socket(url),
            user=url.user or None,
            password=url.password,
            database=url.database,
            charset="utf8mb4",
            sql_mode=SQL_MODE,
            autocommit=True,
            client_flag=CLIENT.FOUND_ROWS,
            connect_timeout=patience,
            read_timeout=patience,
            write_timeout=patience,
        )
    except (pymysql.Error, OSError, RuntimeError) as error:
        raise _refusal(url, error) from error
    try:
        _settle(connection, read_only, patience)
    except (pymysql.Error, OSError) as error:
        connection.close()
        raise _refusal(url, error) from error
    return connection


def _socket(url: DatabaseUrl) -> str | None:
    """The socket file of a server on this host, unless the URL asks for a port."""
    if url.host not in ("", "localhost") or url.port is not None:
        return None
    named = os.environ.get("MYSQL_UNIX_PORT", "")  # as MySQL's own programs take it
    return next(filter(os.path.exists, (named, *SOCKETS)), None)


def _settle(connection: _Connection, read_only: bool, patience: float) -> None:
    is_mariadb = "mariadb" in str(connection.get_server_info()).lower()  # type: ignore[no-untyped-call]
    settings = [f"wait_timeout = {YEAR}", "innodb_lock_wait_timeout = 1"]
    if is_mariadb:
        settings.append(f"max_statement_time = {patience / 2}")
    access = ", READ ONLY" if read_only else ""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION " + ", SESSION ".join(settings))
        cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED{access}")


def _refusal(url: DatabaseUrl, error: Exception) -> DatabaseError:
    # A RuntimeError names a package that the account's way to authenticate needs, such as cryptography.
    is_refused = isinstance(error, RuntimeError) or isinstance(classify(error), Unusable)
    meaning = Unusable if is_refused else Unavailable
    return meaning(f"cannot open {url}: {_text(error)}")


def stream(connection: Connection, sql: str, parameters: Sequence[Any]) -> Generator[Row, None, None]:
    """The rows of one query, as they come from the server; until the last the connection can do nothing else."""
    cursor = cast(_Connection, connection).cursor(SSCursor)
    with cursor:
        cursor.execute(sql, tuple(parameters))
        while rows := cursor.fetchmany(1000):
            yield from rows


def classify(exception: Exception, *, in_commit: bool = False) -> DatabaseError | None:
    """What an exception of PyMySQL means, by the server's error number; None for one that is not PyMySQL's."""
    if isinstance(exception, OSError):
        return OutcomeUnknown(str(exception)) if in_commit else Unavailable(str(exception))
    if not isinstance(exception, pymysql.Error):
        return None
    code = exception.args[0] if exception.args and isinstance(exception.args[0], int) else 0
    text = _text(exception)
    if in_commit and code not in _ROLLED_BACK:
        # Also after an error of the server: nothing tells how far it had come.
        return OutcomeUnknown(text)
    if code in _UNAVAILABLE or (code == 0 and isinstance(exception, pymysql.InterfaceError)):
        return Unavailable(text)
    if code in _UNUSABLE:
        return Unusable(text)
    if code in _WRONG_TABLE:
        # The SQL is ours and fixed, so it is the table that is not what it was at the start.
        return WrongTable(text)
    return RowRefused(text)


def _text(exception: Exception) -> str:
    arguments = exception.args
    if len(arguments) == 2 and isinstance(arguments[0], int):
        return f"{arguments[1]} ({arguments[0]})" if arguments[1] else "the connection is closed"
    return str(exception) or "the connection is closed"
