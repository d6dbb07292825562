"""Rewriting the Request-URI of a message (openser 1.3 core: `rewriteuri` and its like, `$ru`, `$rU`, `$rd`).

Rules:
1. A URI that is too long, or holds a line end, is refused: nothing changes.
2. Scheme, password, port and parameters stay unless they are what is rewritten. 1.3 always wrote `sip:`.
3. What is no URI cannot be changed in part; that is a parse error, which the error_route hears of.
4. A maddr that is ours has done its work once the request is here: no route sees it (RFC 3261 16.4).
"""

from __future__ import annotations

from collections.abc import Callable

from openpy.engine.run import Run
from openpy.sip.errors import RemoteError
from openpy.sip.transports import default_port, port_of, transport_of
from openpy.sip.uri import Uri, parse_uri

LONGEST = 1024
"""Bytes of a URI that a script makes."""


def is_acceptable(text: str) -> bool:
    """Whether a script may use this as a URI: one that can stand in a message."""
    if "\r" in text or "\n" in text:
        return False
    return len(text) <= LONGEST // 4 or len(text.encode("utf-8", "surrogateescape")) <= LONGEST


def rewrite(run: Run, text: str) -> bool:
    """Replace the whole Request-URI."""
    if not is_acceptable(text):
        return False
    run.state.uri = text
    return True


def change(run: Run, changed: Callable[[Uri], Uri]) -> bool:
    """Change a part of the Request-URI; `changed` may raise RemoteError where it has no such part."""
    try:
        uri = parse_uri(run.uri)
    except RemoteError:
        run.parse_failed("r-uri")
        return False
    try:
        return rewrite(run, str(changed(uri)))
    except RemoteError:
        return False


def leave_own_maddr(run: Run) -> None:
    """Take a maddr of ours off, with what led here beside it: a port and a transport that do not go without saying.

    Only where the request came as its URI says; any other maddr is a target (RFC 3261 16.5).
    """
    flow, uri = run.flow, parse_uri(run.uri)  # what cannot be read was refused before
    maddr = uri.param("maddr")
    came_so = (transport_of(uri), port_of(uri)) == (flow.transport, flow.local_port)
    if maddr and came_so and run.server.is_myself(maddr, 0):
        rewrite(run, str(_without_way(uri)))


def _without_way(uri: Uri) -> Uri:
    usual = default_port("tls" if uri.scheme == "sips" else "udp")
    port = uri.port if uri.port == usual else None
    params = tuple(each for each in uri.params if each[0].lower() not in ("maddr", "transport"))
    return Uri(uri.scheme, uri.user, uri.password, uri.host, port, params, uri.headers)
