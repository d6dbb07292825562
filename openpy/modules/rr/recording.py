"""The Record-Route that we put on a request, written for the way that it leaves by (RFC 3261 section 16.6 step 4)."""

from __future__ import annotations

import re
from typing import Final

from openpy.engine.run import Run
from openpy.engine.state import LateHeader, State
from openpy.sip.errors import RemoteError
from openpy.sip.transports import default_port, uri_transport
from openpy.sip.uri import Uri, cached_uri
from openpy.transaction.flow import Flow

LONGEST = 512
"""Characters of what waits."""

_UNSAFE: Final = re.compile(r"[<>\"\s]")


class RecordRoute:
    """What stands in our Record-Route, beside the address.

    `host` replaces the address of the socket; `pairs` says that two are put where the request leaves by another socket
    or transport than it came by, `lr` is `;lr` or `;lr=on`, `params` everything behind it.
    """

    __slots__ = ("host", "lr", "pairs", "params", "user")

    def __init__(
        self, user: str = "", host: str = "", lr: str = ";lr", params: str = "", *, pairs: bool = True
    ) -> None:
        self.user: Final = user
        self.host: Final = host
        self.lr: Final = lr
        self.params: Final = params
        self.pairs: Final = pairs

    def with_params(self, text: str) -> RecordRoute:
        """The same with further parameters."""
        return RecordRoute(self.user, self.host, self.lr, self.params + text, pairs=self.pairs)

    def __call__(self, run: Run, flow: Flow) -> str:
        """The header lines for a way; the one of the socket that the request leaves by is on top."""
        if self.host:
            return _line("sip", self.user, self.host, f"{self.lr}{self.params}")
        secure = run.uri[:5].lower() == "sips:"
        here, there = run.server.advertised(run.flow), run.advertised(flow)
        one_socket = (here, run.flow.transport) == (there, flow.transport)
        if one_socket or not self.pairs:
            return self._written(run.flow.transport, here, "", secure)
        return self._written(flow.transport, there, ";r2=on", secure) + self._written(
            run.flow.transport, here, ";r2=on", secure
        )

    def _written(self, transport: str, address: tuple[str, int], r2: str, secure: bool) -> str:
        """`secure` asks for a sips: URI (RFC 3261 section 16.6), which only a secure transport can stand in."""
        host, port = address
        scheme = "sips" if secure and transport in ("tls", "wss") else "sip"
        place = host if port == default_port(transport) else f"{host}:{port}"
        by = "" if transport == "udp" else f";transport={uri_transport(transport)}"
        return _line(scheme, self.user, place, f"{by}{r2}{self.lr}{self.params}")


class WaitingParams:
    """Parameters that wait for our Record-Route, among the headers of a request: each branch goes on from its own."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text: Final = text

    def __call__(self, run: Run, flow: Flow) -> str:
        """Nothing, until it is there."""
        return ""


def _line(scheme: str, user: str, host: str, params: str) -> str:
    return f"Record-Route: <{scheme}:{user + '@' if user else ''}{host}{params}>\r\n"


def params_text(uri: Uri) -> str:
    """The parameters of a URI as they are written, from the first `;` on."""
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in uri.params)


def is_safe(text: str) -> bool:
    """Whether a text can stand inside of `<...>` in a header."""
    return text.isprintable() and not _UNSAFE.search(text)


def record(
    run: Run, host: str, more: str, *, full_lr: bool, from_tag: bool, username: bool, pairs: bool
) -> int:
    """Put our Record-Route on the request of a run: 1, or -1 where there is one, or a header cannot be read.

    `more` stands behind ours; `from_tag` and `username` say what else does.
    """
    if recorded(run) is not None:
        run.warn("Double attempt to record-route")
        return -1
    if not is_safe(more):
        return -1
    request, state = run.request, run.state
    try:
        tag = request.from_.tag if from_tag else ""
        user = cached_uri(request.uri).user or "" if username else ""
    except RemoteError:
        return -1
    tagged = f";ftag={tag}" if tag and is_safe(tag) else ""
    waiting, others = _waiting(state)
    params = tagged + waiting + more
    route = RecordRoute(
        user if is_safe(user) else "", host, ";lr=on" if full_lr else ";lr", params, pairs=pairs
    )
    state.late_headers = (*others, route)
    return 1


def recorded(run: Run) -> RecordRoute | None:
    """Our Record-Route, where the script has put one."""
    for late in run.state.late_headers:
        if isinstance(late, RecordRoute):
            return late
    return None


def add_params(run: Run, text: str) -> int:
    """Add parameters to our Record-Route, now or when there is one: 1; -1 where those that wait are too long."""
    state = run.state
    route = recorded(run)
    if route is not None:
        longer = route.with_params(text)
        state.late_headers = tuple([longer if late is route else late for late in state.late_headers])
        return 1
    waiting, others = _waiting(state)
    if len(waiting + text) > LONGEST:
        return -1
    state.late_headers = (*others, WaitingParams(waiting + text))
    return 1


def _waiting(state: State) -> tuple[str, tuple[LateHeader, ...]]:
    """The parameters that wait, and the late headers beside them."""
    text, others = "", []
    for late in state.late_headers:
        if isinstance(late, WaitingParams):
            text = late.text
        else:
            others.append(late)
    return text, tuple(others)
