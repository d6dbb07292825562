"""Asks destinations that are probed whether they are there again.

Rules:
1. A request of our own goes to each of them once an interval; one that was not answered yet is not sent again.
2. 200, 501 and 403 say that somebody is there, who takes requests or may: it is active again. All else says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from openpy.engine.destinations import DestinationError
from openpy.engine.services import Services
from openpy.engine.waiting import Stepper
from openpy.modules.dispatcher.sets import Destination, State
from openpy.modules.tm.api import OwnRequest, TmApi
from openpy.transaction.wheel import Timer

ALIVE = (200, 501, 403)


class Probe(NamedTuple):
    """What is asked, as whom, and how often: in seconds, 0 for never."""

    method: str
    sender: str
    interval: int


class Prober:
    """Probes the destinations that `all()` gives. `back(destination)` hears of each that is active again."""

    def __init__(
        self,
        services: Services,
        tm: TmApi,
        all_: Callable[[], Iterable[Destination]],
        back: Callable[[Destination], None],
    ) -> None:
        self._services = services
        self._tm = tm
        self._all = all_
        self._back = back
        self._probe = Probe("", "", 0)
        self._asked: set[Destination] = set()
        self._timer: Timer | None = None

    def use(self, probe: Probe) -> None:
        """Ask so from now on, an interval from now first."""
        self.stop()
        self._probe = probe
        if probe.interval:
            self._timer = self._services.wheel.add(probe.interval, self._round)

    def stop(self) -> None:
        """Ask nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _round(self) -> None:
        self._timer = self._services.wheel.add(self._probe.interval, self._round)
        for destination in list(self._all()):
            if destination.state is State.PROBING and destination not in self._asked:
                self._asked.add(destination)
                Stepper(self._ask(destination), self._ended).step()

    async def _ask(self, destination: Destination) -> None:
        token, probe = self._services.token, self._probe
        uri = destination.uri_text
        request = OwnRequest(
            probe.method, uri, f"<{probe.sender}>;tag={token()}", f"<{uri}>", token(), cseq=1
        )
        try:
            answer = await self._tm.request(request)
        except DestinationError as error:
            self._services.log.info("dispatcher", f"{uri} cannot be probed: {error}")
            return
        finally:
            self._asked.discard(destination)
        if answer.status in ALIVE and destination.state is State.PROBING:
            destination.set_state(State.ACTIVE)
            self._back(destination)

    def _ended(self, _: None, error: BaseException | None) -> None:
        if error is not None:
            self._services.log.error("dispatcher", f"a probe failed: {error}")
