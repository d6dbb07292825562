"""An empty database of the MariaDB server."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openpy.db.dialect import Connection
from openpy.db.url import DatabaseUrl
from openpy.modules.mysql.dialect import DIALECT
from tests.servers import Databases, databases

__all__ = ["databases"]


@pytest.fixture
def url(databases: Databases, tmp_path: Path) -> DatabaseUrl:
    return databases.empty("mysql", tmp_path)


@pytest.fixture
def connection(url: DatabaseUrl) -> Iterator[Connection]:
    with closing(DIALECT.connect(url, patience=10.0)) as connection:
        yield connection
