"""What each watcher of an event is shown, where not all are shown the same.

Rules:
1. A body is made once for each view and shared by all watchers who have it.
2. A watcher hears of a change only if it changes what he is shown: of what is hidden from him he does not even
   learn that it has changed.
3. Who may see nothing, or cannot be judged, gets a NOTIFY without body.
4. A version counts the bodies that one subscription was sent, from 0.
5. Nothing here refers to the state that it is part of, which would be a cycle. A presentity that was let go has nobody
   to ask who may watch it: then nobody is shown anything.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Protocol

from openpy.modules.presence.dialog import ACTIVE
from openpy.modules.presence.eventstate import NO_BODY
from openpy.modules.presence.subs import subs_of
from openpy.sip.errors import RemoteError

if TYPE_CHECKING:
    from openpy.modules.presence.agent import PresenceAgent
    from openpy.modules.presence.authorization import AuthStatus
    from openpy.modules.presence.dialog import Subscription
    from openpy.modules.presence.eventstate import EventState


class Shown(Protocol):
    """Decides what the single watcher is shown."""

    def tail(self, agent: PresenceAgent, subscription: Subscription) -> bytes:
        """The end of the NOTIFY that this watcher gets now; may be asked again before it is sent."""

    def sent(self, subscription: Subscription) -> None:
        """The NOTIFY with what `tail` gave is on its way."""

    def lost(self, subscription: Subscription) -> None:
        """It did not arrive."""

    def news(self, agent: PresenceAgent, state: EventState) -> list[Subscription]:
        """The watchers of a state, of which this is part, to whom a change of it is news."""


class Views:
    """The views of one event of one presentity."""

    __slots__ = ("_made", "_of")

    def __init__(self) -> None:
        self._of = b""  # the whole state, of which these are views:
        self._made: dict[Hashable, bytes] = {}

    def tail(self, agent: PresenceAgent, subscription: Subscription) -> bytes:
        """The end of the NOTIFY that this watcher gets now."""
        seen = subscription.told = self._view(agent, subscription)
        state = subscription.state
        aux = state.package.aux_body_processing
        if aux is None or seen is NO_BODY:
            return seen
        return state.tail_of(aux(_body_in(seen), subs_of(subscription)))

    def sent(self, subscription: Subscription) -> None:
        """One more body."""
        subscription.version += 1

    def lost(self, subscription: Subscription) -> None:
        """What he was told is not known."""
        subscription.told = b""

    def news(self, agent: PresenceAgent, state: EventState) -> list[Subscription]:
        """The active watchers who are shown something else than before."""
        found = []
        for subscription in state.subscriptions.values():
            if subscription.status == ACTIVE:
                before = subscription.told
                subscription.told = self._view(agent, subscription)
                if subscription.told != before:
                    found.append(subscription)
        return found

    def _view(self, agent: PresenceAgent, subscription: Subscription) -> bytes:
        state = subscription.state
        now = agent.now()
        whole = state.tail(now)
        access = state.access
        if access is None:
            return NO_BODY if state.package.req_auth else whole
        if whole is not self._of:
            self._of = whole
            self._made.clear()
        try:
            verdict = access.verdict(subscription.dialog.watcher_uri, now)
            if verdict.status != ACTIVE:
                agent.decide_anew(state)
                return NO_BODY
            key = subscription.dialog.watcher_uri if verdict.view is None else verdict.view
            made = self._made.get(key)
            if made is None:
                made = self._made[key] = self._applied(subscription, verdict, whole, now)
        except RemoteError:
            return NO_BODY
        except Exception as error:  # noqa: BLE001 - a package's mistake must show nothing, and stop nobody else
            agent.services.log.error("presence", f"no {state.package.name} for a watcher: {error!r}")
            return NO_BODY
        return made

    def _applied(self, subscription: Subscription, verdict: AuthStatus, whole: bytes, now: float) -> bytes:
        state = subscription.state
        apply = state.package.apply_auth_nbody
        if apply is None:
            return whole
        assert state.access is not None
        subs = subs_of(subscription, rules=state.access.rules(), published=state.body(now))
        subs.status, subs.reason, subs.view, subs.now = verdict.status, verdict.reason, verdict.view, now
        body = apply(subs.published, subs)
        return whole if body is None or body == subs.published else state.tail_of(body)


def _body_in(tail: bytes) -> bytes:
    return tail[tail.index(b"\r\n\r\n") + 4 :]
