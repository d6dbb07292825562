"""The module `postgres`: databases whose URL reads `postgres://user:password@host/database`."""

from __future__ import annotations

import importlib.util
from typing import ClassVar

from openpy.engine.module import Module, ModuleError
from openpy.modules.postgres.dialect import DIALECT, MISSING_DRIVER, PostgresDialect

__all__ = ["Postgres"]


class Postgres(Module):
    """Databases of a PostgreSQL server: `postgres://user:password@host[:port]/database`.

    `openpydbctl create` makes the tables; those that OpenSER 1.3 made serve as they are.
    Needs `pip install "openpy[postgres]"`.

        modparam("usrloc", "db_url", "postgres://openser:openserrw@localhost/openser")
    """

    name: ClassVar[str] = "postgres"
    can_join: ClassVar[bool] = True
    dialect: ClassVar[PostgresDialect] = DIALECT

    def check(self) -> None:
        """Refuse to start without the driver; raises ModuleError."""
        if importlib.util.find_spec("psycopg") is None:
            raise ModuleError(*MISSING_DRIVER)
