"""Traced messages as they are, sent to somebody who watches (`duplicate_uri` of openser 1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from openpy.engine.destinations import DestinationError, Ways, destination_of
from openpy.engine.state import State
from openpy.engine.waiting import Stepper
from openpy.modules.siptrace.captured import Captured

if TYPE_CHECKING:
    from openpy.engine.module import Count
    from openpy.engine.server import Server


class Copies:
    """Sends copies to a URI; `is_sending` says that what is sent just now is one."""

    def __init__(self, server: Server, uri: str, dropped: Count) -> None:
        self.is_sending = False
        self._server = server
        self._uri = uri
        self._dropped = dropped
        self._is_looking = False
        self._is_well = True

    def take(self, messages: Sequence[Captured]) -> int:
        """Send them, once the way is found; returns how many were taken: none, while it is looked for."""
        if self._is_looking:
            return 0
        self._is_looking = True
        Stepper(self._send(messages), self._sent).step()
        return len(messages)

    async def _send(self, messages: Sequence[Captured]) -> None:
        try:
            ways = Ways(self._server, State(), destination_of(self._uri), lambda flow: b"")
            flow, _ = await ways.next()
        except DestinationError:
            self._dropped.value += len(messages)
            if self._is_well:
                self._is_well = False
                self._server.log.error("siptrace", f"no copies are sent: there is no way to {self._uri}")
            return
        self._is_well = True
        self.is_sending = True
        try:
            for captured in messages:
                flow.send(captured.data)
        finally:
            self.is_sending = False

    def _sent(self, _: None, error: BaseException | None) -> None:
        self._is_looking = False
        if error is not None:
            self._server.report(error)
