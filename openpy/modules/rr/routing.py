"""Where a request with a Route goes next (RFC 3261 sections 16.4, 16.6 step 6 and 16.12, openser 1.3 module rr).

Rules:
1. A Route that names this server has done its work and is taken off; so is the second one of a pair (`r2`), which names
   the socket that the request leaves by.
2. The next Route is the next hop. A strict router (no `lr`) wants its own URI as Request-URI, and the Request-URI as
   last Route.
3. A request whose Request-URI is a Record-Route of ours came from a strict router: the last Route is its true target.
4. Routes that came before the dialog (no To tag) and name only this server leave the request to the script.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from openpy.sip.headers import NameAddr
from openpy.sip.uri import Uri

IsMine = Callable[[Uri], bool]


class Way:
    """What becomes of a request: "" and None leave things as they are.

    `routes` are those that stay in it, `own` is the URI of ours that was taken off, `leaves_by` that of the pair's
    second. `is_routed` is False where the Routes say nothing more about where it goes.
    """

    __slots__ = ("is_routed", "leaves_by", "next_hop", "own", "routes", "uri")

    def __init__(
        self,
        routes: tuple[NameAddr, ...],
        uri: str = "",
        next_hop: str = "",
        own: Uri | None = None,
        leaves_by: Uri | None = None,
        is_routed: bool = True,
    ) -> None:
        self.routes: Final = routes
        self.uri: Final = uri
        self.next_hop: Final = next_hop
        self.own: Final = own
        self.leaves_by: Final = leaves_by
        self.is_routed: Final = is_routed


def way_of(uri: Uri, routes: Sequence[NameAddr], is_mine: IsMine, *, in_dialog: bool) -> Way:
    """Where a request with at least one Route goes; raises RemoteError for a Route that cannot be read."""
    if in_dialog and uri.is_sip and uri.param("lr") is not None and is_mine(uri):
        return _after_strict(uri, list(routes), is_mine)
    return _after_loose(uri, list(routes), is_mine, in_dialog=in_dialog)


def _after_loose(uri: Uri, left: list[NameAddr], is_mine: IsMine, *, in_dialog: bool) -> Way:
    own = leaves_by = None
    first = left[0].uri
    if is_mine(first):
        own = first
        del left[0]
        leaves_by = _second(own, left, is_mine)
        if not left:
            return Way((), own=own, leaves_by=leaves_by, is_routed=in_dialog)
    hop = left[0]
    if hop.uri.param("lr") is not None:
        return Way(tuple(left), next_hop=hop.uri_text, own=own, leaves_by=leaves_by)
    strict = (*left[1:], NameAddr("", str(uri)))
    return Way(strict, uri=hop.uri_text, own=own, leaves_by=leaves_by)


def _after_strict(own: Uri, left: list[NameAddr], is_mine: IsMine) -> Way:
    leaves_by = _second(own, left, is_mine)
    if not left:
        return Way((), own=own, leaves_by=leaves_by, is_routed=False)
    hop = left[0]
    if hop.uri.param("lr") is None:
        return Way(tuple(left[1:]), uri=hop.uri_text, own=own, leaves_by=leaves_by)
    target = left.pop()
    next_hop = hop.uri_text if left else ""
    return Way(tuple(left), uri=target.uri_text, next_hop=next_hop, own=own, leaves_by=leaves_by)


def _second(own: Uri, left: list[NameAddr], is_mine: IsMine) -> Uri | None:
    """Take off the second Route of a pair, if `own` was the first of one."""
    if not left or own.param("r2") is None:
        return None
    second = left[0].uri
    if not is_mine(second):
        return None
    del left[0]
    return second
