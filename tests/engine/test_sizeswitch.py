from __future__ import annotations

from openpy.engine.sizeswitch import MEMORY, REFUSED, SizeSwitch


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_is_larger_than_the_limit_wants_tcp() -> None:
    switch = SizeSwitch(Time())
    assert not switch.wants_tcp(60000, "192.0.2.1", 5060), "it is off"
    switch.limit = 1300
    assert not switch.wants_tcp(1300, "192.0.2.1", 5060)
    assert switch.wants_tcp(1301, "192.0.2.1", 5060)


def test_who_cannot_be_reached_by_tcp_is_left_alone_for_a_while() -> None:
    time = Time()
    switch = SizeSwitch(time)
    switch.limit = 1300
    switch.refused("192.0.2.1", 5060)
    assert not switch.wants_tcp(2000, "192.0.2.1", 5060)
    assert switch.wants_tcp(2000, "192.0.2.1", 5070)
    time.now += MEMORY
    assert switch.wants_tcp(2000, "192.0.2.1", 5060)


def test_only_so_many_are_remembered_and_the_oldest_goes_first() -> None:
    switch = SizeSwitch(Time())
    switch.limit = 1300
    switch.refused("192.0.2.1", 5060)
    switch.refused("192.0.2.2", 5060)
    switch.refused("192.0.2.1", 5060)
    for port in range(REFUSED - 1):
        switch.refused("192.0.2.3", port)
    assert not switch.wants_tcp(2000, "192.0.2.1", 5060)
    assert switch.wants_tcp(2000, "192.0.2.2", 5060)
    assert len(switch._until) == REFUSED
