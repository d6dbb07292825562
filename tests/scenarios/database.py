"""A server's database, seen and held from outside."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from tests.scenarios.process import ServerProcess
from tests.scenarios.scripts import DATABASE


def rows(server: ServerProcess, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """What the database answers."""
    with closing(sqlite3.connect(server.script.parent / DATABASE, timeout=5)) as connection:
        return connection.execute(query, values).fetchall()


def change(server: ServerProcess, statement: str) -> None:
    """What somebody else does to the database."""
    with closing(sqlite3.connect(server.script.parent / DATABASE, timeout=5)) as connection, connection:
        connection.execute(statement)


def publications(server: ServerProcess, uri: str) -> list[tuple[Any, ...]]:
    """Etag and body of each publication of a presentity."""
    user, _, domain = uri.removeprefix("sip:").partition("@")
    query = "SELECT etag, body FROM presentity WHERE username = ? AND domain = ?"
    return rows(server, query, user, domain)


def subscriptions(server: ServerProcess, uri: str) -> list[tuple[Any, ...]]:
    """To-tag and reserved CSeq of each subscription to a presentity."""
    return rows(server, "SELECT to_tag, local_cseq FROM active_watchers WHERE presentity_uri = ?", uri)


@contextmanager
def locked(server: ServerProcess, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Keep the server from writing, as another program does that has begun to write."""
    path = server.script.parent / DATABASE
    with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as connection:
        connection.execute(f"BEGIN {kind}")
        try:
            yield
        finally:
            connection.rollback()
