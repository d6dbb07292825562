"""Servers that reach a database by its URL, of any kind."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from openpy.db import schema
from openpy.db.dialect import Row, execute, fetch
from openpy.db.url import DatabaseUrl
from openpy.modules.presence.tables import TABLES
from openpy.modules.presence_xml.tables import Xcap
from tests.scenarios.scripts import DATABASE, presence, presence_script
from tests.servers import DIALECTS, PATIENCE, Databases


def with_tables(databases: Databases, kind: str, folder: Path) -> DatabaseUrl:
    """A database with the empty tables of presence and of XCAP documents."""
    url = databases.empty(kind, folder)
    if kind != "sqlite":  # which makes its own
        with closing(DIALECTS[kind].connect(url, patience=PATIENCE)) as connection:
            schema.create(DIALECTS[kind], connection, (*TABLES, Xcap))
    return url


def run_sql(kind: str, url: DatabaseUrl, statement: str, values: Sequence[Any] = ()) -> None:
    """What somebody else does to the database; `?` stands for a value."""
    with closing(DIALECTS[kind].connect(url, patience=PATIENCE)) as connection:
        execute(connection, statement.replace("?", DIALECTS[kind].placeholder), values)


def query(kind: str, url: DatabaseUrl, statement: str, values: Sequence[Any] = ()) -> list[Row]:
    """What the database answers; `?` stands for a value."""
    with closing(DIALECTS[kind].connect(url, patience=PATIENCE)) as connection:
        return fetch(connection, statement.replace("?", DIALECTS[kind].placeholder), values)


def script_for(
    kind: str,
    url: DatabaseUrl,
    *settings: str,
    publish: str = "handle_publish()",
    **parameters: int | str,
) -> str:
    """A presence server that keeps its state there, with further lines of settings."""
    script = presence_script(presence(**parameters), *settings, publish=publish)
    script = script.replace('loadmodule "sqlite.so"', f'loadmodule "{kind}.so"')
    return script.replace(f"sqlite:///{DATABASE}", str(url))
