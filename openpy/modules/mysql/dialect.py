"""MySQL and MariaDB: what they say differently. The driver is not needed to know this."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, ClassVar

import peewee

from openpy.db.dialect import (
    PATIENCE,
    ColumnInfo,
    Connection,
    Dialect,
    Row,
    SchemaRecorder,
    Statement,
    execute,
    fetch,
)
from openpy.db.errors import DatabaseError, Unusable
from openpy.db.url import DatabaseUrl
from openpy.modules.mysql.statements import DeleteRows, UpdateRows, UpsertRows

__all__ = ["DIALECT", "MISSING_DRIVER", "MysqlDialect"]

MISSING_DRIVER = (
    "mysql needs the Python package PyMySQL, which is not installed",
    'run: pip install "openpy[mysql]"',
)

TRANSACTIONAL = "InnoDB"

COLUMNS = """
SELECT column_name, data_type, character_maximum_length, is_nullable, column_default, extra
FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = %s ORDER BY ordinal_position
"""

ENGINE = """
SELECT engine, table_collation FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_name = %s
"""


NO_LIMIT = "SET SESSION net_write_timeout = 600 /*M! , SESSION max_statement_time = 0 */"
"""How long the server waits until rows are taken. MariaDB alone limits a statement, and reads what stands behind M!."""


class _Recorder(SchemaRecorder, peewee.MySQLDatabase):
    """MySQL's DDL."""


class MysqlDialect(Dialect):
    """MySQL and MariaDB through PyMySQL."""

    schemes: ClassVar[tuple[str, ...]] = ("mysql",)
    alive: ClassVar[str] = "DO 0"
    text_quotes: ClassVar[str] = "'\""
    text_escapes: ClassVar[bool] = True
    # Alice is not alice, in comparisons and in unique keys.
    table_options: ClassVar[str] = f" ENGINE={TRANSACTIONAL} DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
    widest_key: ClassVar[int | None] = 768  # InnoDB's 3072 bytes, of utf8mb4

    def connect(self, url: DatabaseUrl, *, read_only: bool = False, patience: float = PATIENCE) -> Connection:
        """Open a session, by the socket file where the host is `localhost` or left out and no port is given.

        Raises Unusable or Unavailable.
        """
        try:
            from openpy.modules.mysql import driver
        except ModuleNotFoundError as error:
            raise Unusable("; ".join(MISSING_DRIVER)) from error
        return driver.connect(url, read_only=read_only, patience=patience)

    def recorder(self) -> tuple[peewee.Database, list[str]]:
        """A peewee database that records MySQL's DDL."""
        recorder = _Recorder(None)
        return recorder, recorder.statements

    def classify(self, exception: Exception, *, in_commit: bool = False) -> DatabaseError | None:
        """What an exception of the driver means, by the server's error number."""
        from openpy.modules.mysql import driver

        return driver.classify(exception, in_commit=in_commit)

    def real_columns(self, connection: Connection, table: str) -> dict[str, ColumnInfo]:
        """The columns as the server has them; text of no declared width counts as without a limit."""
        columns = {}
        for name, kind, width, nullable, default, extra in fetch(connection, COLUMNS, (table,)):
            columns[name] = ColumnInfo(
                width if kind.lower() in ("varchar", "char") else None,
                nullable == "YES",
                default is not None or "auto_increment" in extra,
                kind,
            )
        return columns

    def upsert(self, table: str, columns: Mapping[str, str]) -> Statement:
        """`INSERT ... ON DUPLICATE KEY UPDATE` of many rows."""
        return UpsertRows(self.quote(table), [self.quote(name) for name in columns])

    def update(self, table: str, columns: Mapping[str, str]) -> Statement:
        """`UPDATE ... CASE` of many rows: a third of the work of an update a row at ten, a tenth at a hundred."""
        return UpdateRows(self.quote(table), [self.quote(name) for name in columns])

    def delete(self, table: str) -> Statement:
        """`DELETE ... IN` of many rows."""
        return DeleteRows(self.quote(table), self.quote("id"))

    def advice(self, connection: Connection, table: str) -> list[str]:
        """OpenSER's own scripts make tables without transactions, which compare Alice and alice as equal."""
        ((engine, collation),) = fetch(connection, ENGINE, (table,))
        if engine is None:  # a view, of tables that are looked at nowhere
            return []
        faults = []
        if engine.lower() != TRANSACTIONAL.lower():
            faults.append(f"is of {engine}, which loses what was acknowledged when the power fails")
        if not collation.endswith("_bin"):
            faults.append(f"has the collation {collation}, in which Alice is alice")
        if not faults:
            return []
        return [
            f"table {table} {' and '.join(faults)}; run: ALTER TABLE {self.quote(table)} ENGINE={TRANSACTIONAL}, "
            "CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        ]

    def unlimited(self, connection: Connection) -> None:
        """Let the statements of a session last as long as their rows are read."""
        execute(connection, NO_LIMIT)

    def stream(
        self, connection: Connection, sql: str, parameters: Sequence[Any] = ()
    ) -> Generator[Row, None, None]:
        """The rows of one query, as they come from the server."""
        from openpy.modules.mysql import driver

        return driver.stream(connection, sql, parameters)

    def quote(self, name: str) -> str:
        """A name as an identifier."""
        return "`" + name.replace("`", "``") + "`"


DIALECT = MysqlDialect()
