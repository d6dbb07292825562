"""An empty table of preferences in a database of each kind."""

from collections.abc import Iterator

import pytest

from openpy.db import schema
from openpy.db.dialect import Connection
from openpy.db.url import DatabaseUrl
from openpy.modules.avpops.tables import UsrPreferences
from tests.modules.avpops.kit import connected
from tests.servers import DIALECTS


@pytest.fixture
def connection(url: DatabaseUrl) -> Iterator[Connection]:
    """To a database that has the table."""
    with connected(url) as connection:
        schema.create(DIALECTS[url.scheme], connection, [UsrPreferences])
        yield connection
