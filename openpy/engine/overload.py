"""What is served when more arrives than can be, what is refused, and what is dropped (RFC 3261 21.5.4, RFC 6357).

Rules:
1. Nothing here happens until a socket could not be emptied for a while (`net.udp`): then datagrams wait here, are
   served in the order of their `Kind`, and are judged by how long they waited.
2. Within a kind the senders (address and port) take turns, so one who floods waits behind himself. What has waited
   longer than `delay` when its turn comes is given up. It will be repeated after 0.5 s (RFC 3261 Timer A and E), so
   `delay` is less than that, and a request and its repetition do not wait at the same time.
3. A request that is given up is refused as long as there is allowance, else dropped unread. A refusal keeps nothing.
   A reply is never too late: it ends work that was begun.
4. What waits is bounded in octets, for each kind and for each sender of it.
5. Time is passed in, in seconds of one monotonic clock.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from math import inf

from openpy.engine.module import Count
from openpy.transaction.flow import Flow

ROOM = 4 << 20
"""Octets that may wait, of each kind; a quarter of them may be one sender's."""

Sender = tuple[str, int]
"""Address and port."""

HEAD = 4096
"""Octets of a request that are looked at; what says later that it is known is served as new."""

REFILL = 0.1
"""Seconds whose share of refusals may be used in one go."""

_BEGINS_NOTHING = (b"ACK ", b"BYE ", b"CANCEL ", b"NOTIFY ", b"PRACK ", b"UPDATE ")
_KNOWN = re.compile(rb"\r\n(?:SIP-If-Match[ \t]*:|(?:To|t)[ \t]*:[^\r]*;[ \t]*tag[ \t]*=)", re.IGNORECASE)


class Kind(IntEnum):
    """The order in which messages are served under overload."""

    REPLY = 0
    """A reply: it ends a transaction of ours."""
    KNOWN = 1
    """A request in a dialog, one that ends something, or a PUBLISH with an entity-tag: state that is there."""
    NEW = 2
    """Anything else."""


def kind_of(data: bytes) -> Kind:
    """The kind of a message, by a look at its octets. What claims to be known, and is not, is refused cheaply."""
    if data.startswith(b"SIP/2.0 "):
        return Kind.REPLY
    if data.startswith(_BEGINS_NOTHING) or _KNOWN.search(data, 0, HEAD) is not None:
        return Kind.KNOWN
    return Kind.NEW


class Allowance:
    """So many a second, and at most the share of `REFILL` seconds (at least one) in one go."""

    __slots__ = ("_left", "_most", "_rate", "_since")

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(rate * REFILL, 1.0) if rate > 0 else 0.0
        self._left = self._most
        self._since = 0.0

    def take(self, now: float) -> bool:
        """Use one, if there is one."""
        self._left = min(self._most, self._left + (now - self._since) * self._rate)
        self._since = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


@dataclass(slots=True)
class OverloadCounts:
    """What overload cost, since the start."""

    refused: Count = field(default_factory=Count)
    dropped: Count = field(default_factory=Count)


class Overload:
    """The policy of one server: all sockets share its allowance and its counts.

    `refuse(data, flow)` answers a request with 503. `delay` is in seconds; `refusals` is a number a second; `room`
    is in octets.
    """

    __slots__ = ("_allowance", "_refuse", "counts", "delay", "room")

    def __init__(
        self,
        refuse: Callable[[bytes, Flow], None],
        counts: OverloadCounts,
        *,
        delay: float,
        refusals: float,
        room: int = ROOM,
    ) -> None:
        self.delay = delay
        self.room = room
        self.counts = counts
        self._refuse = refuse
        self._allowance = Allowance(refusals)

    def give_up(self, data: bytes, flow: Flow, now: float) -> None:
        """Refuse a request within the allowance, or drop it unread."""
        if self._allowance.take(now):
            self.counts.refused.value += 1
            self._refuse(data, flow)
        else:
            self.counts.dropped.value += 1


class _Line:
    """What waits of one kind from one sender: when it came, what, and the way back."""

    __slots__ = ("entries", "octets")

    def __init__(self) -> None:
        self.entries: deque[tuple[float, bytes, Flow]] = deque()
        self.octets = 0


class _Queue:
    """What waits of one kind: a line for each sender, and whose turn it is."""

    __slots__ = ("_lines", "_octets", "_room", "_share", "_turns", "length")

    def __init__(self, room: int) -> None:
        self._room = room
        self._share = room // 4
        self._lines: dict[Sender, _Line] = {}
        self._turns: deque[Sender] = deque()
        self._octets = 0
        self.length = 0

    def put(self, data: bytes, flow: Flow, now: float) -> bool:
        """Let a message wait; False if there is no room for it."""
        sender = (flow.host, flow.port)
        line = self._lines.get(sender)
        size = len(data)
        if self._octets + size > self._room or (line is not None and line.octets + size > self._share):
            return False
        if line is None:
            line = self._lines[sender] = _Line()
            self._turns.append(sender)
        line.entries.append((now, data, flow))
        line.octets += size
        self._octets += size
        self.length += 1
        return True

    def take(self, oldest: float) -> tuple[float, bytes, Flow]:
        """The first message of the sender whose turn it is; one from before `oldest` does not use his turn up."""
        sender = self._turns.popleft()
        line = self._lines[sender]
        entry = line.entries.popleft()
        size = len(entry[1])
        line.octets -= size
        self._octets -= size
        self.length -= 1
        if not line.entries:
            del self._lines[sender]
        elif entry[0] < oldest:
            self._turns.appendleft(sender)
        else:
            self._turns.append(sender)
        return entry


class Backlog:
    """What one socket has read and the server has not served."""

    __slots__ = ("_overload", "_queues", "_receive")

    def __init__(self, overload: Overload, receive: Callable[[bytes, Flow], None]) -> None:
        self._overload = overload
        self._receive = receive
        self._queues = tuple(_Queue(overload.room) for _ in Kind)

    def __len__(self) -> int:
        """How many messages wait."""
        return sum(queue.length for queue in self._queues)

    def put(self, data: bytes, flow: Flow, now: float) -> None:
        """A message came: let it wait for its turn, if there is room."""
        kind = kind_of(data)
        if not self._queues[kind].put(data, flow, now):
            self._give_up(kind, data, flow, now)

    def serve(self, most: int, now: float) -> None:
        """Serve so many; what has waited too long when its turn comes is given up instead, and does not count."""
        for kind in Kind:
            queue = self._queues[kind]
            oldest = now - self._overload.delay if kind is not Kind.REPLY else -inf
            while queue.length and most:
                came, data, flow = queue.take(oldest)
                if came < oldest:
                    self._give_up(kind, data, flow, now)
                else:
                    most -= 1
                    self._receive(data, flow)

    def _give_up(self, kind: Kind, data: bytes, flow: Flow, now: float) -> None:
        if kind is Kind.REPLY:
            self._overload.counts.dropped.value += 1
        else:
            self._overload.give_up(data, flow, now)
