from __future__ import annotations

from openpy.transaction.timers import TimerValues


def test_default_values_are_those_of_rfc_3261() -> None:
    values = TimerValues()
    assert (values.t1, values.t2, values.t4, values.patience, values.accepted) == (0.5, 4.0, 5.0, 32.0, 32.0)
    assert [values.d(False), values.i(False), values.j(False), values.k(False)] == [32.0, 5.0, 32.0, 5.0]


def test_reliable_transports_zero_what_absorbs_retransmissions() -> None:
    values = TimerValues()
    assert [values.d(True), values.i(True), values.j(True), values.k(True)] == [0.0] * 4
    assert (values.patience, values.accepted) == (32.0, 32.0)


def test_all_follow_the_base_values() -> None:
    values = TimerValues(t1=1.0, t4=2.0)
    assert (values.patience, values.accepted, values.d(False), values.j(False)) == (64.0,) * 4
    assert values.i(False) == values.k(False) == 2.0
    assert TimerValues(t1=0.1).d(False) == 32.0
    assert TimerValues(give_up=30.0).patience == 30.0


def test_answered_requests_may_be_forgotten_earlier() -> None:
    values = TimerValues(absorb=5.0)
    assert (values.j(False), values.j(True), values.accepted) == (5.0, 0.0, 32.0)
