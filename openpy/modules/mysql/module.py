"""The module `mysql`: databases whose URL reads `mysql://user:password@host/database`."""

from __future__ import annotations

import importlib.util
from typing import ClassVar

from openpy.engine.module import Module, ModuleError
from openpy.modules.mysql.dialect import DIALECT, MISSING_DRIVER, MysqlDialect

__all__ = ["Mysql"]


class Mysql(Module):
    """Databases of a MySQL or MariaDB server: `mysql://user:password@host[:port]/database`.

    `openpydbctl create` makes the tables; those that OpenSER 1.3 made serve as they are. The server keeps what was
    acknowledged through a power cut if its `innodb_flush_log_at_trx_commit` is 1. Needs `pip install "openpy[mysql]"`.

        modparam("usrloc", "db_url", "mysql://openser:openserrw@localhost/openser")
    """

    name: ClassVar[str] = "mysql"
    can_join: ClassVar[bool] = True
    dialect: ClassVar[MysqlDialect] = DIALECT

    def check(self) -> None:
        """Refuse to start without the driver; raises ModuleError."""
        if importlib.util.find_spec("pymysql") is None:
            raise ModuleError(*MISSING_DRIVER)
