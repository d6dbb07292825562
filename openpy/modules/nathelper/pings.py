"""What keeps the way to a contact open: four octets of zero, or a SIP request, by UDP.

Rules:
1. A ping goes the way that a request to the contact would go: to its Path, else to where its REGISTER came from, else
   to the contact itself; by the socket that the REGISTER came by.
2. Zeroes say nothing to a proxy, so a contact behind a Path is pinged by SIP or not at all.
3. Nobody waits for what comes back, and the script does not see it: a packet on the way is all that a NAT wants.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

from openpy.engine.destinations import Destination, DestinationError, destination_of
from openpy.engine.module import ArgumentError
from openpy.engine.services import Services
from openpy.engine.socketids import SocketId, read_socket
from openpy.engine.waiting import Stepper
from openpy.modules.usrloc.api import Contact
from openpy.sip.build import request
from openpy.sip.errors import LocalError, RemoteError
from openpy.sip.headers import parse_name_addr, split_first, split_list
from openpy.sip.transports import SIP_PORT
from openpy.sip.uri import as_request_uri
from openpy.transaction.flow import Flow

ZEROES = b"\0\0\0\0"


class Rules(NamedTuple):
    """Whom to ping, and how. Flags are masks, 0 for none; `needed_flag` marks those who are, all where it is 0.

    `socket` is what pings leave by, whatever the contact says, `other_socket` that of contacts that do not say.
    """

    needed_flag: int = 0
    sip_flag: int = 0
    method: str = "OPTIONS"
    sender: str = ""
    socket: SocketId | None = None
    other_socket: SocketId | None = None


class Pings:
    """Sends one ping after the other, as the rules say."""

    def __init__(self, services: Services, rules: Rules) -> None:
        self.rules = rules
        self._services = services

    def send(self, contact: Contact) -> None:
        """Ping a contact, if the rules say so and it can be."""
        rules = self.rules
        if contact.branch_flags & rules.needed_flag != rules.needed_flag:
            return
        by_sip = bool(contact.branch_flags & rules.sip_flag)
        if contact.path and not by_sip:
            return
        try:
            destination = destination_of(_next_hop(contact))
        except (DestinationError, RemoteError):
            return
        if destination.transport not in ("udp", ""):
            return
        if destination.is_name:
            Stepper(self._send_to_name(contact, destination, by_sip=by_sip), self._sent).step()
        else:
            self._send(contact, destination.host, destination.port, by_sip=by_sip)

    async def _send_to_name(self, contact: Contact, destination: Destination, *, by_sip: bool) -> None:
        try:
            addresses = await self._services.resolve(destination.host)
        except OSError:  # nobody can tell; the next ping will see
            return
        if addresses:
            self._send(contact, addresses[0], destination.port or SIP_PORT, by_sip=by_sip)

    def _sent(self, _: None, error: BaseException | None) -> None:
        if error is not None:
            self._services.log.error("nathelper", f"a ping failed: {error}")

    def _send(self, contact: Contact, host: str, port: int, *, by_sip: bool) -> None:
        socket = self.rules.socket or _socket(contact.socket) or self.rules.other_socket
        local = (socket.host.strip("[]"), socket.port or SIP_PORT) if socket is not None else None
        flow = self._services.flow("udp", host, port, local)
        if flow is None:
            return
        with suppress(LocalError):  # a row that somebody else wrote has a line end in it
            flow.send(self._request(contact, flow) if by_sip else ZEROES)

    def _request(self, contact: Contact, flow: Flow) -> bytes:
        services, rules = self._services, self.rules
        host, port = services.advertised(flow)
        branch = services.transactions.next_unwatched_branch()
        target = as_request_uri(contact.uri)
        return request(
            rules.method,
            target,
            via=f"SIP/2.0/UDP {host}:{port};branch={branch}",
            from_=f"<{rules.sender}>;tag={services.token()}",
            to=f"<{target}>",
            call_id=f"{services.token()}@{host}",
            cseq=1,
            routes=tuple(split_list(contact.path)) if contact.path else (),
        )


def _next_hop(contact: Contact) -> str:
    """The URI that it is reached by; raises RemoteError for a Path that cannot be read."""
    if contact.path:
        return parse_name_addr(split_first(contact.path)[0]).uri_text
    return contact.received or contact.uri


@lru_cache(maxsize=256)
def _socket(text: str) -> SocketId | None:
    """The socket that a contact registered by; None where it does not say, or it was none of UDP."""
    try:
        found = read_socket(text) if text else None
    except ArgumentError:
        return None
    return found if found is not None and found.protocol in (None, "udp") else None
