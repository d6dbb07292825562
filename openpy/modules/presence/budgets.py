"""How much one watcher, and one presentity, may have of this server.

Rules:
1. What is kept is counted where it is kept, so a restart changes nothing; what is being committed is not counted yet.
2. What there is too much of is refused with 403: to ask again changes nothing (RFC 3261 21.4.4). What comes too fast is
   refused with 500 and Retry-After, which is said of this request only (21.5.1). A 503 would be said of the server,
   and a proxy between would turn everybody else away too (21.5.4); a 480 would end the subscription (RFC 5057).
3. A refusal keeps nothing, not even a transaction: a flood costs its answers, and no memory.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from openpy.engine.budgets import Rates
from openpy.sip.errors import RemoteError

if TYPE_CHECKING:
    from openpy.modules.presence.eventstate import EventState

RETRY_AFTER = 10
"""Seconds: after that, a watcher who kept still may use all of `Rates` again."""


class OverBudget(RemoteError):
    """A request for more than one may have."""


class Shares(NamedTuple):
    """What one may have; 0 for no limit. `watcher_rate` is SUBSCRIBEs a second, `last_states` of all presentities."""

    watcher_subscriptions: int = 0
    watcher_rate: int = 0
    presentity_subscriptions: int = 0
    presentity_publications: int = 0
    last_states: int = 0


class Budgets:
    """Who has how much. The checks raise OverBudget."""

    __slots__ = ("_last_states", "_rates", "_shares", "_watching")

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._rates = Rates(shares.watcher_rate)
        self._watching: defaultdict[str, int] = defaultdict(int)
        """The subscriptions of each watcher who has any."""
        self._last_states = 0

    def use(self, shares: Shares) -> None:
        """Other shares count from now on; who has more than that keeps it."""
        if shares.watcher_rate != self._shares.watcher_rate:
            self._rates = Rates(shares.watcher_rate)
        self._shares = shares

    def spend(self, watcher_uri: str, now: float) -> None:
        """A watcher subscribes, or goes on to; `now` is in seconds."""
        if not self._rates.allows(watcher_uri, now):
            raise OverBudget(500, "Too Many Requests Of This Watcher", (("Retry-After", str(RETRY_AFTER)),))

    def check_subscription(self, watcher_uri: str, state: EventState) -> None:
        """There shall be one more subscription to an event."""
        shares = self._shares
        if 0 < shares.watcher_subscriptions <= self._watching.get(watcher_uri, 0):
            raise OverBudget(403, "Too Many Subscriptions Of This Watcher")
        if 0 < shares.presentity_subscriptions <= len(state.subscriptions):
            raise OverBudget(403, "Too Many Subscriptions To This Presentity")

    def has_room_for_decision(self, state: EventState) -> bool:
        """Whether one more is kept about a watcher of an event: whoever makes up watchers makes up decisions."""
        most = self._shares.presentity_subscriptions
        return state.access is None or not 0 < most <= len(state.access.decisions)

    def check_publication(self, state: EventState) -> None:
        """There shall be one more publication of an event."""
        if 0 < self._shares.presentity_publications <= len(state.publications):
            raise OverBudget(403, "Too Many Publications Of This Presentity")

    def subscribed(self, watcher_uri: str) -> None:
        """A subscription is kept."""
        self._watching[watcher_uri] += 1

    def unsubscribed(self, watcher_uri: str) -> None:
        """A subscription has ended."""
        self._watching[watcher_uri] -= 1
        if not self._watching[watcher_uri]:
            del self._watching[watcher_uri]

    def has_room_for_last_state(self) -> bool:
        """Whether one more may be kept that nobody watches."""
        return not 0 < self._shares.last_states <= self._last_states

    def count_last_states(self, more: int) -> None:
        """So many more are kept, or fewer."""
        self._last_states += more
