"""The load generator: many transactions in flight over one UDP socket, in one thread.

Rules:
1. A step is one request and what to do with its final response. Steps come from an iterator that is advanced only when
   the window has room, so a step may use what an earlier response brought.
2. A request that the server sends (NOTIFY) is answered with 200 at once, and counted once however often it came.
   An INVITE rings first, an ACK gets no answer.
3. Steps may also be sent at a steady rate, however long the answers take (`pace`). A latency then counts from the time
   at which the request was due: what a server that stands still would have kept waiting is not left out.
4. Unanswered requests are sent again as RFC 3261 17.1.2.2 says, four times; then the request is lost.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from bench.messages import branch_of, ok, picked_up

T1 = 0.5  # seconds
ATTEMPTS = 5  # the first and four retransmissions
BURST = 128  # datagrams read, or requests sent, before the other is looked after
RECEIVE_BUFFER = 16 << 20  # bytes
FORCED_RECEIVE_BUFFER = 33  # SO_RCVBUFFORCE on Linux: beyond net.core.rmem_max, for root


class Step(NamedTuple):
    """One request to send, and who hears its final response and may have it acknowledged (ACK)."""

    branch: str
    datagram: bytes
    on_final: Callable[[bytes], bytes | None] | None = None


@dataclass(slots=True)
class Tally:
    """What became of the requests of one phase; times in seconds."""

    succeeded: int = 0
    refused: dict[str, int] = field(default_factory=dict)  # by status code
    lost: int = 0
    retransmissions: int = 0
    latencies: list[float] = field(default_factory=list)
    elapsed: float = 0.0  # first request to last final response

    @property
    def errors(self) -> int:
        """Requests without a 2xx."""
        return sum(self.refused.values()) + self.lost


class _Exchange:
    __slots__ = ("attempts", "began", "resend_at", "step")

    def __init__(self, step: Step, now: float) -> None:
        self.step = step
        self.began = now
        self.resend_at = now + T1
        self.attempts = 1


class Generator:
    """One socket that talks to one server (host, port)."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        _enlarge_receive_buffer(self._socket)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(server)
        self._socket.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._in_flight: dict[bytes, _Exchange] = {}
        self._answered: set[bytes] = set()
        self._tally = Tally()
        self.on_notify: Callable[[bytes], None] = lambda _: None  # hears each distinct one
        self.address: tuple[str, int] = self._socket.getsockname()
        self._contact = f"sip:callee@{self.address[0]}:{self.address[1]}"
        self.notifies = 0  # distinct ones
        self.last_notify = 0.0  # time.perf_counter of the last distinct one

    def __enter__(self) -> Generator:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def play(self, steps: Iterator[Step], window: int, seconds: float) -> Tally:
        """Send steps, `window` in flight, until they end or the time is over; returns when all are answered or lost."""
        tally = self._tally = Tally()
        began = last = time.perf_counter()
        more, until = True, began + seconds
        check_at = began + T1 / 5
        while True:
            now = time.perf_counter()
            more = more and now < until and self._fill(steps, window)
            if not more and not self._in_flight:
                break
            if self._read():
                last = time.perf_counter()
            elif not more or len(self._in_flight) >= window:
                self._poll.poll(20)
            if now >= check_at:
                self._resend(now)
                check_at = now + T1 / 5
        tally.elapsed = last - began
        return tally

    def pace(self, steps: Iterator[Step], rate: float, seconds: float) -> Tally:
        """Send `rate` steps a second for so long, or until they end; returns when all are answered or lost."""
        tally = self._tally = Tally()
        began = last = time.perf_counter()
        number, wanted = 0, round(rate * seconds)
        check_at = began + T1 / 5
        due, more = began, True
        while more or self._in_flight:
            now = time.perf_counter()
            while more and due <= now:
                step = next(steps, None) if number < wanted else None
                if step is None:
                    more = False
                else:
                    self._begin(step, due)
                    number += 1
                    due = began + number / rate
            if self._read():
                last = time.perf_counter()
            else:
                self._poll.poll(max(0.0, due - now) * 1000 if more else 20)
            if now >= check_at:
                self._resend(now)
                check_at = now + T1 / 5
        tally.elapsed = last - began
        return tally

    def await_notifies(self, count: int, patience: float) -> int:
        """Read until `notifies` is at least `count`, at most `patience` seconds; returns how many are missing."""
        until = time.perf_counter() + patience
        while self.notifies < count and time.perf_counter() < until:
            if not self._read():
                self._poll.poll(10)
        return max(0, count - self.notifies)

    def _fill(self, steps: Iterator[Step], window: int) -> bool:
        """Send what the window has room for; returns whether there may be more steps."""
        for _ in range(min(window - len(self._in_flight), BURST)):
            step = next(steps, None)
            if step is None:
                return False
            self._begin(step, time.perf_counter())
        return True

    def _begin(self, step: Step, now: float) -> None:
        self._in_flight[step.branch.encode("ascii")] = _Exchange(step, now)
        self._send(step.datagram)

    def _send(self, datagram: bytes) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):  # a retransmission makes up for it
            self._socket.send(datagram)

    def _read(self) -> int:
        """Take what has come; returns how many datagrams."""
        receive = self._socket.recv
        for taken in range(BURST):
            try:
                message = receive(65535)
            except (BlockingIOError, ConnectionRefusedError):
                return taken
            if message.startswith(b"SIP/2.0 "):
                self._response(message)
            else:
                self._request(message)
        return BURST

    def _response(self, message: bytes) -> None:
        if message.startswith(b"SIP/2.0 1"):
            return
        exchange = self._in_flight.pop(branch_of(message), None)
        if exchange is None:
            return  # the answer to a retransmission
        tally = self._tally
        tally.latencies.append(time.perf_counter() - exchange.began)
        if message.startswith(b"SIP/2.0 2"):
            tally.succeeded += 1
        else:
            code = message[8:11].decode("ascii", "replace")
            tally.refused[code] = tally.refused.get(code, 0) + 1
        if exchange.step.on_final is not None:
            acknowledgement = exchange.step.on_final(message)
            if acknowledgement is not None:
                self._send(acknowledgement)

    def _request(self, message: bytes) -> None:
        if message.startswith(b"ACK "):
            return
        if message.startswith(b"INVITE "):
            for response in picked_up(message, self._contact):
                self._send(response)
            return
        self._send(ok(message))
        branch = branch_of(message)
        if branch not in self._answered:
            self._answered.add(branch)
            self.notifies += message.startswith(b"NOTIFY ")
            self.last_notify = time.perf_counter()
            self.on_notify(message)

    def _resend(self, now: float) -> None:
        for branch, exchange in list(self._in_flight.items()):
            if now < exchange.resend_at:
                continue
            if exchange.attempts == ATTEMPTS:
                del self._in_flight[branch]
                self._tally.lost += 1
                continue
            exchange.resend_at = now + T1 * (1 << exchange.attempts)
            exchange.attempts += 1
            self._tally.retransmissions += 1
            self._send(exchange.step.datagram)


def _enlarge_receive_buffer(udp: socket.socket) -> None:
    try:
        udp.setsockopt(socket.SOL_SOCKET, FORCED_RECEIVE_BUFFER, RECEIVE_BUFFER)
    except OSError:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
