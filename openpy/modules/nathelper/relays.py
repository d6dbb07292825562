"""The rtpproxies there are, in sets, and the choice among them.

Rules:
1. A parameter names those of one set: `[set ==] url[=weight] ...`; a url is `udp:host:port`, `udp6:host:port`,
   `unix:path` or a path. Without a number it is set 0.
2. A call has its rtpproxy by its Call-ID, so that offer and answer meet; the larger its weight the more calls it has.
3. One that does not answer is left alone for a while, and its calls go to the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from typing import NamedTuple
from zlib import crc32

from openpy.engine.module import ArgumentError
from openpy.engine.services import Services
from openpy.engine.waiting import Wait
from openpy.modules.nathelper.wires import Patience, UdpWire, UnixWire, Wire

FORM = "write udp:host:port or unix:/path, several separated by blanks, each with =weight if it has one"


class Written(NamedTuple):
    """One rtpproxy as a parameter names it."""

    set_id: int
    url: str
    weight: int


def read_relays(text: str) -> list[Written]:
    """The rtpproxies of one parameter; raises ArgumentError."""
    number, equals, rest = text.partition("==")
    if not equals:
        number, rest = "0", text
    if not (number.strip().isascii() and number.strip().isdigit()):
        raise ArgumentError(f'"{number.strip()}" is no number of a set', FORM)
    found = [_read_one(int(number), word) for word in rest.split()]
    if not found:
        raise ArgumentError(f'"{text}" names no rtpproxy', FORM)
    return found


def _read_one(set_id: int, text: str) -> Written:
    url, equals, weight = text.partition("=")
    if equals and not (weight.isascii() and weight.isdigit() and 0 < int(weight[:6]) < 100000):
        raise ArgumentError(f'"{weight}" is no weight of an rtpproxy', FORM)
    _place(url)
    return Written(set_id, url, int(weight or 1))


def _place(url: str) -> tuple[str, int]:
    """The host and port of a url, or its path and 0; raises ArgumentError."""
    scheme, _, rest = url.partition(":")
    if scheme in ("udp", "udp6"):
        host, colon, port = rest.rpartition(":")
        if colon and host and port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536:
            return host.strip("[]"), int(port)
    elif scheme == "unix" and rest:
        return rest, 0
    elif url.startswith("/"):
        return url, 0
    raise ArgumentError(f'"{url}" names no rtpproxy', FORM)


class Relay:
    """One rtpproxy. `silent_until` is when it may be asked again (monotonic seconds); inf: it is switched off."""

    __slots__ = ("silent_until", "wire", "written")

    def __init__(self, written: Written, wire: Wire) -> None:
        self.written = written
        self.wire = wire
        self.silent_until = 0.0


class Relays:
    """All of them."""

    def __init__(
        self, services: Services, written: Iterable[Written], patience: Patience, pause: int
    ) -> None:
        """`pause` is for how many seconds one is left alone that did not answer."""
        self.patience = patience
        self.pause = pause
        self._services = services
        self._all = [Relay(each, _wire(services, each.url)) for each in written]

    def __iter__(self) -> Iterator[Relay]:
        return iter(self._all)

    def close(self) -> None:
        """Ask nobody any more."""
        for relay in self._all:
            relay.wire.close()

    async def ask(self, set_id: int, call_id: str, command: str) -> str | None:
        """The reply of the rtpproxy that a call has; None where none of the set answers."""
        while (relay := self._chosen(set_id, call_id)) is not None:
            answer: Wait[str | None] = Wait()
            relay.wire.ask(command, self.patience, answer.resolve)
            reply = await answer
            if reply is not None:
                return reply
            if relay.silent_until < inf:
                relay.silent_until = self._now() + self.pause
            self._services.log.warning(
                "nathelper", f"{relay.written.url} does not answer, and is left alone for {self.pause} s"
            )
        self._services.log.error("nathelper", f"no rtpproxy of set {set_id} can be used")
        return None

    def switch(self, url: str, *, on: bool) -> bool:
        """Use those of a url again, or no more; False: there is none."""
        found = [relay for relay in self._all if relay.written.url == url]
        for relay in found:
            relay.silent_until = 0.0 if on else inf
        return bool(found)

    def rest_of(self, relay: Relay) -> float:
        """For how many seconds it is left alone still; inf: for ever."""
        return max(relay.silent_until - self._now(), 0.0)

    def _chosen(self, set_id: int, call_id: str) -> Relay | None:
        usable = [each for each in self._all if each.written.set_id == set_id and not self.rest_of(each)]
        if not usable:
            return None
        number = crc32(call_id.encode("utf-8", "surrogateescape"))
        number %= sum(each.written.weight for each in usable)
        for relay in usable:
            number -= relay.written.weight
            if number < 0:
                return relay
        raise AssertionError  # the weights are what was summed up

    def _now(self) -> float:
        return self._services.clock.monotonic()


def _wire(services: Services, url: str) -> Wire:
    host, port = _place(url)
    return UdpWire(services, host, port) if port else UnixWire(services, host)
