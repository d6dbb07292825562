"""The module `sqlite`: databases whose URL reads `sqlite:///file`."""

from __future__ import annotations

from typing import ClassVar

from openpy.engine.module import Module
from openpy.modules.sqlite.dialect import DIALECT, SqliteDialect

__all__ = ["Sqlite"]


class Sqlite(Module):
    """Databases in a file (`sqlite:///relative/path`, `sqlite:////absolute/path`), for one server.

        modparam("usrloc", "db_url", "sqlite:////var/lib/openpy/openpy.db")

    The file and its tables are made when they are not there.
    """

    name: ClassVar[str] = "sqlite"
    can_join: ClassVar[bool] = True
    dialect: ClassVar[SqliteDialect] = DIALECT
