"""What decisions do to the state once their rows are committed.

A `Change` is made by the decision (which leaves its marks in the tentative state), applied in the order of
decision, and then announced; or undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from openpy.db.statements import Operation
from openpy.documents.watcherinfo import Watcher
from openpy.modules.presence import winfo
from openpy.modules.presence.authorization import Decision
from openpy.modules.presence.deciding import check, displace, keep, place
from openpy.modules.presence.dialog import ACTIVE, CSEQ_BLOCK, PENDING, TIMEOUT
from openpy.modules.presence.eventstate import EventState, LastState
from openpy.modules.presence.presentity import Change
from openpy.modules.presence.publications import Publication, Revision, Standing, state_of

if TYPE_CHECKING:
    from openpy.modules.presence.agent import PresenceAgent
    from openpy.modules.presence.dialog import Dialog, Subscription
    from openpy.sip.uri import Uri


class Publish(Change):
    """A publication is made, refreshed or modified."""

    __slots__ = ("_agent", "_old_etag", "_silenced", "_state", "_visible", "revision")

    keeps = True

    def __init__(
        self,
        agent: PresenceAgent,
        state: EventState,
        revision: Revision,
        operations: Sequence[Operation],
        *,
        old_etag: str = "",
        visible: bool = True,
        silenced: Uri | None = None,
    ) -> None:
        self.operations = operations
        self.revision = revision
        self._agent = agent
        self._state = state
        self._old_etag = old_etag
        self._visible = visible
        self._silenced = silenced
        tentative = state.presentity.tentative
        if old_etag:
            tentative[old_etag] = None
        tentative[revision.etag] = revision
        state.newest = max(state.newest, revision.received)

    def apply(self) -> None:
        """Give the publication its new values and its new name."""
        state = self._state
        revision = self.revision
        publication, etag = revision.publication, revision.etag
        publication.etag = etag
        publication.expires = revision.expires
        publication.received = revision.received
        publication.body = revision.body
        publication.document = revision.document
        tentative = state.presentity.tentative
        old_etag = self._old_etag
        if old_etag:
            if tentative.get(old_etag, publication) is None:
                del tentative[old_etag]
            state.publications.pop(old_etag, None)
            self._agent.deadlines.put(publication)
        else:
            self._agent.published(publication)
        if tentative.get(etag) is self.revision:
            del tentative[etag]
        state.publications[etag] = publication
        if self._visible:
            state.changed()

    def announce(self) -> None:
        """Tell the watchers if there is something to see."""
        if self._visible:
            self._agent.show(self._state, self._silenced)


class End(Change):
    """Publications and subscriptions end: removed, unsubscribed, or out of time."""

    __slots__ = (
        "_agent",
        "_decisions",
        "_given_up",
        "_kept",
        "_last_states",
        "_previous_cseq",
        "_publications",
        "_silenced",
        "_subscriptions",
    )

    def __init__(
        self,
        agent: PresenceAgent,
        publications: Sequence[Standing],
        subscriptions: Sequence[Subscription] = (),
        last_states: Sequence[LastState] = (),
        decisions: Sequence[Decision] = (),
        *,
        silenced: Uri | None = None,
        remote_cseq: int = 0,
    ) -> None:
        """`remote_cseq` is that of the SUBSCRIBE that ends the one subscription, if one does."""
        self._agent = agent
        self._publications = [_named(standing) for standing in publications]
        self._subscriptions = subscriptions
        self._last_states = last_states
        self._decisions = decisions
        self._silenced = silenced
        self._kept: list[LastState] = []
        self._given_up: list[tuple[EventState, Watcher]] = []
        store = agent.store
        operations: list[Operation] = []
        for etag, publication, state in self._publications:
            state.presentity.tentative[etag] = None
            operations.append(store.delete_publication(publication.id))
        operations += [store.delete_last_state(last.id) for last in last_states]
        operations += [store.delete_decision(decision.id) for decision in decisions]
        for state in self._states():
            last = agent.last_state(state, [item for item in publications if item.state is state])
            if last is not None:
                self._kept.append(last)
                operations.append(store.keep_last_state(last))
        for subscription in subscriptions:
            subscription.ending = True
            operations.append(store.delete_subscription(subscription.id))
        self._previous_cseq = subscriptions[0].dialog.see(remote_cseq) if remote_cseq else None
        self.operations = operations

    def apply(self) -> None:
        """They are gone."""
        for etag, publication, state in self._publications:
            tentative = state.presentity.tentative
            if tentative.get(etag, publication) is None:
                del tentative[etag]
            del state.publications[etag]
            state.changed()
            self._agent.unpublished(publication)
        for last in self._last_states:
            self._agent.forget_last_state(last)
        self._given_up = [
            (decision.state, winfo.waiting(decision, "terminated", "giveup"))
            for decision in self._decisions
            if decision.state is not None and decision.status == PENDING
        ]
        for decision in self._decisions:
            self._agent.forget_decision(decision)
        for last in self._kept:
            self._agent.keep_last_state(last)
        asked = self._previous_cseq is not None
        for subscription in self._subscriptions:
            # Not before: the last word must not be said, by an earlier change, of what may still be refused.
            subscription.finish(TIMEOUT, with_body=asked and subscription.status == ACTIVE)
            self._agent.unsubscribed(subscription)

    def announce(self) -> None:
        """Tell the watchers that stay, and those that go their last word."""
        for state in self._states():
            self._agent.show(state, self._silenced)
        for subscription in self._subscriptions:
            state = subscription.state
            peer = state.package.wipeer
            if peer is not None and peer.name in state.presentity.events:
                winfo.tell(self._agent, state, (winfo.ended(subscription, "timeout"),))
            if not subscription.dead:
                self._agent.notifier.notify(subscription)
                if subscription.dialog.pause is not None:
                    self._agent.notifier.resume(subscription.dialog)
        for state, watcher in self._given_up:
            winfo.tell(self._agent, state, (watcher,))

    def undo(self) -> None:
        """They stay; the deadlines will come back to those whose time is over."""
        for _, publication, _ in self._publications:
            self._agent.deadlines.put(publication)
        for subscription in self._subscriptions:
            subscription.ending = False
            if self._previous_cseq is not None:
                subscription.dialog.unsee(self._previous_cseq)
            self._agent.deadlines.put(subscription)
        for last in self._last_states:
            self._agent.deadlines.put(last)
        for decision in self._decisions:
            self._agent.deadlines.put(decision)

    def _states(self) -> Iterable[EventState]:
        return dict.fromkeys([state for _, _, state in self._publications])


class Subscribe(Change):
    """A subscription is made or gets a new lifetime, and its dialog the target of the request."""

    __slots__ = (
        "_agent",
        "_connection",
        "_decision",
        "_expires",
        "_is_new",
        "_previous_cseq",
        "_previous_decision",
        "_previous_reserved",
        "_reserved",
        "_subscription",
        "_target",
    )

    keeps = True

    def __init__(
        self,
        agent: PresenceAgent,
        subscription: Subscription,
        *,
        expires: float,
        remote_cseq: int,
        target: str,
        connection: tuple[str, str, int] | None,
        decision: Decision | None = None,
    ) -> None:
        """`decision` is one about the watcher to be kept with the subscription.

        May raise RemoteError (400) for a value that does not fit; nothing is changed then.
        """
        dialog = subscription.dialog
        store = agent.store
        reserved = max(dialog.reserved, dialog.cseq + CSEQ_BLOCK)
        self._agent = agent
        self._subscription = subscription
        self._is_new = subscription not in dialog.usages
        self._expires = expires
        self._target = target
        self._connection = connection
        self._reserved = reserved
        operations: list[Operation] = [
            # Every row of the dialog, so that none falls back when another one of them goes; but for those that go.
            store.refresh_subscription(
                usage, expires if usage is subscription else usage.expires, remote_cseq, target, reserved
            )
            for usage in dialog.usages
            if not usage.ending
        ]
        if self._is_new:
            operations.append(store.insert_subscription(subscription, remote_cseq, target, reserved))
        self._decision = decision
        self._previous_decision: Decision | None = None
        if decision is not None:
            operations.append(store.keep_decision(dialog.presentity.uri, decision))
            access = subscription.state.access
            self._previous_decision = None if access is None else place(access, decision)
        self.operations = operations
        self._previous_cseq = dialog.see(remote_cseq)
        self._previous_reserved = dialog.reserved
        dialog.reserved = reserved
        subscription.refreshing += 1

    def apply(self) -> None:
        """The new values hold."""
        subscription = self._subscription
        dialog = subscription.dialog
        subscription.refreshing -= 1
        subscription.expires = self._expires
        subscription.dead = False
        dialog.retarget(self._target, self._connection)
        dialog.limit = max(dialog.limit, self._reserved)
        if self._is_new:
            self._agent.subscribed(subscription)
        else:
            self._agent.deadlines.put(subscription)
        if self._decision is not None:
            keep(self._agent, self._decision)

    def announce(self) -> None:
        """Each SUBSCRIBE is answered with the full state."""
        subscription = self._subscription
        subscription.news = None
        state = subscription.state
        peer = state.package.wipeer
        if self._is_new and peer is not None and peer.name in state.presentity.events:
            winfo.tell(self._agent, state, self._news(subscription))
        if self._is_new and state.access is not None:
            check(self._agent, subscription)
        self._agent.notifier.notify(subscription)
        if subscription.dialog.pause is not None:
            self._agent.notifier.resume(subscription.dialog)

    def _news(self, subscription: Subscription) -> list[Watcher]:
        """A new watcher; if he was waiting for a decision, he no longer is."""
        news = [winfo.described(subscription, subscription.cause, self._agent.now())]
        access = subscription.state.access
        uri = subscription.dialog.watcher_uri
        known = self._previous_decision
        if access is not None and self._decision is None:
            known = access.decisions.get(uri)
        if known is not None and known.status == PENDING and winfo.count(subscription.state, uri) == 1:
            news.insert(0, winfo.waiting(known, "terminated", "giveup"))
        return news

    def undo(self) -> None:
        """The request was never seen."""
        self._subscription.refreshing -= 1
        self._subscription.dialog.unsee(self._previous_cseq)
        self._subscription.dialog.unreserve(self._previous_reserved)
        if self._decision is not None:
            displace(self._subscription.state, self._decision, self._previous_decision)


class Reserve(Change):
    """A dialog gets more CSeqs for its NOTIFYs."""

    __slots__ = ("_agent", "_dialog", "_previous", "_reserved")

    def __init__(self, agent: PresenceAgent, dialog: Dialog) -> None:
        self._agent = agent
        self._dialog = dialog
        self._reserved = dialog.reserved + CSEQ_BLOCK
        self.operations = [
            agent.store.reserve_cseq(usage, self._reserved) for usage in dialog.usages if not usage.ending
        ]
        self._previous = dialog.reserved
        dialog.reserved = self._reserved
        dialog.reserving = True

    def apply(self) -> None:
        """They may be used."""
        self._dialog.limit = max(self._dialog.limit, self._reserved)
        self._dialog.reserving = False

    def announce(self) -> None:
        """Whoever waited for them goes on."""
        self._agent.notifier.go_on(self._dialog)

    def undo(self) -> None:
        """Whoever waits asks again."""
        self._dialog.reserving = False
        self._dialog.unreserve(self._previous)
        self._agent.notifier.starved(self._dialog)


def _named(standing: Standing) -> tuple[str, Publication, EventState]:
    """What ends: the tag by which it will be known, the publication, its event."""
    return standing.etag, standing.publication, state_of(standing)
