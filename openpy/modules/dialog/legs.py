"""What messages say about the sides of a dialog: where each is reached, and through what (RFC 3261 section 12.1).

Rules:
1. A request to the caller goes through the Record-Routes that stood in the INVITE when it came, in their order.
2. One to the callee goes through those that were put behind us, the nearest first: in the 2xx they stand before ours,
   which our parameter tells from others.
3. What cannot be read is left out: the dialog is followed all the same, and only `dlg_end_dlg` needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import takewhile

from openpy.engine.sockets import Endpoint
from openpy.modules.dialog.record import Leg
from openpy.sip.errors import RemoteError
from openpy.sip.headers import Star, parse_name_addr
from openpy.sip.message import Message, Request, Response
from openpy.transaction.flow import Flow

MOST_ROUTES = 20

IsOurs = Callable[[str], bool]
"""Whether a Route or Record-Route is that which we put there for this dialog."""


def ours(param: str, cookie: str) -> IsOurs:
    """Those whose parameter has this value; raises RemoteError for a route that cannot be read."""
    return lambda route: parse_name_addr(route).uri.param(param) == cookie


def caller_of(request: Request, flow: Flow) -> Leg:
    """The side that sent an INVITE; raises RemoteError for a From or CSeq that cannot be read."""
    address = request.from_
    return Leg(
        address.tag,
        address.uri_text,
        request.cseq.number,
        contact_of(request),
        _routes(request, "Record-Route"),
        socket_of(flow),
    )


def callee_of(request: Request, response: Response, flow: Flow, is_ours: IsOurs) -> Leg:
    """The side that sent the 2xx to an INVITE by a flow; raises RemoteError."""
    recorded = _routes(response, "Record-Route")
    behind = list(takewhile(lambda route: not is_ours(route), recorded))
    if len(behind) == len(recorded):  # ours is not among them
        behind = behind[: max(0, len(recorded) - len(_routes(request, "Record-Route")))]
    return Leg(
        response.to.tag,
        request.to.uri_text,
        request.cseq.number,
        contact_of(response),
        tuple(reversed(behind)),
        socket_of(flow),
    )


def other_callee(ack: Request, uri: str, is_ours: IsOurs) -> Leg:
    """The side that an ACK goes to whose 2xx was not seen as one: `uri` is the Request-URI that it leaves with."""
    routes = tuple(route for route in _routes(ack, "Route") if not is_ours(route))
    return Leg(ack.to.tag, ack.to.uri_text, ack.cseq.number, uri, routes)


def contact_of(message: Message) -> str:
    """The first Contact of a message; "" where there is none."""
    try:
        contacts = message.contacts
    except RemoteError:
        return ""
    return "" if isinstance(contacts, Star) or not contacts else contacts[0].uri_text


def socket_of(flow: Flow) -> str:
    """Our side of a flow."""
    return str(Endpoint(flow.transport, flow.local_host, flow.local_port))


def _routes(message: Message, name: str) -> tuple[str, ...]:
    try:
        routes = tuple(message.values(name))
        _check(routes)
    except RemoteError:
        return ()
    return routes[:MOST_ROUTES]


def _check(routes: Iterable[str]) -> None:
    for route in routes:
        _ = parse_name_addr(route).uri
