"""The server's event loop: where it waits for what arrives, its turns are measured and kept apart."""

from __future__ import annotations

import asyncio
import selectors

from openpy.engine.pace import Pace
from openpy.engine.stalls import Stalls


def new_loop(stalls: Stalls, pace: Pace) -> asyncio.AbstractEventLoop:
    """A new event loop whose turns are measured, and begin when the pace allows it."""
    return asyncio.SelectorEventLoop(_Selector(stalls, pace))


class _Selector(selectors.DefaultSelector):
    """A selector that tells when the loop waits."""

    def __init__(self, stalls: Stalls, pace: Pace) -> None:
        super().__init__()
        self._stalls = stalls
        self._pace = pace

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events, as the loop asks: with 0 it has something to do already."""
        self._stalls.turn_ends()
        if timeout == 0:
            events = super().select(0)
        else:
            self._pace.wait()
            events = super().select(timeout)
            self._pace.looked()
        self._stalls.turn_begins()
        return events
