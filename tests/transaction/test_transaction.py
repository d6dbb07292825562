from __future__ import annotations

import pytest

from openpy.transaction.machines import INVITE_CLIENT, NON_INVITE_CLIENT, Action, Event, Machine
from openpy.transaction.timers import TimerValues
from openpy.transaction.transaction import Common, Counts, Transaction
from openpy.transaction.wheel import Wheel
from tests.transaction.playbook import RecordingFlow

pytestmark = pytest.mark.pure  # Recorder derives from Transaction


class Recorder(Transaction[Common]):
    """Notes each event with its time, and goes on waiting as `then` says."""

    def __init__(self, machine: Machine, transport: str = "udp") -> None:
        self.wheel = Wheel(0.0)
        flow = RecordingFlow(lambda data: None, transport)
        super().__init__(Common(self.wheel, TimerValues(), Counts()), machine, flow)
        self.seen: list[tuple[float, Event]] = []

    def happen(self, event: Event) -> None:
        self.seen.append((round(self.wheel.now, 3), event))
        if event is Event.TIMER_A:
            self._double(Action.DOUBLE_A)
        elif event is Event.TIMER_E and self.wheel.now > 10:
            self._repeat_at_t2(Action.E_AT_T2)
        elif event is Event.TIMER_E:
            self._double_to_t2(Action.DOUBLE_E)

    def run_out(self) -> list[tuple[float, Event]]:
        while (due := self.wheel.next_due()) is not None:
            self.wheel.advance(due)
        return self.seen


def test_timer_a_doubles_without_limit() -> None:
    recorder = Recorder(INVITE_CLIENT)
    recorder._repeat(Action.START_A_B)
    *repeated, last = recorder.run_out()
    assert repeated == [(time, Event.TIMER_A) for time in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)]
    assert last == (32.0, Event.TIMER_B)


def test_timer_e_doubles_up_to_t2() -> None:
    recorder = Recorder(NON_INVITE_CLIENT)
    recorder._repeat(Action.START_E_F)
    *repeated, last = recorder.run_out()
    assert [time for time, _ in repeated] == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert last == (32.0, Event.TIMER_F)


def test_reliable_transports_repeat_nothing() -> None:
    recorder = Recorder(NON_INVITE_CLIENT, "tls")
    recorder._repeat(Action.START_E_F)
    assert recorder.run_out() == [(32.0, Event.TIMER_F)]


def test_starting_a_timer_replaces_the_one_before() -> None:
    recorder = Recorder(NON_INVITE_CLIENT)
    recorder._repeat(Action.START_E_F)
    recorder._wait(Action.START_K)
    assert len(recorder.wheel) == 1
    assert recorder.run_out() == [(5.0, Event.TIMER_K)]


def test_stopped_timer_never_comes() -> None:
    recorder = Recorder(INVITE_CLIENT)
    recorder._repeat(Action.START_A_B)
    recorder._stop(Action.STOP_TIMER)
    recorder._disarm()
    assert recorder.run_out() == []


def test_timers_come_late_but_once_after_a_stall() -> None:
    recorder = Recorder(INVITE_CLIENT)
    recorder._repeat(Action.START_A_B)
    recorder.wheel.advance(20.0)
    *repeated, last = recorder.run_out()
    assert repeated == [(time, Event.TIMER_A) for time in (20.0, 21.0, 23.0, 27.0)]
    assert last == (32.0, Event.TIMER_B)


def test_counts_begin_at_nothing() -> None:
    assert Counts() == Counts(0, 0, 0, 0, 0)
