"""A subscriber: RFC 6665 section 4.1.

Rules:
1. One request at a time: what is wanted meanwhile (a refresh, the end) waits for the answer.
2. The dialog begins with the first NOTIFY or the 2xx, whichever comes first. NOTIFYs of another dialog (a
   forked SUBSCRIBE) are answered by 481.
3. `on_end` is called exactly once, and nothing after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from openpy.sip.dialog import Dialog
from openpy.sip.errors import RemoteError
from openpy.sip.headers import Params, parse_event, parse_number, parse_params
from openpy.sip.message import Request
from openpy.transaction.flow import Flow
from openpy.transaction.wheel import Timer
from openpy.useragent.agent import Answer, UserAgent
from openpy.useragent.exchange import Draft, Outcome, refresh_delay

_TIMER_N = 32.0
"""Seconds in which a NOTIFY follows each SUBSCRIBE (64*T1)."""

_DIALOG_ENDS = frozenset({404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604})
"""Answers that end the dialog or its subscription (RFC 5057 section 5.1)."""


@dataclass(frozen=True, slots=True)
class NotifyState:
    """One NOTIFY.

    `time` is the agent's clock; `state`, `reason` and `expires` (seconds) are those of Subscription-State.
    """

    time: float
    event: str
    state: str
    reason: str
    expires: int | None
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """Why a subscription is over.

    `status` is that of the refused SUBSCRIBE (408 for a timeout), or 0 if a NOTIFY ended it; `retry_after`
    in seconds.
    """

    time: float
    status: int
    reason: str
    retry_after: int | None = None


class Subscription:
    """A subscription of ours, refreshed until it is closed or ends.

    `expires` is in seconds, `accept` the Accept header's value ("": none). `start` sends the first SUBSCRIBE.
    """

    def __init__(
        self,
        agent: UserAgent,
        *,
        target_uri: str,
        from_uri: str,
        event: str,
        expires: int,
        accept: str,
        flow: Flow,
        on_state: Callable[[NotifyState], None],
        on_end: Callable[[Ended], None],
    ) -> None:
        self.expires = expires
        self._agent = agent
        self._target_uri = target_uri
        self._from_uri = from_uri
        self._event = event
        self._package_and_id = parse_event(event)[:2]
        self._accept = accept
        self._flow = flow
        self._on_state = on_state
        self._on_end = on_end
        self._call_id = self._tag = ""
        self._draft: Draft | None = None
        self._dialog: Dialog | None = None
        self._closing = False
        self._over = False
        self._ends_at = 0.0
        self._refresh_timer: Timer | None = None
        self._notify_timer: Timer | None = None

    # --- what the user asks for -----------------------------------------------------------------------------

    def start(self) -> None:
        """Subscribe."""
        draft = self._agent.draft("SUBSCRIBE", self._target_uri, from_uri=self._from_uri)
        self._dialog = None
        self._agent.ignore_notifies(self._call_id, self._tag)
        self._call_id, self._tag = draft.call_id, draft.from_.rpartition(";tag=")[2]
        self._agent.handle_notifies(self._call_id, self._tag, self._receive_notify)
        self._send(draft, self.expires)

    def refresh(self) -> None:
        """Refresh now (nothing happens while a SUBSCRIBE is under way, or before the dialog exists)."""
        if self._dialog is not None and self._draft is None and not self._over:
            self._send(self._agent.draft_within(self._dialog, "SUBSCRIBE"), self.expires)

    def close(self) -> None:
        """Unsubscribe, and wait for the last NOTIFY, for Timer N at most; `on_end` follows."""
        if self._closing or self._over:
            return
        self._closing = True
        if self._draft is None:
            self._unsubscribe()

    # --- SUBSCRIBE ------------------------------------------------------------------------------------------

    def _send(self, draft: Draft, expires: int) -> None:
        self._draft = draft
        draft.expires = expires
        draft.headers = f"Contact: <{self._agent.contact_for(draft.uri)}>\r\nEvent: {self._event}\r\n"
        if self._accept:
            draft.headers += f"Accept: {self._accept}\r\n"
        self._stop(self._refresh_timer)
        self._stop(self._notify_timer)
        self._notify_timer = self._agent.wheel.add(_TIMER_N, self._no_notify)
        self._agent.send(draft, self._flow, self._answered)

    def _unsubscribe(self) -> None:
        if self._dialog is None:
            self._end(0, "closed")
        else:
            self._send(self._agent.draft_within(self._dialog, "SUBSCRIBE"), 0)

    def _answered(self, outcome: Outcome) -> None:
        draft, self._draft = self._draft, None
        if self._over or draft is None:
            return
        if self._dialog is not None:
            self._dialog.local_cseq = draft.cseq
        if outcome.ok:
            self._accepted(outcome, draft)
        else:
            self._refused(outcome, draft)

    def _accepted(self, outcome: Outcome, draft: Draft) -> None:
        self._learn_dialog(outcome)
        if self._notify_timer is not None and not self._notify_timer.pending:
            self._notify_timer = self._agent.wheel.add(_TIMER_N, self._no_notify)
        if not self._closing:
            self._schedule(outcome.expires or 0)
        elif draft.expires != 0:
            self._unsubscribe()

    def _learn_dialog(self, outcome: Outcome) -> None:
        """Take dialog and target from a 2xx; without a Contact (a fault of theirs) a NOTIFY will tell."""
        assert outcome.response is not None
        try:
            if self._dialog is None:
                self._dialog = Dialog.from_response(outcome.request, outcome.response)
            else:
                self._dialog.refresh_target(outcome.response)
        except RemoteError:
            pass

    def _refused(self, outcome: Outcome, draft: Draft) -> None:
        remaining = self._ends_at - self._agent.wheel.now
        if self._dialog is None or draft.expires == 0:
            self._end(outcome.status, outcome.reason)
        elif outcome.status == 481 and not self._closing:
            self.start()
        elif outcome.status in _DIALOG_ENDS or remaining < 2:
            self._end(outcome.status, outcome.reason)
        elif self._closing:
            self._unsubscribe()
        else:  # the subscription lives on until its old end (RFC 6665 section 4.1.2.2)
            self._stop(self._notify_timer)
            self._notify_timer = None
            self._refresh_timer = self._agent.wheel.add(remaining / 2, self.refresh)

    # --- NOTIFY ---------------------------------------------------------------------------------------------

    def _receive_notify(self, notify: Request, answer: Answer) -> None:
        event = notify.event
        if event is None or (event.package, event.id) != self._package_and_id:
            answer(489, f"Allow-Events: {self._package_and_id[0]}\r\n")
            return
        state, params = _subscription_state(notify)
        dialog = self._dialog
        if dialog is None:
            dialog = self._dialog = Dialog.from_request(notify, self._tag)
            dialog.local_cseq = self._draft.cseq if self._draft is not None else 1
        elif notify.from_.tag != dialog.remote_tag:
            answer(481, "")
            return
        elif dialog.remote_cseq is not None and notify.cseq.number <= dialog.remote_cseq:
            answer(500, "")
            return
        dialog.remote_cseq = notify.cseq.number
        dialog.refresh_target(notify)
        answer(200, "")
        self._take_state(notify, state, params)

    def _take_state(self, notify: Request, state: str, params: Params) -> None:
        reason = params.get("reason") or ""
        expires = _seconds(params.get("expires"))
        terminated = state == "terminated"
        if terminated:
            self._leave()
        elif not self._closing:
            self._stop(self._notify_timer)
            self._notify_timer = None
            if expires is not None and self._draft is None:
                self._schedule(expires)
        content_type = notify.get("Content-Type") or ""
        time = self._agent.clock()
        self._on_state(NotifyState(time, self._event, state, reason, expires, content_type, notify.body))
        if terminated:
            self._on_end(Ended(time, 0, reason, _seconds(params.get("retry-after"))))

    # --- time -----------------------------------------------------------------------------------------------

    def _schedule(self, expires: int) -> None:
        """Refresh before `expires` seconds are over (0: never, the last NOTIFY is on its way)."""
        self._stop(self._refresh_timer)
        self._ends_at = self._agent.wheel.now + expires
        if expires:
            self._refresh_timer = self._agent.wheel.add(refresh_delay(expires), self.refresh)

    def _no_notify(self) -> None:
        if self._draft is None:  # else its answer, or the lack of one, decides
            self._end(408, "No NOTIFY")

    def _end(self, status: int, reason: str) -> None:
        self._leave()
        self._on_end(Ended(self._agent.clock(), status, reason))

    def _leave(self) -> None:
        self._over = True
        self._stop(self._refresh_timer)
        self._stop(self._notify_timer)
        self._agent.ignore_notifies(self._call_id, self._tag)

    @staticmethod
    def _stop(timer: Timer | None) -> None:
        if timer is not None:
            timer.cancel()


def _subscription_state(notify: Request) -> tuple[str, Params]:
    """State in lower case, and parameters. Raises RemoteError (400)."""
    text = notify.get("Subscription-State")
    if text is None:
        raise RemoteError(400, "Missing Subscription-State")
    state, semicolon, params = text.partition(";")
    return state.strip().lower(), parse_params(semicolon + params)


def _seconds(text: str | None) -> int | None:
    return parse_number(text, "seconds") if text is not None and text.isdecimal() and text.isascii() else None
