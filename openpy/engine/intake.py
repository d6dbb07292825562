"""What lies between the sockets and the dispatcher: who hears a message, what is refused, and what is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from openpy.engine.budgets import SourceBudget
from openpy.engine.log import Log
from openpy.engine.overload import Backlog, Overload, OverloadCounts
from openpy.engine.sockets import Sockets, bracketed
from openpy.engine.statistics import Statistics
from openpy.engine.tcpaliases import accepting_aliases, accepting_names
from openpy.transaction.flow import Flow

if TYPE_CHECKING:
    from openpy.engine.server import Server

NO_CERTIFICATE = "peer did not return a certificate"  # in the words of OpenSSL


def receiver(server: Server) -> Callable[[bytes, Flow], None]:
    """Who hears each message: the dispatcher, behind what the parameters put before it."""
    receive = server.wiretaps.receiving(server.dispatcher.receive)
    config = server.config
    if config.number("tcp_accept_aliases"):
        receive = accepting_aliases(receive, lambda flow, port: server.sockets.tcp.add_alias(flow, port))
    if any(entry.protocol in ("ws", "wss") for entry in config.listen):
        receive = accepting_names(receive, lambda flow, name: server.sockets.tcp.add_name(flow, name))
    rate = config.number("source_rate")
    if rate <= 0:
        return receive
    dropped = server.statistics.counter("core", "source_dropped")
    return SourceBudget(receive, server.clock.monotonic, dropped, rate=rate).receive


def backlogs(server: Server, receive: Callable[[bytes, Flow], None]) -> Callable[[], Backlog] | None:
    """What makes the backlog of each datagram socket, if there are any; they share one allowance of refusals."""
    number, count = server.config.number, server.statistics.counter
    delay = number("overload_delay")
    if delay <= 0:
        return None
    overload = Overload(
        server.dispatcher.refuse,
        OverloadCounts(count("core", "overload_refused"), count("core", "overload_dropped")),
        delay=delay / 1000,
        refusals=number("overload_refusals"),
        room=number("overload_backlog"),
    )
    return lambda: Backlog(overload, receive)


def tell_handshake(log: Log, flow: Flow, why: str) -> None:
    """A handshake of TLS or WebSocket failed: one of ours keeps a request from its way, others are everyday."""
    text = f"{flow.transport}:{bracketed(flow.host)}:{flow.port}: no handshake: {why}"
    if why == NO_CERTIFICATE:
        text += " (tls_require_client_certificate=no lets clients without one in)"
    (log.warning if getattr(flow, "is_ours", False) else log.info)("core", text)


def count_losses(statistics: Statistics, sockets: Sockets) -> None:
    """What the sockets could not take or send, as statistics of the group `net`."""
    gauge, tcp = statistics.gauge, sockets.tcp.counts
    gauge("net", "udp_dropped", lambda: sum(udp.counts.dropped for udp in sockets.udp))
    gauge("net", "udp_overflowed", lambda: sum(udp.overflowed for udp in sockets.udp))
    gauge("net", "tcp_dropped", lambda: tcp.dropped)
    gauge("net", "tcp_refused", lambda: tcp.refused)
    gauge("net", "tcp_given_up", lambda: tcp.given_up)
    gauge("net", "tcp_connections", lambda: len(sockets.tcp))
    gauge("net", "handshakes_failed", lambda: tcp.failed_handshakes)
