"""Who may watch one event of one presentity: what its rules say, and what was decided before.

Rules:
1. Rules are looked up whenever something is decided or sent, never carried along: what they hide now is in no
   NOTIFY from now on.
2. Where a presentity has rules, they decide. Where it has none, what was decided before stands until somebody says
   that the rules have changed.
3. A verdict is kept with the decision as long as it cannot have changed: the same rules, not beyond its time, and the
   same published state if it depends on that.
4. What cannot be judged is closed.
"""

from __future__ import annotations

from collections.abc import Hashable
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from openpy.modules.presence.dialog import ACTIVE
from openpy.modules.presence.store import split_uri
from openpy.modules.presence.subs import Subs
from openpy.sip.errors import RemoteError

if TYPE_CHECKING:
    from openpy.modules.presence.eventstate import EventState

DECISION_LIFETIME = 86_400.0
"""Seconds after which a decision that nobody waits for is forgotten; as 1.3 did with pending ones."""


class AuthStatus(NamedTuple):
    """What `get_auth_status` says of a watcher.

    `status` is ACTIVE, PENDING or TERMINATED. Watchers with equal `view` are shown the same body; None: this one
    has a body of its own. It holds until the Unix time `until`, and with `by_state` for the published state only.
    """

    status: int
    reason: str = ""
    view: Hashable = None
    until: float = inf
    by_state: bool = False


class Decision:
    """What a presentity decided about a watcher: one row of the table `watchers`.

    `inserted` is the Unix time of the watcher's first SUBSCRIBE, `kept` whether the row is committed. `state` is None
    once it is forgotten. `last_id` names the watcher's last pending subscription in watchers' information.
    """

    __slots__ = (
        "_body",
        "_rules",
        "_verdict",
        "bucket",
        "expires",
        "id",
        "inserted",
        "kept",
        "last_id",
        "reason",
        "state",
        "status",
        "watcher_uri",
    )

    def __init__(
        self, state: EventState, watcher_uri: str, id_: int, status: int, reason: str, inserted: int
    ) -> None:
        self.state: EventState | None = state
        self.watcher_uri = watcher_uri
        self.id = id_
        self.status = status
        self.reason = reason
        self.inserted = inserted
        self.expires: float = inserted + DECISION_LIFETIME
        self.bucket = 0
        self.kept = False
        self.last_id = ""
        self._verdict: AuthStatus | None = None
        self._rules: Any = None
        self._body = b""

    def is_needed(self) -> bool:
        """Whether it must be kept: somebody is subscribed by it, or no rules say the same again."""
        state = self.state
        if state is None or state.access is None:
            return False
        if any(item.dialog.watcher_uri == self.watcher_uri for item in state.subscriptions.values()):
            return True
        try:
            return self.status == ACTIVE and state.access.rules() is None
        except RemoteError:
            return True

    def remembered(self, rules: Any, body: bytes, now: float) -> AuthStatus | None:
        """The last verdict, if it still holds."""
        verdict = self._verdict
        if verdict is None or self._rules is not rules or now >= verdict.until:
            return None
        return None if verdict.by_state and self._body is not body else verdict

    def remember(self, verdict: AuthStatus, rules: Any, body: bytes) -> None:
        """Keep a verdict as long as nothing changes."""
        self._verdict, self._rules, self._body = verdict, rules, body


class Access:
    """Who may watch one event of one presentity. `decisions` are by the watcher's canonical URI."""

    __slots__ = ("alarm", "asked", "by_state", "decisions", "state")

    def __init__(self, state: EventState) -> None:
        self.state = state
        self.decisions: dict[str, Decision] = {}
        self.by_state = False  # some verdict depends on what is published
        self.asked = False  # somebody will decide anew soon
        self.alarm = inf  # when the next verdict ends to hold

    def rules(self) -> Any:
        """The rules of the presentity now; None if it has none. May raise RemoteError: they are not known yet."""
        package = self.state.package
        if package.get_rules_doc is None:
            return None
        return package.get_rules_doc(*split_uri(self.state.presentity.uri))

    def verdict(self, watcher_uri: str, now: float, *, anew: bool = False) -> AuthStatus:
        """What is true of a watcher; `anew`: what was decided before does not count. May raise RemoteError."""
        rules = self.rules()
        body = self.state.body(now)
        decision = self.decisions.get(watcher_uri)
        if decision is not None:
            verdict = decision.remembered(rules, body, now)
            if verdict is not None:
                self.by_state = self.by_state or verdict.by_state
                return verdict
            if rules is None and not anew:
                return AuthStatus(decision.status, decision.reason)
        verdict = self._judge(watcher_uri, rules, body, now)
        self.by_state = self.by_state or verdict.by_state
        if decision is not None:
            decision.remember(verdict, rules, body)
        return verdict

    def _judge(self, watcher_uri: str, rules: Any, body: bytes, now: float) -> AuthStatus:
        package = self.state.package
        if package.get_auth_status is None:
            return AuthStatus(ACTIVE)
        user, domain = split_uri(watcher_uri)
        subs = Subs(self.state.presentity.uri, package, from_user=user, from_domain=domain)
        subs.auth_rules_doc, subs.published, subs.now = rules, body, now
        return package.get_auth_status(subs)
