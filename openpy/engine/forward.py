"""Stateless forwarding of replies by Via (RFC 3261 16.11, 18.2.2)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from openpy.sip.edits import Edits
from openpy.sip.errors import RemoteError
from openpy.sip.headers import split_list
from openpy.sip.message import Response
from openpy.transaction.flow import Flow

FlowTo = Callable[[str, str, int], Flow | None]
IsMyself = Callable[[str, int], bool]


def forward_reply(response: Response, is_myself: IsMyself, flow_to: FlowTo) -> bool:
    """Send a reply on to where its second Via says; False where the top Via is not ours or nobody is below it.

    Nothing is ever sent to a multicast or broadcast address (RFC 3261 18.2.2 names neither as a target here).
    """
    try:
        vias = response.vias
    except RemoteError:
        return False
    if len(vias) < 2 or not is_myself(vias[0].host, vias[0].port or 5060):
        return False
    target = vias[1]
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
