"""An empty database of the PostgreSQL server."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openpy.db.dialect import Connection
from openpy.db.url import DatabaseUrl
from openpy.modules.postgres.dialect import DIALECT
from tests.servers import Databases, databases

__all__ = ["databases"]


@pytest.fixture
def url(databases: Databases, tmp_path: Path) -> DatabaseUrl:
    return databases.empty("postgres", tmp_path)


@pytest.fixture
def connection(url: DatabaseUrl) -> Iterator[Connection]:
    with closing(DIALECT.connect(url, patience=10.0)) as connection:
        yield connection
