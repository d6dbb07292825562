"""The sweep: expired rows that no deadline takes care of.

Such are those that nobody could read at the start, and what a server left that shared the database and ended.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from openpy.db.dialect import Row
from openpy.db.errors import DatabaseError, Unavailable
from openpy.db.statements import Delete, TableSql
from openpy.modules.presence.eventstate import LAST_STATE_LIFETIME
from openpy.modules.presence.store import canonical, join_uri

if TYPE_CHECKING:
    from openpy.modules.presence.agent import PresenceAgent

GRACE = 60
"""Seconds that a row may be expired before a sweep takes it: what is in memory ends by its own deadline."""


class Sweep:
    """Deletes, every `clean_period` seconds, expired rows that no deadline takes care of."""

    __slots__ = ("_agent", "_queries", "_running")

    def __init__(self, agent: PresenceAgent) -> None:
        self._agent = agent
        self._running = True
        store = agent.store
        mark = store.database.dialect.placeholder
        quote = store.database.dialect.quote
        self._queries = [
            (table, f"SELECT id, {columns} FROM {quote(table.name)} WHERE {ends} < {mark}", GRACE + lifetime)
            for table, columns, ends, lifetime in (
                (store.publications, "username, domain", "expires", 0),
                (store.subscriptions, "presentity_uri, ''", "expires", 0),
                (store.last_states, "username, domain", "ended", LAST_STATE_LIFETIME),
            )
        ]

    def run(self) -> None:
        """Look for such rows, and again after the period."""
        agent = self._agent
        if not self._running:
            return
        agent.services.wheel.add(agent.settings.clean_period, self.run)
        for table, query, age in self._queries:
            try:
                agent.store.database.reader.query(
                    query, (int(agent.now()) - age,), partial(self._found, table)
                )
            except Unavailable as error:
                agent.services.log.warning("presence", f"no sweep: {error}")

    def halt(self) -> None:
        """Look no more."""
        self._running = False

    def _found(self, table: TableSql, rows: list[Row], error: DatabaseError | None) -> None:
        if error is not None:
            self._agent.services.log.warning("presence", f"no sweep of {table.name}: {error}")
            return
        deletes = [Delete(table, id_) for id_, *parts in rows if not self._is_known(table, id_, parts)]
        if deletes:
            self._agent.store.writer.submit(table, deletes, partial(self._swept, table))
            self._agent.store.writer.flush()

    def _is_known(self, table: TableSql, id_: int, parts: list[str]) -> bool:
        store = self._agent.store
        uri = parts[0] if table is store.subscriptions else join_uri(*parts)
        presentity = self._agent.presentities.get(canonical(uri))
        return presentity is not None and presentity.has_row(table, id_)

    def _swept(self, table: TableSql, error: DatabaseError | None) -> None:
        if error is not None:
            self._agent.store.writer.forgive(table)
            self._agent.services.log.warning("presence", f"no sweep of {table.name}: {error}")
