"""Watchers' information (RFC 3857): who watches, told to the presentity itself.

Rules:
1. Each SUBSCRIBE is answered with all watchers, each change with those that changed (RFC 3858 section 4).
2. What changes while a NOTIFY is unanswered is told in the next one; of each watcher the latest.
3. Where it is not known what arrived, all are told.
4. `version` counts the documents of one subscription from 0. Each takes a CSeq, so after a restart the highest
   reserved CSeq is above every version that was used.
5. Nothing here delays what a watcher himself is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import TYPE_CHECKING

from openpy.documents import watcherinfo
from openpy.documents.watcherinfo import Watcher
from openpy.modules.presence.authorization import Decision
from openpy.modules.presence.dialog import ACTIVE, PENDING, TERMINATED
from openpy.modules.presence.events import WINFO

if TYPE_CHECKING:
    from openpy.modules.presence.agent import PresenceAgent
    from openpy.modules.presence.dialog import Subscription
    from openpy.modules.presence.eventstate import EventState

MOST_NEWS = 1000
"""Changes that wait for one subscription; with more, all watchers are told instead."""

STATUS = {ACTIVE: "active", PENDING: "pending", TERMINATED: "terminated"}


class WatcherInformation:
    """What is shown of the watchers of one event of one presentity."""

    __slots__ = ()

    def tail(self, agent: PresenceAgent, subscription: Subscription) -> bytes:
        """The next document of this subscription."""
        state = subscription.state
        package = state.package.name.removesuffix(WINFO)
        news = subscription.news
        watchers = (
            list(news.values()) if news else all_watchers(state.presentity.events.get(package), agent.now())
        )
        body = watcherinfo.compose(
            state.presentity.uri, package, subscription.version, watchers, full=not news
        )
        return state.tail_of(body)

    def sent(self, subscription: Subscription) -> None:
        """All that there was to tell is told."""
        subscription.version += 1
        subscription.news = {}

    def lost(self, subscription: Subscription) -> None:
        """All are told the next time."""
        subscription.news = None

    def news(self, agent: PresenceAgent, state: EventState) -> list[Subscription]:
        """Nothing is published here."""
        return []


def tell(agent: PresenceAgent, state: EventState, watchers: Iterable[Watcher]) -> None:
    """Tell the watchers of the watchers of an event what has changed."""
    peer = None if state.package.type == "winfo" else state.package.wipeer
    informed = None if peer is None else state.presentity.events.get(peer.name)
    if informed is None or not informed.subscriptions:
        return
    changed = list(watchers)
    for subscription in list(informed.subscriptions.values()):
        news = subscription.news
        if news is not None:
            news.update((watcher.id, watcher) for watcher in changed)
            if len(news) > MOST_NEWS:
                subscription.news = None
        if changed and not subscription.dead:
            agent.notifier.notify(subscription)


def all_watchers(state: EventState | None, now: float) -> list[Watcher]:
    """Every subscription to an event, and the watchers who wait for a decision."""
    if state is None:
        return []
    found = [described(item, item.cause, now) for item in state.subscriptions.values()]
    if state.access is not None:
        present = {item.dialog.watcher_uri for item in state.subscriptions.values()}
        for decision in state.access.decisions.values():
            if decision.kept and decision.status == PENDING and decision.watcher_uri not in present:
                found.append(waiting(decision))
    return found


def described(subscription: Subscription, cause: str, now: float) -> Watcher:
    """A subscription as it is."""
    remaining = None if subscription.status == TERMINATED else max(ceil(subscription.expires - now), 0)
    uri = subscription.dialog.watcher_uri
    return Watcher(name_of(subscription), uri, STATUS[subscription.status], cause, expiration=remaining)


def ended(subscription: Subscription, cause: str) -> Watcher:
    """A subscription that has ended. One whose watcher still waits for a decision becomes waiting."""
    state = subscription.state
    uri = subscription.dialog.watcher_uri
    if subscription.status == PENDING and cause == "timeout" and state.access is not None:
        decision = state.access.decisions.get(uri)
        if decision is not None and decision.status == PENDING and not subscribed(state, uri):
            decision.last_id = name_of(subscription)
            return waiting(decision)
    return Watcher(name_of(subscription), uri, "terminated", cause)


def waiting(decision: Decision, status: str = "waiting", cause: str = "timeout") -> Watcher:
    """A watcher without a subscription about whom something was decided, or is to be."""
    return Watcher(decision.last_id or f"w{decision.id}", decision.watcher_uri, status, cause)


def name_of(subscription: Subscription) -> str:
    """What a subscription is called: the same as long as it lives, and after a restart."""
    return f"s{subscription.id}"


def subscribed(state: EventState, watcher_uri: str) -> bool:
    """Whether somebody has a subscription to an event."""
    return count(state, watcher_uri) > 0


def count(state: EventState, watcher_uri: str) -> int:
    """How many subscriptions to an event somebody has."""
    return sum(item.dialog.watcher_uri == watcher_uri for item in state.subscriptions.values())
