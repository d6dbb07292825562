from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

import pytest

from openpy.net import udp as udp_module
from openpy.net.udp import BURST, CROWDED, FLOWS, QUEUE, UdpFlow, UdpSocket

LOCAL = "127.0.0.1"


class Queue:
    """A backlog that serves every second datagram."""

    def __init__(self, received: Callable[[bytes, UdpFlow], None]) -> None:
        self.received = received
        self.waiting: list[tuple[bytes, UdpFlow]] = []
        self.longest = 0

    def __len__(self) -> int:
        return len(self.waiting)

    def put(self, data: bytes, flow: UdpFlow, now: float) -> None:
        self.waiting.append((data, flow))
        self.longest = max(self.longest, len(self.waiting))

    def serve(self, most: int, now: float) -> None:
        now_served, self.waiting = self.waiting[:most], self.waiting[2 * most :]
        for data, flow in now_served:
            self.received(data, flow)


class Wire:
    """A bound socket and what it heard."""

    def __init__(
        self,
        host: str = LOCAL,
        *,
        receive_buffer: int = 4 << 20,
        tos: int = 0,
        queue: int = QUEUE,
        flows: int = FLOWS,
    ) -> None:
        self.heard: list[bytes] = []
        self.flows: list[UdpFlow] = []
        self.bursts: list[int] = []
        self.sent: list[int] = []  # how many had left when each datagram was answered
        self.answers = 0  # to each datagram
        self.backlog = Queue(self._received)
        self.udp = UdpSocket(
            host,
            0,
            received=self._received,
            burst_ended=self._burst_ended,
            backlog=self.backlog,
            receive_buffer=receive_buffer,
            tos=tos,
            queue=queue,
            flows=flows,
        )
        self.udp.bind()

    def _received(self, data: bytes, flow: UdpFlow) -> None:
        self.heard.append(data)
        self.flows.append(flow)
        for number in range(self.answers):
            flow.send(b"%b/%d" % (data, number))
        self.sent.append(self.udp.counts.sent)

    def _burst_ended(self) -> None:
        self.bursts.append(len(self.heard) - sum(self.bursts))

    @property
    def address(self) -> tuple[str, int]:
        return LOCAL, self.udp.port


def on_the_wire(play: Callable[[Wire, socket.socket], Coroutine[Any, Any, None]], queue: int = QUEUE) -> None:
    async def live() -> None:
        wire = Wire(queue=queue)
        wire.udp.start(asyncio.get_running_loop())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.bind((LOCAL, 0))
            phone.settimeout(5)
            try:
                await play(wire, phone)
            finally:
                wire.udp.close()

    asyncio.run(live())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


def test_a_datagram_is_heard_with_the_way_back() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        phone.sendto(b"hello", wire.address)
        await until(lambda: wire.heard)
        (flow,) = wire.flows
        assert (flow.host, flow.port) == phone.getsockname()
        assert (flow.local_host, flow.local_port) == wire.address
        assert (flow.transport, flow.reliable) == ("udp", False)
        flow.send(b"hello yourself")
        assert phone.recv(100) == b"hello yourself"
        assert (wire.udp.counts.received, wire.udp.counts.sent) == (1, 1)
        assert wire.udp.flow(*phone.getsockname()) is flow

    on_the_wire(play)


def test_who_listens_hears_each_message_before_it_is_sent() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        heard: list[tuple[bytes, UdpFlow]] = []
        wire.udp.sending = lambda data, flow: heard.append((data, flow))
        flow = wire.udp.flow(*phone.getsockname())
        flow.send(b"hello")
        assert heard == [(b"hello", flow)]

    on_the_wire(play)


def test_a_burst_is_read_in_one_go_and_bounded() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        for number in range(BURST + 10):
            phone.sendto(b"%d" % number, wire.address)
        await until(lambda: len(wire.heard) == BURST + 10)
        assert wire.heard == [b"%d" % number for number in range(BURST + 10)]
        assert wire.bursts == [BURST, 10]

    on_the_wire(play)


def test_what_is_sent_in_a_burst_leaves_when_it_ends() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        wire.answers = 2
        for number in range(3):
            phone.sendto(b"%d" % number, wire.address)
        await until(lambda: len(wire.heard) == 3)
        assert wire.sent == [0, 0, 0]
        assert [phone.recv(100) for _ in range(6)] == [b"0/0", b"0/1", b"1/0", b"1/1", b"2/0", b"2/1"]
        wire.flows[0].send(b"now")
        assert wire.udp.counts.sent == 7

    on_the_wire(play)


def test_what_is_sent_in_a_burst_does_not_pile_up() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        wire.answers = BURST + 1
        phone.sendto(b"0", wire.address)
        await until(lambda: wire.heard)
        assert wire.sent == [BURST]
        assert wire.udp.counts.sent == BURST + 1

    on_the_wire(play)


def test_what_the_backlog_serves_is_a_burst_too() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        for number in range(BURST * CROWDED + 3):
            phone.sendto(b"%d" % number, wire.address)
        first = BURST * CROWDED
        wire.answers = 1
        await until(lambda: wire.udp.counts.sent == first + 3)
        assert wire.backlog.longest == 3
        assert wire.sent[-3:] == [first, first, first]

    on_the_wire(play)


def test_what_was_sent_leaves_even_where_a_handler_fails() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        def failing(data: bytes, flow: UdpFlow) -> None:
            flow.send(b"answer")
            raise RuntimeError("a defect")

        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        wire.udp._received = failing
        phone.sendto(b"hello", wire.address)
        await until(lambda: wire.udp.counts.sent)
        assert phone.recv(100) == b"answer"

    on_the_wire(play)


def test_when_bursts_are_full_too_often_the_backlog_chooses_until_nothing_waits() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        sent = BURST * (CROWDED + 4) + 10
        for number in range(sent):
            phone.sendto(b"%d" % number, wire.address)
        first = BURST * CROWDED
        await until(lambda: len(wire.heard) > first and not wire.backlog.waiting)
        assert wire.heard[:first] == [b"%d" % number for number in range(first)]
        assert wire.backlog.longest == sent - first
        assert wire.heard[first:] == [
            b"%d" % number for start in (first, first + 2 * BURST) for number in range(start, start + BURST)
        ] + [b"%d" % number for number in range(sent - 10, sent)]
        assert max(wire.bursts) == BURST
        assert wire.udp.counts.received == sent
        phone.sendto(b"as before", wire.address)
        await until(lambda: wire.heard[-1] == b"as before")
        assert wire.backlog.longest == sent - first

    on_the_wire(play)


def test_a_burst_that_is_not_full_begins_the_count_anew() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        half = BURST * (CROWDED - 1) + 1
        for so_far in (half, 2 * half):
            for _ in range(half):
                phone.sendto(b"x", wire.address)
            await until(lambda so_far=so_far: len(wire.heard) == so_far)  # type: ignore[misc]
        assert wire.backlog.longest == 0

    on_the_wire(play)


def test_what_waits_in_the_backlog_is_not_served_after_the_end() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        for _ in range(BURST * (CROWDED + 4)):
            phone.sendto(b"x", wire.address)
        while not wire.backlog.waiting:
            await asyncio.sleep(0)
        wire.udp.stop_reading()
        heard = len(wire.heard)
        await asyncio.sleep(0.02)
        assert len(wire.heard) == heard

    on_the_wire(play)


def test_what_the_kernel_dropped_is_told() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        assert wire.udp.overflowed == 0
        wire.udp.stop_reading()
        real = wire.udp._socket
        assert real is not None
        real.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        for _ in range(100):
            phone.sendto(b"x" * 1000, wire.address)
        assert 0 < wire.udp.overflowed <= 100
        wire.udp.close()
        assert wire.udp.overflowed == 0

    on_the_wire(play)


def test_nothing_is_read_after_stop_reading_but_sending_works() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        wire.udp.stop_reading()
        phone.sendto(b"late", wire.address)
        await asyncio.sleep(0.02)
        assert wire.heard == []
        wire.udp.flow(*phone.getsockname()).send(b"bye")
        assert phone.recv(100) == b"bye"

    on_the_wire(play)


def test_what_can_never_leave_is_dropped_and_counted() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        wire.udp.send(b"x", (LOCAL, 99999))
        wire.udp.send(b"x" * 70000, (LOCAL, 9))
        wire.udp.send(b"x", ("2001:db8::1", 9))
        assert (wire.udp.counts.dropped, wire.udp.counts.sent) == (3, 0)
        wire.udp.close()
        wire.udp.send(b"x", (LOCAL, 9))
        assert wire.udp.counts.dropped == 4

    on_the_wire(play)


class FullSocket:
    """A socket whose buffer is full until `room` says otherwise; then `errors` are raised first."""

    def __init__(self, real: socket.socket) -> None:
        self.real = real
        self.room = 0
        self.errors: list[OSError] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def sendto(self, data: bytes, address: tuple[str, int]) -> int:
        if self.room == 0:
            raise BlockingIOError
        if self.errors:
            raise self.errors.pop()
        self.room -= 1
        return self.real.sendto(data, address)


def test_what_the_kernel_cannot_take_now_waits_in_order() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        real = wire.udp._socket
        assert real is not None
        full = FullSocket(real)
        wire.udp._socket = full  # type: ignore[assignment]
        address = phone.getsockname()
        for number in range(4):
            wire.udp.send(b"%d" % number, address)
        assert wire.udp.counts.queued == 4
        await asyncio.sleep(0.01)
        full.room = 2
        await asyncio.sleep(0.01)
        full.errors.append(OSError(errno.EPERM, "no"))
        full.room = 9
        await until(lambda: not wire.udp._waiting)
        assert [phone.recv(10) for _ in range(3)] == [b"0", b"1", b"3"]
        assert (wire.udp.counts.sent, wire.udp.counts.dropped) == (3, 1)
        full.room = 0
        wire.udp.send(b"to no port", (LOCAL, 99999))
        wire.udp._queue(b"behind it", (LOCAL, 99999))
        full.room = 9
        await until(lambda: not wire.udp._waiting)
        assert (wire.udp.counts.sent, wire.udp.counts.dropped) == (3, 3)
        wire.udp.send(b"again", address)
        assert phone.recv(10) == b"again"

    on_the_wire(play)


def test_the_queue_is_bounded() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        real = wire.udp._socket
        assert real is not None
        wire.udp._socket = FullSocket(real)  # type: ignore[assignment]
        for _ in range(5):
            wire.udp.send(b"x", phone.getsockname())
        assert (wire.udp.counts.queued, wire.udp.counts.dropped) == (2, 3)

    on_the_wire(play, queue=2)


def test_an_unreachable_peer_does_not_stop_the_reading() -> None:
    async def play(wire: Wire, phone: socket.socket) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
            gone.bind((LOCAL, 0))
            address = gone.getsockname()
        real = wire.udp._socket
        assert real is not None
        real.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR: the kernel tells ICMP errors
        wire.udp.send(b"x", address)
        await until(lambda: wire.udp.counts.dropped)
        phone.sendto(b"still there?", wire.address)
        await until(lambda: wire.heard)

    on_the_wire(play)


def test_flows_are_kept_up_to_a_bound() -> None:
    wire = Wire(flows=2)
    flows = [wire.udp.flow(LOCAL, port) for port in (1, 2, 3)]
    assert wire.udp.flow(LOCAL, 3) is flows[2]
    assert wire.udp.flow(LOCAL, 1) is not flows[0]
    wire.udp.close()


def test_buffer_and_type_of_service_are_set() -> None:
    for host, level, option in [
        (LOCAL, socket.IPPROTO_IP, socket.IP_TOS),
        ("::1", socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
    ]:
        wire = Wire(host, receive_buffer=100_000, tos=0x10)
        real = wire.udp._socket
        assert real is not None
        assert real.getsockopt(level, option) == 0x10
        assert real.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 100_000
        wire.udp.close()


def test_an_address_that_is_taken_leaves_nothing_open() -> None:
    wire = Wire()
    second = UdpSocket(LOCAL, wire.udp.port, received=wire._received, burst_ended=wire._burst_ended)
    with pytest.raises(OSError, match="Address already in use"):
        second.bind()
    wire.udp.close()
    wire.udp.close()
    second.stop_reading()


class Scoped(socket.socket):
    """A socket whose peer has a link-local address."""

    sent: ClassVar[list[object]] = []

    def recvfrom(self, *size: int) -> tuple[bytes, Any]:
        data, _ = super().recvfrom(*size)
        return data, ("fe80::7", 5060, 0, 4)

    def sendto(self, data: Any, address: Any) -> int:  # type: ignore[override]
        self.sent.append(address)
        return len(data)


@pytest.mark.parametrize("crowded", [False, True])
def test_a_link_local_peer_is_answered_by_its_link(monkeypatch: pytest.MonkeyPatch, crowded: bool) -> None:
    if crowded:
        monkeypatch.setattr(udp_module, "CROWDED", 0)
        monkeypatch.setattr(udp_module, "BURST", 1)
    monkeypatch.setattr(Scoped, "sent", [])
    flows: list[UdpFlow] = []
    udp = UdpSocket(
        "::1",
        0,
        received=lambda data, flow: flows.append(flow),
        burst_ended=lambda: None,
        open_socket=lambda family: Scoped(family, socket.SOCK_DGRAM),
        backlog=Queue(lambda data, flow: flows.append(flow)),
    )
    udp.bind()

    async def play() -> None:
        udp.start(asyncio.get_running_loop())
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as phone:
            for _ in range(3):
                phone.sendto(b"hello", ("::1", udp.port))
        await until(lambda: len(flows) > 1)
        flows[-1].send(b"answer")

    try:
        asyncio.run(play())
    finally:
        udp.close()
    assert flows[0] is flows[-1]
    assert (flows[0].host, flows[0].port) == ("fe80::7", 5060)
    assert Scoped.sent == [("fe80::7", 5060, 0, 4)]
