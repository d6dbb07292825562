"""What happens when time passes: publications, subscriptions and last states run out.

Rules:
1. What runs out of one presentity in one slice is one change, and its watchers hear of it once.
2. What could not be committed is tried again at the next step.
3. Where other servers write to the database, what runs out is compared with its rows first: see sharing.py.
4. Many records that run out at once are ended in slices, between which messages are read. A slice begins when the one
   before is committed and its watchers are told: so neither commits nor answers pile up, whatever a commit takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from openpy.engine.deadlines import STEP
from openpy.modules.presence.authorization import DECISION_LIFETIME, Decision
from openpy.modules.presence.changes import End
from openpy.modules.presence.dialog import Subscription
from openpy.modules.presence.eventstate import LAST_STATE_LIFETIME, LastState
from openpy.modules.presence.presentity import Presentity
from openpy.modules.presence.publications import Publication

if TYPE_CHECKING:
    from openpy.modules.presence.agent import Mortal, PresenceAgent

SLICE = 128
"""How many records are looked at before messages are read again."""


Confirm = Callable[[list["Mortal"], Callable[[list["Mortal"]], None]], None]
"""confirm(due, end): calls `end(due)` in the end, or `end([])` if the records were put back to be due again."""


class _Ending(NamedTuple):
    """What ends of one presentity at one time."""

    publications: list[Publication]
    subscriptions: list[Subscription]
    last_states: list[LastState]
    decisions: list[Decision]


class Expiry:
    """Watches the deadlines of one presence agent."""

    __slots__ = ("_agent", "_confirm", "_running", "_uncommitted", "_working")

    def __init__(self, agent: PresenceAgent, confirm: Confirm | None = None) -> None:
        """`confirm` compares with the database what runs out, and then hands on what it was given."""
        self._agent = agent
        self._confirm = confirm
        self._running = False
        self._working = False
        self._uncommitted = 0

    def run(self) -> None:
        """Begin to watch."""
        self._running = True
        self._step()

    def halt(self) -> None:
        """End nothing any more."""
        self._running = False

    def _step(self) -> None:
        if self._running:
            self._agent.services.wheel.add(STEP, self._step)
            if not self._working:
                self._look()

    def _look(self) -> None:
        """Take the next slice of what is due, if there is any."""
        agent = self._agent
        due = agent.deadlines.due(agent.now(), SLICE) if self._running else []
        self._working = bool(due) or (self._running and agent.deadlines.behind)
        if due and self._confirm is not None:
            self._confirm(due, self._end)
        elif self._working:
            self._end(due)

    def _end(self, due: list[Mortal]) -> None:
        agent = self._agent
        now = agent.now()
        endings: dict[Presentity, _Ending] = {}
        for record in due:
            presentity = _owner(record)
            if presentity is None:
                continue
            if record.expires > now or _is_wanted(record, presentity, now):
                agent.deadlines.put(record)
                continue
            _take(endings.setdefault(presentity, _Ending([], [], [], [])), record)
        self._uncommitted = len(endings) + 1
        for presentity, ending in endings.items():
            presentity.submit(End(agent, *ending)).on_done(self._committed)
        self._committed()
        agent.store.writer.flush()

    def _committed(self) -> None:
        """One of the slice has its answer; after the last one the next slice is taken."""
        self._uncommitted -= 1
        if not self._uncommitted:
            self._agent.services.soon(self._look)


def _owner(record: Mortal) -> Presentity | None:
    """Whose record this is; None if it has ended already."""
    state = record.state
    if state is None:
        return None
    if isinstance(record, Subscription):
        return state.presentity if record.id in state.subscriptions else None
    if isinstance(record, LastState):
        return state.presentity if state.last is record else None
    if isinstance(record, Decision):
        known = None if state.access is None else state.access.decisions.get(record.watcher_uri)
        return state.presentity if known is record else None
    return state.presentity


def _is_wanted(record: Mortal, presentity: Presentity, now: float) -> bool:
    """Whether a record whose time is over lives on: a longer life is being committed, or somebody watches it."""
    if isinstance(record, Subscription):
        return record.refreshing > 0 or record.ending
    if isinstance(record, LastState):
        if record.state.subscriptions and not record.state.publications:
            record.expires = now + LAST_STATE_LIFETIME
            return True
        return False
    if isinstance(record, Decision):
        if record.is_needed():
            record.expires = now + DECISION_LIFETIME
            return True
        return False
    return record.etag in presentity.tentative


def _take(ending: _Ending, record: Mortal) -> None:
    if isinstance(record, Publication):
        ending.publications.append(record)
    elif isinstance(record, Subscription):
        ending.subscriptions.append(record)
    elif isinstance(record, Decision):
        ending.decisions.append(record)
    else:
        ending.last_states.append(record)
