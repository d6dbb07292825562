"""One presentity: its state, and the one queue through which everything that changes it passes.

Rules:
1. Decide, commit, apply. A decision is made at once, against the tentative state; its rows are submitted; when they
   are committed the change is applied, the reply leaves, and then the watchers are told, in order of decision.
2. The tentative state is the committed one with `tentative` laid over it, and the marks that `Change.undo` takes back.
3. When a write is refused, all that was decided after it is undone: the tentative state is dropped, and nothing is
   decided until every outstanding write has its answer (`broken`). Where the database refused one row and serves
   on, what was undone is then decided again, in its order (`Undone`); else it is refused too.
4. Where nobody knows whether rows were written, or a row has gone, nothing is decided until those rows are written
   as the committed state has them. Where other servers write to the database, a row that has gone is theirs, and
   only new rows are taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from openpy.db.errors import DatabaseError, OutcomeUnknown, RowGone, RowRefused, Unavailable
from openpy.db.statements import Delete, Operation, TableSql, Update, Upsert
from openpy.engine.waiting import Wait
from openpy.modules.presence.eventstates import event_state
from openpy.modules.presence.publications import Revision, Standing

if TYPE_CHECKING:
    from openpy.modules.presence.events import EventPackage
    from openpy.modules.presence.eventstate import EventState
    from openpy.modules.presence.store import Store

Committed = Wait[DatabaseError | None]
"""Resolved with None when a change is applied, or with the error that refused it."""


class Undone(DatabaseError):
    """A change was decided on another one, whose row the database refused: it may be decided again, now."""


class Change:
    """A decision with the rows that it needs. Subclasses say what it does to the state."""

    __slots__ = ("operations",)

    operations: Sequence[Operation]
    keeps: ClassVar[bool] = False
    """Whether there is something to remember once it is applied."""

    def apply(self) -> None:
        """Make it the committed state."""

    def announce(self) -> None:
        """Tell the watchers; after the reply has left."""

    def undo(self) -> None:
        """Take back the marks that the decision left. `tentative` is emptied by the presentity."""


class Presentity:
    """One canonical URI with all its events."""

    __slots__ = (
        "_lost",
        "_undone",
        "broken",
        "changes",
        "events",
        "outstanding",
        "settled",
        "store",
        "tentative",
        "uri",
    )

    def __init__(self, uri: str, store: Store, settled: Callable[[Presentity], None]) -> None:
        """`settled` is told when the last outstanding write has its answer, unless all is well and kept."""
        self.uri = uri
        self.store = store
        self.settled = settled
        self.events: dict[str, EventState] = {}
        self.tentative: dict[str, Revision | None] = {}
        self.outstanding = 0
        self.changes = 0  # how many were ever submitted
        self.broken = False
        self._lost: tuple[Operation, ...] = ()
        self._undone: list[Committed] | None = None  # who may decide again; None: what follows is refused too

    # --- reading ----------------------------------------------------------------------------------------------------

    def event(self, package: EventPackage) -> EventState:
        """The state of an event, made if there is none."""
        state = self.events.get(package.name)
        if state is None:
            state = self.events[package.name] = event_state(self, package)
        return state

    def publication(self, package: EventPackage, etag: str) -> Standing | None:
        """What an entity-tag of an event names for the next request."""
        if self.tentative and etag in self.tentative:
            found = self.tentative[etag]
            if found is None or found.state is None or found.state.package is not package:
                return None
            return found
        state = self.events.get(package.name)
        return None if state is None else state.publications.get(etag)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to remember."""
        if self.outstanding or self._lost:
            return False
        for state in self.events.values():
            if state.publications or state.subscriptions or state.last is not None:
                return False
            if state.access is not None and state.access.decisions:
                return False
        return True

    def take_apart(self) -> None:
        """It is forgotten. Whoever still has something to tell of it keeps what that needs, and no cycle of it."""
        for state in self.events.values():
            state.access = None
        self.events.clear()

    @property
    def wounded(self) -> bool:
        """Whether there are rows whose fate is unknown."""
        return bool(self._lost)

    # --- the queue --------------------------------------------------------------------------------------------------

    def submit(self, change: Change) -> Committed:
        """Commit and apply a change that was decided against the tentative state."""
        wait: Committed = Wait()
        if self.broken:
            change.undo()
            self.tentative.clear()
            self._refuse(wait, Unavailable("an earlier change of this presentity was refused"))
        else:
            self._enqueue(change, wait)
        return wait

    def heal(self) -> None:
        """Write the rows whose fate is unknown as they should be; nothing else is decided meanwhile."""
        if self._lost and not self.outstanding:
            self._enqueue(_Repair(self, self._lost), Wait())
            self.store.writer.flush()  # a quiet server has no burst of datagrams that would do it

    def healed(self) -> None:
        """They are written."""
        self._lost = ()

    def _enqueue(self, change: Change, wait: Committed) -> None:
        self.outstanding += 1
        self.changes += 1
        answered = partial(self._answered, change, wait)
        try:
            self.store.writer.submit(self.uri, change.operations, answered)
        except Unavailable as error:
            answered(error)

    def _answered(self, change: Change, wait: Committed, error: DatabaseError | None) -> None:
        self.outstanding -= 1
        if error is None:
            change.apply()
            wait.resolve(None)
            change.announce()
        else:
            self.tentative.clear()
            change.undo()
            if isinstance(error, OutcomeUnknown) or (isinstance(error, RowGone) and not self.store.shared):
                self._lost += tuple(change.operations)
            if self.broken:
                self._refuse(wait, error)
            else:
                self.broken = True
                self._undone = [] if isinstance(error, RowRefused) and not self.wounded else None
                wait.resolve(error)
        if not self.outstanding:
            self.tentative = {}  # it is empty; one that was never filled is smaller, and no work for the collector
            if self.broken:
                self._mend()
            elif not change.keeps:
                self.settled(self)

    def _refuse(self, wait: Committed, error: DatabaseError) -> None:
        if self._undone is None:
            wait.resolve(error)
        else:
            self._undone.append(wait)

    def _mend(self) -> None:
        """Every write has its answer: decisions count again, first those that were undone."""
        self.store.writer.forgive(self.uri)
        self.broken = self.wounded
        undone, self._undone = self._undone or (), None
        self.settled(self)
        for wait in undone:
            wait.resolve(Undone("an earlier change of this presentity was refused"))

    # --- rows -------------------------------------------------------------------------------------------------------

    def has_row(self, table: TableSql, id_: int) -> bool:
        """Whether a row is part of the committed state."""
        return any(row.table is table and row.id == id_ for row in self.rows())

    def rows(self) -> Iterator[Upsert]:
        """Every row of the committed state."""
        store = self.store
        for name, state in self.events.items():
            for publication in state.publications.values():
                yield store.insert_publication(self.uri, name, publication.id, publication)
            for subscription in state.subscriptions.values():
                dialog = subscription.dialog
                yield store.insert_subscription(
                    subscription, dialog.remote_cseq, dialog.target, dialog.reserved
                )
            if state.last is not None:
                yield store.keep_last_state(state.last)
            if state.access is not None:
                for decision in state.access.decisions.values():
                    if decision.kept:
                        yield store.keep_decision(self.uri, decision)


class _Repair(Change):
    """Rows whose fate is unknown, written again as the committed state has them."""

    __slots__ = ("_presentity",)

    def __init__(self, presentity: Presentity, lost: Sequence[Operation]) -> None:
        self._presentity = presentity
        rows = {(row.table, row.id): row for row in presentity.rows()}
        shared = presentity.store.shared
        repaired: dict[tuple[TableSql, int], Operation] = {}
        for operation in lost:
            table = operation.sql.table if isinstance(operation, Update) else operation.table
            place = (table, operation.id)
            if shared and (place in rows or not isinstance(operation, Upsert)):
                continue  # another server may have changed it by now; what it is then is read before it counts
            repaired[place] = rows.get(place) or Delete(table, operation.id)
        self.operations = tuple(repaired.values())

    def apply(self) -> None:
        """They are as they should be."""
        self._presentity.healed()
