"""A database of each kind, for the modules that look things up."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.db.url import DatabaseUrl
from tests.servers import DIALECTS, Databases, databases

__all__ = ["databases"]


@pytest.fixture(params=list(DIALECTS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(kind: str, databases: Databases, tmp_path: Path) -> DatabaseUrl:
    return databases.empty(kind, tmp_path)
