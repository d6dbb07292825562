from __future__ import annotations

from openpy.engine.module import Counter, Module
from openpy.engine.statistics import Statistics


class Counting(Module):
    """Counts."""

    name = "counting"
    seen = Counter("Things seen")
    twice = Counter("What was seen, twice", read=lambda module: 2 * module.seen.value)
    odd = Counter("Things that 1.3 calls otherwise", name="2xx_replies")


def test_values_stand_in_order_of_registration() -> None:
    statistics = Statistics()
    count = statistics.counter("core", "rcv_requests")
    statistics.gauge("tm", "inuse_transactions", lambda: 4)
    module = Counting(services=None)  # type: ignore[arg-type]
    statistics.add_module(module)
    count.value += 2
    module.odd.value += 1
    module.seen.value += 3
    assert list(statistics) == [
        ("core", "rcv_requests", 2),
        ("tm", "inuse_transactions", 4),
        ("counting", "seen", 3),
        ("counting", "twice", 6),
        ("counting", "2xx_replies", 1),
    ]


def test_lines_leave_out_what_is_zero() -> None:
    statistics = Statistics()
    statistics.counter("core", "drop_requests")
    statistics.counter("core", "rcv_requests").value = 7
    assert statistics.lines() == ["core:rcv_requests = 7"]


def test_values_are_chosen_by_name_by_group_or_all() -> None:
    statistics = Statistics()
    statistics.counter("core", "rcv_requests").value = 2
    statistics.gauge("tm", "inuse_transactions", lambda: 4)
    first, second = ("core", "rcv_requests", 2), ("tm", "inuse_transactions", 4)
    assert statistics.select("all") == [first, second]
    assert statistics.select("TM:") == [second]
    assert statistics.select("RCV_requests") == [first]
    assert statistics.select("core") == statistics.select("core:rcv_requests") == []


def test_a_counter_is_set_to_0_and_a_computed_value_is_kept() -> None:
    statistics = Statistics()
    count = statistics.counter("core", "rcv_requests")
    count.value = 2
    statistics.gauge("tm", "inuse_transactions", lambda: 4)
    assert statistics.reset("Rcv_requests")
    assert statistics.reset("inuse_transactions")
    assert not statistics.reset("nonsense")
    assert [value for _, _, value in statistics] == [0, 4]
