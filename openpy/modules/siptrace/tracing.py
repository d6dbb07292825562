"""Which messages are traced: those of requests that somebody asked about (openser 1.3 module siptrace).

Rules:
1. A request is traced from `begin` on: all that comes and goes with its Call-ID and the number of its CSeq, so its
   replies, its CANCEL, its ACK, each branch and each retransmission. They are taken from the wire, whoever sends them.
2. A request of our own is traced where its call is: it has only our Via.
3. A call is forgotten when nothing of it was seen for `REMEMBERED`. There are at most `MOST_CALLS`; more are not
   traced, and counted.
4. Nothing is taken while tracing is off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from openpy.engine.module import Count
from openpy.engine.services import Services
from openpy.engine.sockets import Endpoint
from openpy.modules.siptrace.captured import IN, OUT, Captured, call_id_of, number_of
from openpy.sip.errors import RemoteError
from openpy.sip.message import Message, Request, parse_message
from openpy.transaction.flow import Flow

REMEMBERED = 300.0
"""Seconds: a call rings no longer."""

MOST_CALLS = 100_000
MOST_REQUESTS = 64
"""Of one call; the oldest gives way."""

MOST_USERS = 16
"""For whom one call is traced."""


@dataclass(slots=True)
class Call:
    """A call of which requests are traced: for whom, into which table, which numbers of CSeq, and when it was seen."""

    users: tuple[str, ...]
    table: str
    seen: float
    numbers: dict[int, None] = field(default_factory=dict)

    def trace(self, number: int) -> None:
        """Trace a request."""
        self.numbers[number] = None
        if len(self.numbers) > MOST_REQUESTS:
            del self.numbers[next(iter(self.numbers))]


class Counts:
    """Statistics."""

    def __init__(self, requests: Count, replies: Count, dropped: Count) -> None:
        self.requests = requests
        self.replies = replies
        self.dropped = dropped


class Tracing:
    """Takes messages; `keep(captured)` gets each. `local` stands for our addresses, if it is not ""."""

    def __init__(
        self, services: Services, counts: Counts, keep: Callable[[Captured], None], *, local: str = ""
    ) -> None:
        self.is_on = False
        self._services = services
        self._counts = counts
        self._keep = keep
        self._local = local
        self._calls: dict[bytes, Call] = {}
        self._sweeps = False

    def __len__(self) -> int:
        """How many calls are remembered."""
        return len(self._calls)

    def begin(self, message: Message, flow: Flow, users: tuple[str, ...], table: str) -> None:
        """Trace the request that a message which came belongs to; raises RemoteError for one that cannot be read.

        The message itself is taken too, for each user for whom it was not.
        """
        call_id = message.call_id.encode("utf-8", "surrogateescape")
        number = message.cseq.number
        call = self._calls.get(call_id)
        now = self._services.wheel.now
        if call is None:
            if len(self._calls) >= MOST_CALLS:
                self._counts.dropped.value += 1
                return
            call = self._calls[call_id] = Call((), table, now)
            self._sweep_later()
        call.table = table
        known = call.users if number in call.numbers else ()
        added = tuple(user for user in users if user not in known)
        call.users = tuple(dict.fromkeys((*call.users, *users)))[:MOST_USERS]
        call.trace(number)
        if added:
            there = Endpoint(flow.transport, *(message.source or (flow.host, flow.port)))
            self._take(message.raw, there, flow, IN, call, added)

    # --- the wire -------------------------------------------------------------------------------------------------

    def came(self, data: bytes, flow: Flow) -> None:
        """A message came."""
        if self._calls and self.is_on:
            self._pass(data, flow, IN)

    def went(self, data: bytes, flow: Flow) -> None:
        """A message is about to be sent."""
        if self._calls and self.is_on:
            self._pass(data, flow, OUT)

    def _pass(self, data: bytes, flow: Flow, direction: str) -> None:
        call_id = call_id_of(data)
        call = self._calls.get(call_id) if call_id is not None else None
        if call is None:
            return
        number = number_of(data)
        if number in call.numbers:
            self._take(data, _there(flow), flow, direction, call, call.users)
        elif number is not None and direction == OUT and _is_own(data):
            call.trace(number)
            self._take(data, _there(flow), flow, direction, call, call.users)

    def _take(
        self, data: bytes, there: Endpoint, flow: Flow, direction: str, call: Call, users: tuple[str, ...]
    ) -> None:
        services, counts = self._services, self._counts
        call.seen = services.wheel.now
        count = counts.replies if data.startswith(b"SIP/2.0 ") else counts.requests
        count.value += 1
        here = self._local or str(Endpoint(flow.transport, flow.local_host, flow.local_port))
        source, target = (str(there), here) if direction == IN else (here, str(there))
        now = int(services.clock.wall())
        self._keep(Captured(data, source, target, direction, now, users, call.table))

    # --- what was forgotten ---------------------------------------------------------------------------------------

    def _sweep_later(self) -> None:
        if not self._sweeps:
            self._sweeps = True
            self._services.wheel.add(REMEMBERED, self._sweep)

    def _sweep(self) -> None:
        oldest = self._services.wheel.now - REMEMBERED
        for call_id in [call_id for call_id, call in self._calls.items() if call.seen <= oldest]:
            del self._calls[call_id]
        self._sweeps = False
        if self._calls:
            self._sweep_later()


def _there(flow: Flow) -> Endpoint:
    return Endpoint(flow.transport, flow.host, flow.port)


def _is_own(data: bytes) -> bool:
    """Whether a message that is sent is a request of ours."""
    try:
        message = parse_message(data)
        return isinstance(message, Request) and len(message.vias) == 1
    except RemoteError:
        return False
