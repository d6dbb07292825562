"""What is sent on: requests with our Via on top, and replies without it (RFC 3261 16.6, 16.11, 18.2.2)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from hashlib import md5

from openpy.engine.run import Run
from openpy.sip.build import stamped_via
from openpy.sip.edits import Edits
from openpy.sip.errors import RemoteError
from openpy.sip.headers import Via, split_list
from openpy.sip.message import Request, Response, parse_message
from openpy.sip.places import first_place
from openpy.sip.transports import default_port
from openpy.sip.uri import as_request_uri
from openpy.transaction.flow import Flow
from openpy.transaction.keys import MAGIC_COOKIE

FlowTo = Callable[[str, str, int], Flow | None]
IsMyself = Callable[[str, int], bool]


# --- requests -----------------------------------------------------------------------------------------------


def request_to_send(run: Run, flow: Flow, branch: str) -> bytes:
    """The request of a run with all its changes, a Via of ours on top, and the sender's address in the next."""
    request = run.request
    edits = Edits(request) if run.edits_made is None else run.edits_made.copy()
    if run.state.uri is not None:
        edits.set_uri(as_request_uri(run.state.uri))
    host, port = run.advertised(flow)
    rport = ";rport" if run.state.local_rport else ""
    edits.insert_header(f"Via: SIP/2.0/{flow.transport.upper()} {host}:{port};branch={branch}{rport}\r\n")
    for late in run.state.late_headers:
        edits.insert_header(late(run, flow))
    if run.state.path:
        _add_route(edits, request, f"Route: {run.state.path}\r\n")
    place, stamped = first_place(request, "Via"), stamped_via(request)
    if place is not None:
        edits.replace(*place, f"Via:{stamped}\r\n".encode("utf-8", "surrogateescape"))
    if run.hops is not None:
        edits.remove("Max-Forwards")
        edits.append_header(f"Max-Forwards: {run.hops}\r\n")
    return edits.apply(content_length=flow.reliable)


def _add_route(edits: Edits, request: Request, line: str) -> None:
    """The way to a registered contact comes before the Routes that are there already (RFC 3327 5.3)."""
    if request.has("Route"):
        edits.insert_header(line, before="Route")
    else:
        edits.append_header(line)


def stateless_branch(request: Request) -> str:
    """The branch of a request that is forwarded without state: one for its retransmissions, its CANCEL and its ACK.

    Made of the received one; where that tells nothing (RFC 2543), of what makes a transaction there.
    """
    via = request.via
    if via.branch.startswith(MAGIC_COOKIE):
        return _branch_above(via)
    tags = request.to.tag, request.from_.tag
    return _branch_of(str(via), *tags, request.call_id, str(request.cseq.number), request.uri)


def _branch_above(via: Via) -> str:
    return _branch_of(via.host.lower(), str(via.port or 5060), via.branch)


def _branch_of(*parts: str) -> str:
    text = "\n".join(parts).encode("utf-8", "surrogateescape")
    return f"{MAGIC_COOKIE}sl{md5(text, usedforsecurity=False).hexdigest()}"


# --- replies ------------------------------------------------------------------------------------------------


def forward_reply(
    response: Response, is_myself: IsMyself, flow_to: FlowTo, *, to_maddr: bool = False
) -> bool:
    """Send a reply on to where its second Via says; False where the top Via is not ours or nobody is below it.

    Ours is what names this server, and what has the branch that `stateless_branch` makes, whatever host it advertises.
    With `to_maddr` the maddr of the second Via counts, by UDP: not where the request came from, but where it asks for.
    Nothing is ever sent to a multicast or broadcast address (RFC 3261 18.2.2 names neither as a target here).
    """
    try:
        vias = response.vias
    except RemoteError:
        return False
    if len(vias) < 2:
        return False
    ours, target = vias[:2]
    port = ours.port or default_port(ours.transport.lower())
    if not is_myself(ours.host, port) and ours.branch != _branch_above(target):
        return False
    transport = target.transport.lower()
    host = target.received or target.host
    port = target.rport or target.port or default_port(transport)
    maddr = target.param("maddr") if to_maddr and transport == "udp" else None
    if maddr:
        host, port = maddr, target.port or default_port(transport)
    if not is_unicast(host):
        return False
    flow = flow_to(transport, host, port)
    if flow is None:
        return False
    flow.send(without_top_via(response))
    return True


def changed_reply(response: Response, edits: Edits | None) -> Response:
    """A reply with the changes that a reply route made."""
    if edits is None:
        return response
    changed = parse_message(edits.apply())
    assert isinstance(changed, Response)
    changed.source = response.source
    return changed


def without_top_via(response: Response, edits: Edits | None = None) -> bytes:
    """A reply as it goes on: as it came, or with `edits` that are made already, less its top Via."""
    start, end = first_place(response, "Via") or (0, 0)
    vias = split_list(response.get("Via") or "")[1:]
    kept = f"Via: {', '.join(vias)}\r\n".encode("utf-8", "surrogateescape") if vias else b""
    if edits is None:
        return response.raw[:start] + kept + response.raw[end:]
    edits.replace(start, end, kept)
    return edits.apply()


def is_unicast(host: str) -> bool:
    """Whether a reply may go there: an IP address (IPv6 with or without brackets) that names one host."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return not (address.is_multicast or address.is_unspecified or str(address) == "255.255.255.255")
