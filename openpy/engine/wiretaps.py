"""Who hears every message as it comes and goes, whatever sends it or takes it: siptrace lives by it.

Rules:
1. What a module's `wiretap` gives is asked once, before the sockets are taken. Where nobody listens nothing is called.
2. A message that came is heard before anything becomes of it, one that goes before it leaves; retransmissions too.
3. A tap keeps nobody waiting, and changes nothing. One that fails is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from openpy.transaction.flow import Flow

Hear = Callable[[bytes, Flow], None]


class Wiretap(Protocol):
    """Hears the bytes of messages, and by which flow they come and go."""

    def came(self, data: bytes, flow: Flow) -> None:
        """A message came."""
        ...

    def went(self, data: bytes, flow: Flow) -> None:
        """A message is about to be sent."""
        ...


class Wiretaps:
    """All taps of a server."""

    def __init__(self, taps: Sequence[Wiretap], report: Callable[[BaseException], None]) -> None:
        self._taps = taps
        self._report = report

    def receiving(self, receive: Hear) -> Hear:
        """What hears messages before `receive` does."""
        if not self._taps:
            return receive
        heard = [tap.came for tap in self._taps]

        def tapped(data: bytes, flow: Flow) -> None:
            self._tell(heard, data, flow)
            receive(data, flow)

        return tapped

    @property
    def sending(self) -> Hear | None:
        """What hears messages before they are sent."""
        if not self._taps:
            return None
        heard = [tap.went for tap in self._taps]
        return lambda data, flow: self._tell(heard, data, flow)

    def _tell(self, heard: Sequence[Hear], data: bytes, flow: Flow) -> None:
        for hear in heard:
            try:
                hear(data, flow)
            except Exception as error:  # noqa: BLE001 - rule 3
                self._report(error)
