"""Whether memory and database say the same, whenever nothing is being written.

Rules:
1. A watcher who is given up is none any more: its row goes when the deadlines are next looked at.
2. Of a dialog the database knows a CSeq that is not below the last one used, and not above what was reserved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from openpy.db.tables import columns_of
from openpy.modules.presence.dialog import Subscription
from openpy.modules.presence.presentity import Presentity
from openpy.modules.presence.tables import ActiveWatchers
from openpy.testing.world import World
from tests.simulation.database import SimulatedDatabase
from tests.simulation.process import Process

SUBSCRIPTIONS = "active_watchers"
TABLES = ("presentity", SUBSCRIPTIONS, "watchers", "openpy_last_state")
LOCAL_CSEQ = list(columns_of(ActiveWatchers)).index("local_cseq")

Contents = dict[str, dict[int, tuple[Any, ...]]]
"""Rows by table and id, without the reserved CSeq."""


class Rows:
    """The rows of one world, in memory and in the database."""

    def __init__(self, world: World, process: Process, database: SimulatedDatabase) -> None:
        self._world = world
        self._process = process
        self._database = database

    @property
    def idle(self) -> bool:
        """Whether nothing is being written, and nobody has to be healed."""
        return not any(item.outstanding or item.wounded for item in self._presentities())

    @property
    def dead(self) -> set[int]:
        """The rows of watchers who are given up."""
        return {item.id for item in self._subscriptions() if item.dead}

    def memory(self, without: Collection[int] = ()) -> Contents:
        """The rows as the server would write them now, `without` some subscriptions and those that are dead."""
        left_out = {*without, *self.dead}
        rows: Contents = {table: {} for table in TABLES}
        for presentity in self._presentities():
            for row in presentity.rows():
                table = row.table.name
                if table != SUBSCRIPTIONS or row.id not in left_out:
                    rows[table][row.id] = _comparable(table, row.values)
        return rows

    def check(self) -> None:
        """Nothing differs."""
        if self._process.agent is None or not self.idle:
            return
        self._check_cseqs()
        memory, dead = self.memory(), self.dead
        for table in TABLES:
            kept = {
                id_: _comparable(table, values)
                for id_, *values in self._database.rows(table).values()
                if table != SUBSCRIPTIONS or id_ not in dead
            }
            for id_ in sorted(kept.keys() | memory[table].keys()):
                known, there = memory[table].get(id_), kept.get(id_)
                if known != there:
                    self._world.breach(f"{table} {id_}: memory has {known}, the database {there}")

    def _check_cseqs(self) -> None:
        rows = self._database.rows(SUBSCRIPTIONS)
        for subscription in self._subscriptions():
            row, dialog = rows.get(subscription.id), subscription.dialog
            if row is not None and not dialog.limit <= row[1 + LOCAL_CSEQ] <= dialog.reserved:
                bounds = f"{dialog.limit} to {dialog.reserved}"
                self._world.breach(
                    f"{dialog.to_tag}: {row[1 + LOCAL_CSEQ]} is reserved, and should be {bounds}"
                )

    def _presentities(self) -> list[Presentity]:
        agent = self._process.agent
        return [] if agent is None else list(agent.presentities.values())

    def _subscriptions(self) -> Iterator[Subscription]:
        for presentity in self._presentities():
            for state in presentity.events.values():
                yield from state.subscriptions.values()


def _comparable(table: str, values: Sequence[Any]) -> tuple[Any, ...]:
    if table != SUBSCRIPTIONS:
        return tuple(values)
    return (*values[:LOCAL_CSEQ], *values[LOCAL_CSEQ + 1 :])
