"""What server and client transactions share: a machine's state, and the one timer that it waits with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

from openpy.transaction.flow import Flow
from openpy.transaction.machines import TIMERS, Action, Event, Machine
from openpy.transaction.timers import TimerValues
from openpy.transaction.wheel import Timer, Wheel

_NEAR = 0.005
"""Seconds. A deadline this near has come: the wheel may fire a hundredth of a tick early."""


@dataclass(slots=True)
class Counts:
    """The figures of the layer: how often, since the start."""

    server_created: int = 0
    client_created: int = 0
    retransmissions_received: int = 0
    """Requests that a server transaction absorbed, and late replies that a client transaction did."""
    retransmissions_sent: int = 0
    given_up: int = 0
    """Finished server transactions that ended before their time, to make room."""
    timeouts: int = 0
    """Requests without a final reply, and failed INVITEs without an ACK."""


class Common:
    """What all transactions of one layer work with."""

    __slots__ = ("counts", "delays", "timers", "wheel")

    def __init__(self, wheel: Wheel, timers: TimerValues, counts: Counts) -> None:
        self.wheel = wheel
        self.counts = counts
        self.use_timers(timers)

    def use_timers(self, timers: TimerValues) -> None:
        """Take other timer values; what waits already is not changed."""
        self.timers = timers
        self.delays = (_delays(timers, False), _delays(timers, True))
        """How long each wait lasts, in seconds: [0] over unreliable transports, [1] over reliable ones."""


def _delays(timers: TimerValues, reliable: bool) -> dict[Action, float]:
    return {
        Action.START_A_B: timers.patience,
        Action.START_E_F: timers.patience,
        Action.START_G_H: timers.patience,
        Action.START_D: timers.d(reliable),
        Action.START_I: timers.i(reliable),
        Action.START_J: timers.j(reliable),
        Action.START_K: timers.k(reliable),
        Action.START_L: timers.accepted,
        Action.START_M: timers.accepted,
        Action.START_CANCEL_TIMEOUT: timers.accepted,
    }


S = TypeVar("S", bound=Common)


class Transaction(ABC, Generic[S]):
    """A machine in one of its states, and what it waits for.

    `flow` is where its messages go, `state` the machine's.
    """

    __slots__ = ("_deadline", "_events", "_interval", "_machine", "_side", "_timer", "flow", "state")

    _events: tuple[Event, Event]
    """What the timer brings: before the deadline, and at it."""

    def __init__(self, side: S, machine: Machine, flow: Flow) -> None:
        self._side = side
        self._machine = machine
        self.flow = flow
        self.state = machine.start
        self._timer: Timer | None = None
        self._interval = 0.0
        self._deadline = 0.0

    @abstractmethod
    def happen(self, event: Event) -> None:
        """Let an event that brings no message happen to the machine."""

    # Performers of actions; each takes the action, and the message that the event brought, if any.

    def _repeat(self, action: Action, _: object = None) -> None:
        """Start a pair of timers: over unreliable transports the first repeats the message."""
        side = self._side
        patience = side.delays[0][action]
        self._events = TIMERS[action]
        self._deadline = side.wheel.now + patience
        if self.flow.reliable:
            self._arm(patience)
        else:
            self._interval = interval = side.timers.t1
            self._arm(interval if interval < patience else patience)

    def _wait(self, action: Action, _: object = None) -> None:
        """Start a single timer."""
        self._events = TIMERS[action]
        self._arm(self._side.delays[self.flow.reliable][action])

    def _double(self, _: Action, __: object = None) -> None:
        self._repeat_after(self._interval * 2)

    def _double_to_t2(self, _: Action, __: object = None) -> None:
        self._repeat_after(min(self._interval * 2, self._side.timers.t2))

    def _repeat_at_t2(self, _: Action, __: object = None) -> None:
        self._repeat_after(self._side.timers.t2)

    def _repeat_after(self, interval: float) -> None:
        """Repeat the message after `interval` seconds, unless the wait ends before."""
        self._interval = interval
        self._arm(min(interval, self._deadline - self._side.wheel.now))

    def _stop(self, _: Action, __: object = None) -> None:
        self._disarm()

    def _arm(self, delay: float) -> None:
        timer = self._timer
        if timer is not None:
            timer.cancel()
        self._timer = self._side.wheel.add(delay, _fire, self)

    def _disarm(self) -> None:
        timer = self._timer
        if timer is not None:
            timer.cancel()
            self._timer = None


def _fire(transaction: Transaction[S]) -> None:
    transaction._timer = None
    before, at_deadline = transaction._events
    ended = transaction._side.wheel.now + _NEAR >= transaction._deadline
    transaction.happen(at_deadline if ended else before)
