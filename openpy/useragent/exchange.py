"""One request and what it takes to get a final answer: authentication, a longer interval, a timeout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from openpy.sip import build
from openpy.sip.errors import RemoteError
from openpy.sip.headers import parse_number
from openpy.sip.message import Request, Response, parse_message
from openpy.transaction.client import ClientTransaction
from openpy.transaction.flow import Flow
from openpy.transaction.layer import Layer
from openpy.useragent.authentication import Authentication

_MOST_ATTEMPTS = 5


@dataclass(slots=True)
class Draft:
    """A request (not INVITE, not ACK) before it is sent.

    `from_` and `to` are header values with their tags; `headers` are complete lines, each ending in CRLF;
    `expires` (seconds) becomes an Expires header. A repetition raises `cseq` and may raise `expires`.
    """

    method: str
    uri: str
    from_: str
    to: str
    call_id: str
    cseq: int
    routes: tuple[str, ...] = ()
    expires: int | None = None
    headers: str = ""
    content_type: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an exchange ended.

    `request` is the last request sent, `response` the final reply to it. Without a reply (None) `status` is
    408 for a timeout and 503 for a lost connection (RFC 3261 section 8.1.3.1).
    """

    status: int
    reason: str
    request: Request
    response: Response | None = None

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300

    @property
    def expires(self) -> int | None:
        """The interval granted in seconds: what the reply says, else what was asked for."""
        asked, granted = _expires(self.request), _expires(self.response)
        return asked if granted is None else granted


class Exchange:
    """Sends `draft` over `flow` until `on_done` can be told how it ended.

    A 401 or 407 is answered if `authentication` can; a 423 is followed once.
    """

    __slots__ = ("_attempts", "_authentication", "_draft", "_flow", "_layer", "_on_done", "_request")

    def __init__(
        self,
        layer: Layer,
        draft: Draft,
        flow: Flow,
        authentication: Authentication,
        on_done: Callable[[Outcome], None],
    ) -> None:
        self._layer = layer
        self._draft = draft
        self._flow = flow
        self._authentication = authentication
        self._on_done = on_done
        self._attempts = 0
        self._request = self._send()

    def _send(self) -> Request:
        self._attempts += 1
        draft = self._draft
        branch = self._layer.next_branch()
        headers = self._authentication.headers(draft.method, draft.uri) + draft.headers
        if draft.expires is not None:
            headers += f"Expires: {draft.expires}\r\n"
        if draft.body:
            headers += f"Content-Type: {draft.content_type}\r\n"
        data = build.request(
            draft.method,
            draft.uri,
            via=_via(self._flow, branch),
            from_=draft.from_,
            to=draft.to,
            call_id=draft.call_id,
            cseq=draft.cseq,
            routes=draft.routes,
            headers=headers,
            body=draft.body,
        )
        request = parse_message(data)
        assert isinstance(request, Request)
        self._request = request
        self._layer.create_client(data, branch, draft.method, self._flow, self)
        return request

    def _again(self) -> None:
        self._draft.cseq += 1
        self._send()

    # The transaction layer tells

    def on_reply(self, transaction: ClientTransaction, response: Response) -> None:
        """Take a reply: repeat the request, or be done."""
        if response.status < 200:
            return
        if self._attempts < _MOST_ATTEMPTS and self._worth_repeating(response):
            self._again()
        else:
            self._on_done(Outcome(response.status, response.reason, self._request, response))

    def on_timeout(self, transaction: ClientTransaction) -> None:
        """Be done."""
        self._on_done(Outcome(408, "Request Timeout", self._request))

    def on_transport_error(self, transaction: ClientTransaction) -> None:
        """Be done."""
        self._on_done(Outcome(503, "Service Unavailable", self._request))

    def _worth_repeating(self, response: Response) -> bool:
        if response.status in (401, 407):
            return self._authentication.take(response)
        if response.status == 423:
            least = _number(response.get("Min-Expires"), "Min-Expires")
            if least is not None and self._draft.expires is not None and least > self._draft.expires:
                self._draft.expires = least
                return True
        return False


def refresh_delay(expires: int) -> float:
    """When to refresh what lasts `expires` seconds: at nine tenths, or five seconds before the end if sooner."""
    return max(min(0.9 * expires, expires - 5.0), 0.5 * expires)


def _via(flow: Flow, branch: str) -> str:
    host = f"[{flow.local_host}]" if ":" in flow.local_host else flow.local_host
    return f"SIP/2.0/{flow.transport.upper()} {host}:{flow.local_port};branch={branch};rport"


def _expires(message: Request | Response | None) -> int | None:
    return None if message is None else _number(message.get("Expires"), "Expires")


def _number(text: str | None, name: str) -> int | None:
    """The number, or None if there is none to be read."""
    if text is None:
        return None
    try:
        return parse_number(text, name)
    except RemoteError:
        return None
