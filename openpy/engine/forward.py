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
from openpy.sip.message import Request, Response
from openpy.transaction.flow import Flow
from openpy.transaction.keys import MAGIC_COOKIE

FlowTo = Callable[[str, str, int], Flow | None]
IsMyself = Callable[[str, int], bool]


# --- requests -----------------------------------------------------------------------------------------------


def request_to_send(run: Run, flow: Flow, branch: str) -> bytes:
    """The request of a run with all its changes, a Via of ours on top, and the sender's address in the next."""
    request = run.request
    edits = run.edits.copy()
    if run.state.uri is not None:
        edits.set_uri(run.state.uri)
    host, port = run.advertised(flow)
    rport = ";rport" if run.state.local_rport else ""
    edits.insert_header(f"Via: SIP/2.0/{flow.transport.upper()} {host}:{port};branch={branch}{rport}\r\n")
    via = next(line for line in request.header_lines() if line.canonical == "Via")
    stamped = f"Via:{stamped_via(request)}\r\n".encode("utf-8", "surrogateescape")
    edits.replace(via.start, via.end, stamped)
    if run.hops is not None:
        edits.remove("Max-Forwards")
        edits.append_header(f"Max-Forwards: {run.hops}\r\n")
    return edits.apply(content_length=flow.reliable)


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


def forward_reply(response: Response, is_myself: IsMyself, flow_to: FlowTo) -> bool:
    """Send a reply on to where its second Via says; False where the top Via is not ours or nobody is below it.

    Ours is what names this server, and what has the branch that `stateless_branch` makes, whatever host it advertises.
    Nothing is ever sent to a multicast or broadcast address (RFC 3261 18.2.2 names neither as a target here).
    """
    try:
        vias = response.vias
    except RemoteError:
        return False
    if len(vias) < 2:
        return False
    ours, target = vias[:2]
    if not is_myself(ours.host, ours.port or 5060) and ours.branch != _branch_above(target):
        return False
    host = target.received or target.host
    port = target.rport or target.port or 5060
    if not is_unicast(host):
        return False
    flow = flow_to(target.transport.lower(), host, port)
    if flow is None:
        return False
    flow.send(without_top_via(response))
    return True


def without_top_via(response: Response) -> bytes:
    """A reply as it goes on: as it came, less its top Via."""
    edits = Edits(response)
    line = next(line for line in response.header_lines() if line.canonical == "Via")
    rest = split_list(line.value)[1:]
    edits.replace(line.start, line.end, f"Via: {', '.join(rest)}\r\n".encode() if rest else b"")
    return edits.apply()


def is_unicast(host: str) -> bool:
    """Whether a reply may go there: an IP address (IPv6 with or without brackets) that names one host."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return not (address.is_multicast or address.is_unspecified or str(address) == "255.255.255.255")
