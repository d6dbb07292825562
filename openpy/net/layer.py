"""What the octets of one connection mean: octets in, messages out, and back. Without I/O.

Rules:
1. A layer takes octets in any pieces and gives whole messages; it keeps no more than one message, and what its own
   protocol needs (`held`).
2. What its protocol itself has to say (handshakes, answers to keep-alives) waits in `answers` until it is taken, which
   its owner does after each `feed`.
3. It ends in one of two ways: with `error`, where what the peer sends can be cut into messages no more, but it can
   still be told so; or with `over`, where nothing that is sent any more would mean anything to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from openpy.sip.errors import RemoteError
from openpy.sip.stream import Framer

LARGEST_READ = 32768


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one connection may hold, in octets."""

    message: int = 262_144
    head: int = 65_535
    send_buffer: int = 4 << 20


class Callee(NamedTuple):
    """Whom a request is for: `name` is what the URI calls him where that is no address.

    `domain` names the settings of TLS that the script chose.
    """

    name: str = ""
    domain: str = ""


ANYBODY = Callee()


class Layer(Protocol):
    """One connection's protocol."""

    @property
    def is_up(self) -> bool:
        """Whether messages can pass: handshakes are over."""
        ...

    @property
    def error(self) -> RemoteError | None:
        """Why its octets cannot be cut into messages any more."""
        ...

    @property
    def broken_head(self) -> bytes:
        """What is to be answered then."""
        ...

    @property
    def over(self) -> str:
        """Why it is over; "" while it is not."""
        ...

    @property
    def pings(self) -> int:
        """How many keep-alives came."""
        ...

    @property
    def largest_read(self) -> int:
        """The most octets that are worth feeding at once: what they cost has to end some time."""
        ...

    @property
    def held(self) -> int:
        """How many octets of something that is not whole it keeps."""
        ...

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes; not to be called once there is an `error`, or it is `over`."""
        ...

    def wrap(self, message: bytes) -> bytes:
        """A message as it is sent."""
        ...

    def answers(self) -> bytes:
        """What is to be sent now for the protocol's own sake."""
        ...

    def farewell(self) -> bytes:
        """What is sent last, where the connection ends in good order."""
        ...

    def proves(self, callee: Callee) -> bool:
        """Whether the peer is whom a request is for, as far as its URI demands proof."""
        ...


class Stack(Protocol):
    """Makes the layers of one transport."""

    def accepted(self, local: tuple[str, int], peer: tuple[str, int]) -> Layer:
        """That of a connection which a peer opened to an address of ours."""
        ...

    def opened(self, peer: tuple[str, int], callee: Callee) -> Layer | None:
        """That of one which we opened; None where we open none."""
        ...


class PlainLayer:
    """SIP messages one after the other, with the keep-alives of RFC 5626 section 3.5.1 between them."""

    __slots__ = ("_answered", "_framer")

    is_up = True
    over = ""
    largest_read = LARGEST_READ

    def __init__(self, bounds: Bounds) -> None:
        self._framer = Framer(bounds.message, bounds.head)
        self._answered = 0

    @property
    def error(self) -> RemoteError | None:
        """Why framing was lost."""
        return self._framer.error

    @property
    def broken_head(self) -> bytes:
        """Of the message with which it was."""
        return self._framer.broken_head

    @property
    def pings(self) -> int:
        """How many double line ends came."""
        return self._framer.pings

    @property
    def held(self) -> int:
        """How many octets of a message there are."""
        return self._framer.held

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes."""
        return self._framer.feed(data)

    def wrap(self, message: bytes) -> bytes:
        """A message as it is."""
        return message

    def answers(self) -> bytes:
        """A line end for each double one."""
        pings = self._framer.pings - self._answered
        self._answered += pings
        return b"\r\n" * pings

    def farewell(self) -> bytes:
        """Nothing."""
        return b""

    def proves(self, callee: Callee) -> bool:
        """Nobody proves anything here, and nobody asks for it."""
        return True


class PlainStack:
    """TCP."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds

    def accepted(self, local: tuple[str, int], peer: tuple[str, int]) -> Layer:
        """A plain layer."""
        return PlainLayer(self._bounds)

    def opened(self, peer: tuple[str, int], callee: Callee) -> Layer | None:
        """A plain layer."""
        return PlainLayer(self._bounds)
