from __future__ import annotations

import pytest

from openpy.transaction.machines import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    TIMERS,
    Action,
    Event,
    Machine,
    State,
)

MACHINES = (INVITE_CLIENT, NON_INVITE_CLIENT, INVITE_SERVER, NON_INVITE_SERVER)
STARTING = frozenset(TIMERS)
TELLING = frozenset({Action.PASS, Action.TELL_TIMEOUT, Action.TELL_TRANSPORT_ERROR})

every_machine = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)


def states(machine: Machine) -> set[State]:
    reached = {machine.start}
    while True:
        more = {after for (state, _), (after, _) in machine.table.items() if state in reached} | reached
        if more == reached:
            return reached
        reached = more


@every_machine
def test_every_state_is_reached_and_leads_to_the_end(machine: Machine) -> None:
    reached = states(machine)
    assert State.TERMINATED in reached
    assert {state for state, _ in machine.table} == reached - {State.TERMINATED}
    for state in reached - {State.TERMINATED}:
        assert any(after is not state for (before, _), (after, _) in machine.table.items() if before is state)


@every_machine
def test_telling_the_user_stands_last(machine: Machine) -> None:
    for _, actions in machine.table.values():
        assert not TELLING & set(actions[:-1])


@every_machine
def test_no_timer_is_started_on_the_way_out(machine: Machine) -> None:
    for after, actions in machine.table.values():
        assert after is not State.TERMINATED or set(actions) <= TELLING


@every_machine
def test_every_timer_that_a_state_may_wait_for_is_handled_there(machine: Machine) -> None:
    rows = [(machine.start, machine.opening), *machine.table.values()]
    for after, actions in rows:
        for action in STARTING & set(actions):
            assert all((after, event) in machine.table for event in TIMERS[action])


@every_machine
def test_every_timer_event_has_a_start(machine: Machine) -> None:
    rows = [machine.opening, *(actions for _, actions in machine.table.values())]
    started = {event for actions in rows for action in STARTING & set(actions) for event in TIMERS[action]}
    timers = {event for _, event in machine.table if event >= Event.TIMER_A}
    assert started == timers


@every_machine
def test_a_waiting_state_is_left_by_its_timer(machine: Machine) -> None:
    """What absorbs repetitions after the end cannot be kept alive from outside."""
    for state in (State.ACCEPTED, State.COMPLETED, State.CONFIRMED):
        for (before, event), (_, actions) in machine.table.items():
            if before is state and event < Event.TIMER_A:
                assert not (STARTING & set(actions)) or state is not machine.table[before, event][0]
