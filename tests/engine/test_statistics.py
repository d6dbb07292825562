from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpy.engine.module import ArgumentError, Count, Counter, Module, Source
from openpy.engine.statistics import CountKind, Statistics
from openpy.script.environment import Environment


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
    assert statistics.select("core:RCV_requests") == [first]
    assert statistics.select("core") == statistics.select("tm:rcv_requests") == []


def test_a_counter_is_set_to_0_and_a_computed_value_is_kept() -> None:
    statistics = Statistics()
    count = statistics.counter("core", "rcv_requests")
    count.value = 2
    statistics.gauge("tm", "inuse_transactions", lambda: 4)
    assert statistics.reset("Rcv_requests")
    count.value = 3
    assert statistics.reset("core:Rcv_requests")
    assert not statistics.reset("tm:rcv_requests")
    assert statistics.reset("inuse_transactions")
    assert not statistics.reset("nonsense")
    assert [value for _, _, value in statistics] == [0, 4]


def test_all_are_found_with_their_sources() -> None:
    statistics = Statistics()
    count = statistics.counter("core", "rcv_requests")

    def four() -> int:
        return 4

    statistics.gauge("tm", "inuse_transactions", four)
    assert list(statistics.sources()) == [("core", "rcv_requests", count), ("tm", "inuse_transactions", four)]


def test_one_that_is_not_to_be_reset_is_kept_silently() -> None:
    class Keeping(Module):
        """Keeps."""

        name = "keeping"

        def statistics(self) -> Iterator[tuple[str, str, Source]]:
            yield "script", "ever", Count(3, resettable=False)

    statistics = Statistics()
    statistics.add_module(Keeping(services=None))  # type: ignore[arg-type]
    assert statistics.reset("ever")
    assert list(statistics) == [("script", "ever", 3)]


def test_a_script_names_counters_in_any_case() -> None:
    count = Count()
    assert CountKind().convert("Rcv_Requests", Environment(statistics={"rcv_requests": count})) is count


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rcv_request", 'variable <rcv_request> not defined; did you mean "rcv_requests"?'),
        (
            "calls",
            'variable <calls> not defined; a new one is made by modparam("statistics", "variable", "name")',
        ),
        ("In_Use", "variable <In_Use> is read-only: its value is computed whenever somebody looks"),
        ("in_us", "variable <in_us> not defined; a new one is made by"),
    ],
)
def test_what_is_no_counter_for_a_script(name: str, text: str) -> None:
    environment = Environment(statistics={"rcv_requests": Count(), "in_use": lambda: 4})
    with pytest.raises(ArgumentError) as caught:
        CountKind().convert(name, environment)
    assert str(caught.value).startswith(text)


def test_what_a_module_has_registered_is_forgotten() -> None:
    statistics = Statistics()
    statistics.counter("core", "rcv_requests")
    module = Counting(services=None)  # type: ignore[arg-type]
    statistics.add_module(module)
    statistics.remove_module(module)
    assert list(statistics) == [("core", "rcv_requests", 0)]
    statistics.remove_module(module)


def test_counters_of_single_statuses() -> None:
    statistics = Statistics()
    out = statistics.counter("mine", "200_OUT")
    statistics.counter("mine", "404_in")
    statistics.counter("mine", "abc_out")
    statistics.gauge("mine", "500_out", lambda: 1)
    assert statistics.of_replies("out") == {200: out}
    assert list(statistics.of_replies("in")) == [404]
