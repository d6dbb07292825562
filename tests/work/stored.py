"""A database as a server leaves it that has served many: rows of subscriptions, each with a presentity of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from openpy.db.tables import columns_of, ddl, name_of
from openpy.modules.presence.tables import TABLES, ActiveWatchers
from openpy.modules.sqlite.dialect import DIALECT, PAGE_SIZE


def store_subscriptions(path: Path, number: int, *, expires: float, spread: int, contact: str) -> None:
    """Make a SQLite file with so many subscriptions, which expire from a Unix time on, over `spread` seconds.

    Their watchers are at `contact`, host and port.
    """
    columns = ["id", *columns_of(ActiveWatchers)]
    names = ", ".join(DIALECT.quote(column) for column in columns)
    insert = f"INSERT INTO {name_of(ActiveWatchers)} ({names}) VALUES ({', '.join('?' * len(columns))})"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
        connection.executescript(ddl(DIALECT, TABLES))
        connection.execute("BEGIN")
        connection.executemany(insert, _rows(columns, number, expires, spread, contact))
        connection.execute("COMMIT")


def _rows(columns: list[str], number: int, expires: float, spread: int, contact: str) -> Iterator[list[Any]]:
    for place in range(1, number + 1):
        row = {
            "id": place,
            "presentity_uri": f"sip:stored{place}@bench.test",
            "watcher_username": f"faithful{place}",
            "watcher_domain": "bench.test",
            "to_user": f"stored{place}",
            "to_domain": "bench.test",
            "event": "presence",
            "event_id": None,
            "to_tag": f"10.{place:016x}.{place}",
            "from_tag": f"faithful{place}",
            "callid": f"faithful{place}-stored",
            "local_cseq": 128,
            "remote_cseq": 1,
            "contact": f"sip:faithful{place}@{contact}",
            "record_route": "",
            "expires": int(expires) + place * spread // number,
            "status": 1,
            "reason": "",
            "version": 0,
            "socket_info": "udp:127.0.0.1:5060",
            "local_contact": "sip:127.0.0.1:5060;transport=udp",
        }
        yield [row[column] for column in columns]
