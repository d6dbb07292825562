"""Which event leads a dialog where."""

from __future__ import annotations

import itertools

import pytest

from openpy.modules.dialog.states import LIVE, Event, State, after

P, A, R, K, B, T = Event


@pytest.mark.parametrize(
    ("events", "end"),
    [
        ((P, P, A, K, B), State.ENDED),
        ((A, B), State.ENDED),
        ((A, K, T), State.ENDED),
        ((A, T), State.ENDED),
        ((P, R), State.ENDED),
        ((R, A), State.ENDED),
        ((P, B), State.EARLY),
        ((K, B, T), State.UNCONFIRMED),
        ((A, P, R, A), State.ANSWERED),
        ((A, K, K, R), State.CONFIRMED),
    ],
)
def test_a_life(events: tuple[Event, ...], end: State) -> None:
    state = State.UNCONFIRMED
    for event in events:
        state = after(state, event) or state
    assert state is end


def test_no_order_of_events_goes_back() -> None:
    for state, event in itertools.product(State, Event):
        following = after(state, event)
        assert following is None or following > state


def test_what_has_ended_stays_so() -> None:
    assert not any(after(State.ENDED, event) for event in Event)
    assert State.ENDED not in LIVE
