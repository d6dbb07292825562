"""UDP: one socket, read and written in bursts.

Rules:
1. A burst is at most 64 datagrams, so that timers and other sockets get their turn; after each burst
   `burst_ended` is called once (one commit, one flush).
2. Nothing that a datagram does ends the burst: its handler's errors are its own affair and are reported.
3. A datagram that the kernel cannot take now is queued, one that it can never take is counted and dropped.
4. What is sent while a burst is served leaves when it ends, or as soon as `BURST` datagrams wait. One after the other
   they wake a peer once; with work between them each one wakes it anew, which costs more than the datagram itself
   (docs/performance.md).
5. After `CROWDED` full bursts in a row more comes than is served: until nothing waits any more, all that the kernel
   has is read into the backlog, which chooses the bursts. It costs nothing as long as that does not happen.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

BURST = 64
CROWDED = 16
READ_AHEAD = 1024
LARGEST = 65535
FLOWS = 65536
QUEUE = 20000

SO_MEMINFO = 55
MEMINFO = struct.Struct("9I")  # of Linux; the last is the number of datagrams that were dropped

Address: TypeAlias = tuple[Any, ...]
"""Host and port; of a link-local peer, which IPv6 has, flow label and scope besides."""


@dataclass(slots=True)
class UdpCounts:
    """What a socket did."""

    received: int = 0
    sent: int = 0
    queued: int = 0
    dropped: int = 0


class Backlog(Protocol):
    """What was read and waits to be served; `now` is in seconds of one monotonic clock."""

    def __len__(self) -> int:
        """How many datagrams wait."""
        ...

    def put(self, data: bytes, flow: UdpFlow, now: float) -> None:
        """A datagram came."""
        ...

    def serve(self, most: int, now: float) -> None:
        """Serve so many, and give up what has waited too long."""
        ...


def open_socket(family: socket.AddressFamily) -> socket.socket:
    """A datagram socket of the system. One of IPv6 leaves IPv4 to another one at the same port."""
    opened = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return opened


class UdpFlow:
    """The way to one peer through one socket."""

    __slots__ = ("_address", "_socket", "host", "port")

    transport = "udp"
    reliable = False

    def __init__(self, udp: UdpSocket, address: Address) -> None:
        self._socket = udp
        self._address = address
        self.host, self.port = address[0], address[1]

    @property
    def local_host(self) -> str:
        """Our address."""
        return self._socket.host

    @property
    def local_port(self) -> int:
        """Our port."""
        return self._socket.port

    def send(self, data: bytes) -> None:
        """Send one message."""
        udp = self._socket
        if udp.sending is not None:
            udp.sending(data, self)
        udp.send(data, self._address)


class UdpSocket:
    """A listening socket. `received(data, flow)` hears each datagram; under overload it is the backlog's to tell it.

    `sending(data, flow)`, if there is one, hears each message that is about to be sent.
    """

    transport = "udp"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        received: Callable[[bytes, UdpFlow], None],
        burst_ended: Callable[[], None],
        receive_buffer: int = 4 << 20,
        tos: int = 0,
        open_socket: Callable[[socket.AddressFamily], socket.socket] = open_socket,
        backlog: Backlog | None = None,
        clock: Callable[[], float] = time.monotonic,
        queue: int = QUEUE,
        flows: int = FLOWS,
        sending: Callable[[bytes, UdpFlow], None] | None = None,
    ) -> None:
        """`queue` is how many datagrams wait for the kernel at most, `flows` how many peers are remembered."""
        self.host = host
        self.port = port
        self.counts = UdpCounts()
        self.sending = sending
        self._received = received
        self._burst_ended = burst_ended
        self._receive_buffer = receive_buffer
        self._tos = tos
        self._open_socket = open_socket
        self._backlog = backlog
        self._clock = clock
        self._full_bursts = 0
        self._crowd: asyncio.Handle | None = None
        self._most_waiting = queue
        self._most_flows = flows
        self._flows: dict[Address, UdpFlow] = {}
        self._gathered: list[tuple[bytes, Address]] = []
        self._in_burst = False
        self._waiting: deque[tuple[bytes, Address]] = deque()
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def bind(self) -> None:
        """Take the address; raises OSError. Port 0 becomes the port that the system chose."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._socket = self._open_socket(family)
        try:
            self._socket.setblocking(False)
            _set_receive_buffer(self._socket, self._receive_buffer)
            if self._tos:
                _set_tos(self._socket, family, self._tos)
            self._socket.bind((self.host, self.port))
        except OSError:
            self._socket.close()
            raise
        self.port = self._socket.getsockname()[1]

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to read."""
        assert self._socket is not None
        self._loop = loop
        loop.add_reader(self._socket, self._readable)

    def stop_reading(self) -> None:
        """Read no more; sending still works. What was read and waits is dropped: it was never answered."""
        if self._crowd is not None:
            self._crowd.cancel()
            self._crowd = None
        if self._loop is not None and self._socket is not None:
            self._loop.remove_reader(self._socket)

    def close(self) -> None:
        """Close the socket; what is gathered leaves before."""
        self.stop_reading()
        self._send_gathered()
        if self._socket is not None:
            if self._loop is not None:
                self._loop.remove_writer(self._socket)
            self._socket.close()
            self._socket = None

    def flow(self, host: str, port: int) -> UdpFlow:
        """The way to a peer."""
        return self._flow_to((host, port))

    def send(self, data: bytes, address: Address) -> None:
        """Send a datagram: now, at the end of the burst, or as soon as the kernel takes it."""
        if not self._in_burst:
            self._send(data, address)
            return
        self._gathered.append((data, address))
        if len(self._gathered) >= BURST:
            self._send_gathered()

    def _send_gathered(self) -> None:
        gathered = self._gathered
        if gathered:
            self._gathered = []
            for data, address in gathered:
                self._send(data, address)

    def _end_burst(self) -> None:
        self._in_burst = False
        self._send_gathered()

    def _send(self, data: bytes, address: Address) -> None:
        if self._socket is None:
            self.counts.dropped += 1
            return
        if self._waiting:
            self._queue(data, address)
            return
        try:
            self._socket.sendto(data, address)
            self.counts.sent += 1
        except BlockingIOError:
            self._queue(data, address)
        except (OSError, OverflowError):  # OverflowError: no such port
            self.counts.dropped += 1

    def _readable(self) -> None:
        self._in_burst = True
        try:
            self._read_burst()
        finally:
            self._end_burst()

    def _read_burst(self) -> None:
        assert self._socket is not None
        receive, flows, received = self._socket.recvfrom, self._flows, self._received
        count = 0
        try:
            while count < BURST:
                data, address = receive(LARGEST)
                count += 1
                # IPv6 has flow label and scope besides; the scope is the link of a link-local peer
                if len(address) > 2 and not address[3]:
                    address = address[:2]
                flow = flows.get(address)
                received(data, flow if flow is not None else self._flow_to(address))
        except BlockingIOError:
            pass
        except OSError:
            self.counts.dropped += 1  # an error of an earlier datagram, told here by the kernel
        self.counts.received += count
        self._burst_ended()
        if count < BURST:
            self._full_bursts = 0
        else:
            self._full_bursts += 1
            if self._full_bursts >= CROWDED:
                self._begin_crowd()

    def _begin_crowd(self) -> None:
        """More comes than is served: from now on the backlog chooses."""
        self._full_bursts = 0
        if self._backlog is not None and self._loop is not None and self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._crowd = self._loop.call_soon(self._serve_crowd)

    def _serve_crowd(self) -> None:
        """Read ahead, and let the backlog serve one burst; again in the loop's next round while something waits."""
        assert self._backlog is not None
        assert self._loop is not None
        self._read_ahead(self._backlog)
        self._in_burst = True
        try:
            self._backlog.serve(BURST, self._clock())
            self._burst_ended()
        finally:
            self._end_burst()
        if self._socket is None:
            self._crowd = None
        elif len(self._backlog):
            self._crowd = self._loop.call_soon(self._serve_crowd)
        else:
            self._crowd = None
            self._loop.add_reader(self._socket, self._readable)

    def _read_ahead(self, backlog: Backlog) -> None:
        assert self._socket is not None
        receive, flows, put, now = self._socket.recvfrom, self._flows, backlog.put, self._clock()
        count = 0
        try:
            while count < READ_AHEAD:
                data, address = receive(LARGEST)
                count += 1
                if len(address) > 2 and not address[3]:
                    address = address[:2]
                flow = flows.get(address)
                put(data, flow if flow is not None else self._flow_to(address), now)
        except BlockingIOError:
            pass
        except OSError:
            self.counts.dropped += 1
        self.counts.received += count

    @property
    def overflowed(self) -> int:
        """Datagrams that the kernel dropped because its receive buffer was full; 0 where it does not tell."""
        if self._socket is None:
            return 0
        try:
            told = self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO.size)
        except OSError:
            return 0
        return int(MEMINFO.unpack(told)[-1]) if len(told) == MEMINFO.size else 0

    def _flow_to(self, address: Address) -> UdpFlow:
        flow = self._flows.get(address)
        if flow is None:
            if len(self._flows) >= self._most_flows:
                self._flows.clear()
            flow = self._flows[address] = UdpFlow(self, address)
        return flow

    def _queue(self, data: bytes, address: Address) -> None:
        if len(self._waiting) >= self._most_waiting or self._loop is None or self._socket is None:
            self.counts.dropped += 1
            return
        if not self._waiting:
            self._loop.add_writer(self._socket, self._writable)
        self._waiting.append((data, address))
        self.counts.queued += 1

    def _writable(self) -> None:
        assert self._socket is not None
        assert self._loop is not None
        waiting = self._waiting
        try:
            while waiting:
                self._socket.sendto(*waiting[0])
                waiting.popleft()
                self.counts.sent += 1
        except BlockingIOError:
            return
        except (OSError, OverflowError):
            waiting.popleft()
            self.counts.dropped += 1
            return
        self._loop.remove_writer(self._socket)


def _set_receive_buffer(sock: socket.socket, size: int) -> None:
    """As large as asked for: beyond the system's limit where we may (33 is SO_RCVBUFFORCE)."""
    for option in (33, socket.SO_RCVBUF):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, size)
            return


def _set_tos(sock: socket.socket, family: socket.AddressFamily, tos: int) -> None:
    if family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
