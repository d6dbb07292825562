"""What becomes of watchers when rules change, and of decisions when time passes.

Rules:
1. All that changes about the watchers of a presentity by one change of its rules is one transaction.
2. Each watcher whose status changed is told, and those whose view changed; one that is rejected for the last time.
3. A subscription that was being committed meanwhile is looked at again when it is (`check`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from openpy.db.statements import Operation
from openpy.engine.waiting import Wait
from openpy.modules.presence import winfo
from openpy.modules.presence.authorization import Access, AuthStatus, Decision
from openpy.modules.presence.dialog import ACTIVE, PENDING, REJECTED, TERMINATED, Subscription
from openpy.modules.presence.presentity import Change, Committed
from openpy.sip.errors import RemoteError

if TYPE_CHECKING:
    from openpy.modules.presence.agent import PresenceAgent
    from openpy.modules.presence.eventstate import EventState

LONGEST_ALARM = 86_400
"""Seconds; a verdict that holds longer is looked at again in between."""


def decision_about(
    agent: PresenceAgent, access: Access, subscription: Subscription, verdict: AuthStatus
) -> Decision | None:
    """The decision to keep about a new watcher; None if what is kept says the same, or there is no room for more.

    Raises RemoteError (400).
    """
    known = access.decisions.get(subscription.dialog.watcher_uri)
    if known is None and not agent.budgets.has_room_for_decision(access.state):
        return None
    if known is not None and (known.status, known.reason) == (verdict.status, verdict.reason):
        return None
    id_ = agent.store.decision_id() if known is None else known.id
    inserted = int(agent.now()) if known is None else known.inserted
    return Decision(access.state, subscription.dialog.watcher_uri, id_, *verdict[:2], inserted)


class Decide(Change):
    """A decision about somebody who has no subscription: he was rejected, or only asked once."""

    __slots__ = ("_agent", "_decision", "_previous", "_state")

    keeps = True

    def __init__(self, agent: PresenceAgent, access: Access, decision: Decision) -> None:
        self._agent = agent
        self._state = access.state
        self._decision = decision
        self.operations = (agent.store.keep_decision(access.state.presentity.uri, decision),)
        self._previous = place(access, decision)

    def apply(self) -> None:
        """It is kept."""
        keep(self._agent, self._decision)

    def announce(self) -> None:
        """Tell the presentity."""
        decision = self._decision
        if decision.status == TERMINATED:
            winfo.tell(self._agent, self._state, [winfo.waiting(decision, "terminated", "rejected")])
        elif decision.status == PENDING and not winfo.subscribed(self._state, decision.watcher_uri):
            winfo.tell(self._agent, self._state, [winfo.waiting(decision)])

    def undo(self) -> None:
        """It was never made."""
        displace(self._state, self._decision, self._previous)


def place(access: Access, decision: Decision) -> Decision | None:
    """Let a decision count from now on; return the one it replaces, for `displace`."""
    previous = access.decisions.get(decision.watcher_uri)
    access.decisions[decision.watcher_uri] = decision
    return previous


def keep(agent: PresenceAgent, decision: Decision) -> None:
    """A decision is committed."""
    decision.kept = True
    agent.deadlines.put(decision)


def displace(state: EventState, decision: Decision, previous: Decision | None) -> None:
    """Undo `place`."""
    assert state.access is not None
    decisions = state.access.decisions
    if decisions.get(decision.watcher_uri) is decision:
        if previous is None:
            del decisions[decision.watcher_uri]
        else:
            decisions[decision.watcher_uri] = previous


class _Turn(NamedTuple):
    """What becomes of one subscription; `cause` is for watchers' information, "" where its status stays."""

    subscription: Subscription
    status: int
    reason: str
    cause: str


class Authorize(Change):
    """The rules say something else of some watchers than was decided."""

    __slots__ = ("_agent", "_decided", "_state", "_turns", "_waited", "told")

    def __init__(
        self,
        agent: PresenceAgent,
        state: EventState,
        turns: Sequence[_Turn],
        decided: Sequence[tuple[Decision, AuthStatus]],
    ) -> None:
        """`told` brings the number of watchers who were told."""
        self._agent = agent
        self._state = state
        self._turns = turns
        self._decided = decided
        self._waited = {decision for decision, _ in decided if decision.status == PENDING}
        self.told: Wait[int] = Wait()
        store = agent.store
        operations: list[Operation] = []
        for decision, verdict in decided:
            operations.append(store.change_decision(decision.id, verdict.status, verdict.reason))
        for subscription, status, reason, _ in turns:
            if status == TERMINATED:
                subscription.ending = True
                operations.append(store.delete_subscription(subscription.id))
            else:
                operations.append(store.judge_subscription(subscription.id, status, reason))
        self.operations = operations

    def apply(self) -> None:
        """It holds."""
        for decision, verdict in self._decided:
            decision.status, decision.reason = verdict.status, verdict.reason
        for subscription, status, reason, cause in self._turns:
            subscription.status, subscription.reason = status, reason
            subscription.cause = cause or subscription.cause
            if status == TERMINATED:
                subscription.finish(REJECTED, with_body=False)
                self._agent.unsubscribed(subscription)

    def announce(self) -> None:
        """Tell those concerned, and the presentity."""
        agent, state = self._agent, self._state
        now = agent.now()
        told = {turn.subscription for turn in self._turns}
        agent.notifier.fan_out([turn.subscription for turn in self._turns if not turn.subscription.dead])
        for turn in self._turns:
            if turn.status == TERMINATED:  # the last word does not wait
                agent.notifier.resume(turn.subscription.dialog)
        others = (
            []
            if state.shown is None
            else [item for item in state.shown.news(agent, state) if item not in told]
        )
        agent.notifier.fan_out(others)
        self.told.resolve(len(told) + len(others))
        changed = [winfo.described(turn.subscription, turn.cause, now) for turn in self._turns if turn.cause]
        present = {turn.subscription.dialog.watcher_uri for turn in self._turns}
        present.update(item.dialog.watcher_uri for item in state.subscriptions.values())
        for decision, verdict in self._decided:
            if decision.watcher_uri in present:
                continue
            if verdict.status == PENDING:
                changed.append(winfo.waiting(decision))
            elif decision in self._waited:
                cause = "approved" if verdict.status == ACTIVE else "rejected"
                changed.append(winfo.waiting(decision, "terminated", cause))
        winfo.tell(agent, state, changed)

    def undo(self) -> None:
        """Nobody is told anything; the next time the rules decide again."""
        for subscription, status, _, _ in self._turns:
            if status == TERMINATED:
                subscription.ending = False


def decide_anew(agent: PresenceAgent, state: EventState, *, anew: bool) -> tuple[Authorize, Committed] | None:
    """Judge every watcher of an event by the rules as they are; None where nothing can be judged.

    `anew`: where there are no rules, that is what they say; else what was decided before stands there.
    May raise RemoteError: the rules are not known yet.
    """
    access = state.access
    if access is None:
        return None
    access.asked = access.by_state = False
    now = agent.now()
    turns: list[_Turn] = []
    decided: dict[Decision, AuthStatus] = {}
    for subscription in state.subscriptions.values():
        if subscription.ending or subscription.dead:
            continue
        verdict = access.verdict(subscription.dialog.watcher_uri, now, anew=anew)
        set_alarm(agent, access, verdict)
        if (subscription.status, subscription.reason) != verdict[:2]:
            turns.append(_Turn(subscription, *verdict[:2], _cause(subscription.status, verdict.status)))
        decision = access.decisions.get(subscription.dialog.watcher_uri)
        if decision is not None:
            decided[decision] = verdict
    for decision in access.decisions.values():
        if decision.kept and decision not in decided:
            decided[decision] = access.verdict(decision.watcher_uri, now, anew=anew)
    changed = [
        (decision, verdict)
        for decision, verdict in decided.items()
        if (decision.status, decision.reason) != verdict[:2] and decision.kept
    ]
    change = Authorize(agent, state, turns, changed)
    return change, state.presentity.submit(change)


def check(agent: PresenceAgent, subscription: Subscription) -> None:
    """Decide anew if the rules say something else of a watcher than when he subscribed."""
    access = subscription.state.access
    if access is not None:
        try:
            verdict = access.verdict(subscription.dialog.watcher_uri, agent.now())
        except RemoteError:
            return
        set_alarm(agent, access, verdict)
        if (verdict.status, verdict.reason) != (subscription.status, subscription.reason):
            agent.decide_anew(subscription.state)


def set_alarm(agent: PresenceAgent, access: Access, verdict: AuthStatus) -> None:
    """Decide anew when a verdict ends to hold."""
    if verdict.until < access.alarm:
        access.alarm = verdict.until
        delay = min(max(verdict.until - agent.now(), 0.0), LONGEST_ALARM)
        agent.services.wheel.add(delay, partial(_ring, agent, access, verdict.until))


def _ring(agent: PresenceAgent, access: Access, time: float) -> None:
    if access.alarm == time:
        access.alarm = float("inf")
        agent.decide_anew(access.state)


def _cause(before: int, after: int) -> str:
    """The event of RFC 3857 section 4.7.1 that leads from one status to another; "" if they are the same."""
    if after == before:
        return ""
    if after == ACTIVE:
        return "approved"
    return "rejected" if after == TERMINATED else "subscribe"
