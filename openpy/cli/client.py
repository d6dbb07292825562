"""The runtime of a command that is a SIP client: one socket or connection, a timer wheel, a user agent."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from openpy.cli.line import TcpLine
from openpy.net.addresses import resolve_host
from openpy.net.layer import Callee, Stack
from openpy.net.udp import UdpSocket
from openpy.sip import build
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, parse_message
from openpy.sip.transports import uri_transport
from openpy.transaction.flow import Flow
from openpy.transaction.layer import Layer
from openpy.transaction.timers import TimerValues
from openpy.transaction.wheel import Wheel
from openpy.useragent.agent import UserAgent
from openpy.useragent.authentication import Account

TICK = 0.05  # seconds between looks at the timers


class Unreachable(Exception):
    """The server cannot be reached at all; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go; a transport that runs over TCP may have a `stack` that makes its layers."""

    transport: str
    host: str
    port: int
    stack: Stack | None = field(default=None, compare=False)


class Client:
    """A user agent with its wire: call `open` in a running loop, then use `agent` and `flow`.

    `user` names us in our Contact. `on_restored` is called when a lost connection is up again.
    """

    agent: UserAgent
    flow: Flow

    def __init__(self, target: Target, user: str, account: Account | None, timers: TimerValues) -> None:
        self.on_restored: Callable[[], None] = lambda: None
        self._target = target
        self._user = user
        self._account = account
        self._wheel = Wheel(time.monotonic())
        self._layer = Layer(self._wheel, timers, _random_text)
        self._udp: UdpSocket | None = None
        self._tcp: TcpLine | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, where there must be one."""
        return self._tcp is None or self._tcp.is_open

    async def open(self) -> None:
        """Open the wire; raises Unreachable."""
        try:
            address = resolve_host(self._target.host.strip("[]"))[0]
        except (OSError, IndexError):
            raise Unreachable(f"{self._target.host} cannot be resolved") from None
        if self._target.transport == "udp":
            self.flow = self._open_udp(address)
        else:
            self.flow = await self._open_tcp(address)
        self.agent = UserAgent(
            self._layer,
            local_contact=self._contact(),
            random=_random_text,
            clock=time.time,
            account=self._account,
        )
        self._ticking = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """Close the wire."""
        if self._ticking is not None:
            self._ticking.cancel()
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
            await asyncio.sleep(0)  # closing takes a round of the loop

    # --- the wire -------------------------------------------------------------------------------------------

    def _open_udp(self, address: str) -> Flow:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:  # which of our addresses leads there
                probe.connect((address, self._target.port))
                local = probe.getsockname()[0]
            self._udp = UdpSocket(local, 0, received=self._received, burst_ended=lambda: None)
            self._udp.bind()
        except OSError as error:
            raise Unreachable(f"no way to {address}: {error.strerror}") from None
        self._udp.start(asyncio.get_running_loop())
        return self._udp.flow(address, self._target.port)

    async def _open_tcp(self, address: str) -> Flow:
        target = self._target
        line = TcpLine(
            address,
            target.port,
            transport=target.transport,
            stack=target.stack,
            callee=Callee(target.host.strip("[]")),
            received=self._received,
            lost=self._lost,
            restored=self._restored,
        )
        if not await line.open():
            line.close()
            why = f": {line.why}" if line.why else ""
            raise Unreachable(f"no connection to {target.host}:{target.port}{why}")
        self._tcp = line
        return line

    def _contact(self) -> str:
        flow = self.flow
        host = f"[{flow.local_host}]" if ":" in flow.local_host else flow.local_host
        parameter = "" if flow.transport == "udp" else f";transport={uri_transport(flow.transport)}"
        return f"sip:{self._user}@{host}:{flow.local_port}{parameter}"

    def _lost(self) -> None:
        self._layer.flow_failed(self.flow)

    def _restored(self) -> None:
        self.agent.local_contact = self._contact()
        self.on_restored()

    def _received(self, data: bytes, flow: Flow) -> None:
        try:
            message = parse_message(data)
            if not isinstance(message, Request):
                self._layer.receive_reply(message, flow)
                return
        except RemoteError:
            return  # a keep-alive, no SIP, or a reply that answers nothing
        message.source = (flow.host, flow.port)
        if not self.agent.receive_request(message, flow) and message.method != "ACK":
            flow.send(build.reply(message, 405, "Method Not Allowed", headers="Allow: NOTIFY\r\n"))

    async def _tick(self) -> None:
        while True:
            self._wheel.advance(time.monotonic())
            await asyncio.sleep(TICK)


def _random_text() -> str:
    return os.urandom(8).hex()
