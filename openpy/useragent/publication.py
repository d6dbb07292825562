"""A publisher: RFC 3903 section 4.

Rules:
1. One PUBLISH is under way at a time. What is wanted meanwhile waits for the answer; of several changes the
   last counts.
2. The entity-tag of the last 2xx names our state; without one the next PUBLISH is an initial one with the
   whole body.
3. A 412 means that the server has forgotten us: the tag is dropped and the state published anew. It is not
   reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from openpy.transaction.flow import Flow
from openpy.transaction.wheel import Timer
from openpy.useragent.agent import UserAgent
from openpy.useragent.exchange import Draft, Outcome, refresh_delay


class PublishKind(Enum):
    """What a PUBLISH is for (RFC 3903 table 1)."""

    INITIAL = "initial"
    REFRESH = "refresh"
    MODIFY = "modify"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class PublishResult:
    """How a PUBLISH ended.

    `time` is the agent's clock, `etag` the entity-tag now ("": none), `expires` is in seconds.
    """

    time: float
    kind: PublishKind
    status: int
    reason: str
    etag: str
    expires: int

    @property
    def ok(self) -> bool:
        """Whether the PUBLISH succeeded."""
        return 200 <= self.status < 300


class Publication:
    """One piece of event state of ours at a presence server, refreshed until it is removed.

    `expires` is in seconds. `start` publishes; each answer is told to `on_result`. A refresh that fails is
    tried again while the state lasts.
    """

    def __init__(
        self,
        agent: UserAgent,
        *,
        uri: str,
        from_uri: str,
        event: str,
        expires: int,
        body: bytes,
        content_type: str,
        flow: Flow,
        on_result: Callable[[PublishResult], None],
    ) -> None:
        self.expires = expires
        self.etag = ""
        self._agent = agent
        self._event = event
        self._body = body
        self._content_type = content_type
        self._flow = flow
        self._on_result = on_result
        self._identity = agent.draft("PUBLISH", uri, from_uri=from_uri)
        self._cseq = 0
        self._under_way: tuple[PublishKind, Draft] | None = None
        self._next: PublishKind | None = None
        self._ends_at = 0.0
        self._timer: Timer | None = None

    # --- what the user asks for -----------------------------------------------------------------------------

    def start(self) -> None:
        """Publish."""
        self._want(PublishKind.MODIFY)

    def modify(self, body: bytes, content_type: str = "") -> None:
        """Publish another body; `content_type` stays if not given."""
        self._body = body
        self._content_type = content_type or self._content_type
        self._want(PublishKind.MODIFY)

    def refresh(self) -> None:
        """Refresh now (with the whole body, if the server has no state of ours)."""
        self._want(PublishKind.REFRESH)

    def remove(self) -> None:
        """Take the state back. Nothing is sent, and nothing told, if the server has none of ours."""
        self._want(PublishKind.REMOVE)

    # --- PUBLISH --------------------------------------------------------------------------------------------

    def _want(self, kind: PublishKind) -> None:
        if self._under_way is None:
            self._send(kind)
        elif kind is not PublishKind.REFRESH or self._next is None:
            self._next = kind

    def _send(self, kind: PublishKind) -> None:
        self._stop_timer()
        if not self.etag:
            if kind is PublishKind.REMOVE:
                return
            kind = PublishKind.INITIAL
        draft = self._new_draft()
        self._under_way = kind, draft
        draft.expires = 0 if kind is PublishKind.REMOVE else self.expires
        draft.headers = f"Event: {self._event}\r\n"
        if self.etag:
            draft.headers += f"SIP-If-Match: {self.etag}\r\n"
        if kind in (PublishKind.INITIAL, PublishKind.MODIFY):
            draft.body, draft.content_type = self._body, self._content_type
        self._agent.send(draft, self._flow, self._answered)

    def _new_draft(self) -> Draft:
        self._cseq += 1
        who = self._identity
        return Draft(who.method, who.uri, who.from_, who.to, who.call_id, self._cseq)

    def _answered(self, outcome: Outcome) -> None:
        assert self._under_way is not None
        kind, draft = self._under_way
        self._cseq = draft.cseq
        if outcome.status == 412 and self.etag and kind is not PublishKind.REMOVE:
            self.etag = ""
            self._next = self._next or PublishKind.INITIAL
            self._send_next()
            return
        if outcome.ok:
            self._take(kind, outcome)
        else:
            self._retry_later(kind)
        time, expires = self._agent.clock(), outcome.expires or 0
        try:
            self._on_result(PublishResult(time, kind, outcome.status, outcome.reason, self.etag, expires))
        finally:
            self._send_next()

    def _send_next(self) -> None:
        self._under_way = None
        following, self._next = self._next, None
        if following is not None:
            self._send(following)

    def _take(self, kind: PublishKind, outcome: Outcome) -> None:
        assert outcome.response is not None
        expires = outcome.expires or 0
        self._ends_at = self._agent.wheel.now + expires
        if kind is PublishKind.REMOVE or not expires:
            self.etag = ""
            return
        self.etag = outcome.response.get("SIP-ETag") or ""
        self._timer = self._agent.wheel.add(refresh_delay(expires), self.refresh)

    def _retry_later(self, kind: PublishKind) -> None:
        remaining = self._ends_at - self._agent.wheel.now
        if kind is PublishKind.REMOVE or remaining < 2:
            self.etag = ""
        else:
            self._timer = self._agent.wheel.add(remaining / 2, self._want, kind)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
