from __future__ import annotations

import pytest

from openpy.modules.dispatcher.sets import Destination, DestinationSet, Sets, State

URIS = [f"sip:192.0.2.{number}" for number in range(11, 15)]


def set_of(states: str) -> DestinationSet:
    """A set of destinations in these states: `AIP`."""
    sets = Sets((1, uri) for uri in URIS[: len(states)])
    found = sets.get(1)
    assert found is not None
    for destination, letter in zip(found.places, states, strict=True):
        destination.set_state(State(letter))
    return found


@pytest.mark.parametrize(
    ("states", "number", "use_default", "place"),
    [
        ("AAA", 0, False, 0),
        ("AAA", 5, False, 2),
        ("AIA", 1, False, 2),
        ("AIP", 1, False, 0),
        ("III", 1, False, None),
        ("AAA", 5, True, 1),
        ("AIA", 1, True, 0),
        ("IPA", 0, True, 2),
        ("III", 0, True, 2),
        ("A", 7, True, 0),
        ("I", 7, True, 0),
        ("I", 7, False, None),
    ],
)
def test_what_is_chosen(states: str, number: int, use_default: bool, place: int | None) -> None:
    assert set_of(states).chosen(number, use_default=use_default) == place


@pytest.mark.parametrize(
    ("states", "first", "use_default", "places"),
    [
        ("AAAA", 1, False, [1, 2, 3, 0]),
        ("AIAA", 2, False, [2, 3, 0]),
        ("AAAA", 1, True, [1, 2, 0, 3]),
        ("AAAI", 0, True, [0, 1, 2, 3]),
        ("IIII", 3, True, [3]),
    ],
)
def test_what_is_tried_after_it(states: str, first: int, use_default: bool, places: list[int]) -> None:
    found = set_of(states)
    order = [found.places.index(each) for each in found.alternatives(first, use_default=use_default)]
    assert order == places


@pytest.mark.parametrize("use_default", [False, True])
def test_one_with_a_double_share_is_tried_once(use_default: bool) -> None:
    (found,) = Sets([(1, uri) for uri in ("sip:a", "sip:b", "sip:a", "sip:c", "sip:a")])
    tried = [each.uri_text for each in found.alternatives(2, use_default=use_default)]
    assert tried == ["sip:a", "sip:c", "sip:b"]


def test_turns() -> None:
    found = set_of("AAA")
    assert [found.next_turn() for _ in range(4)] == [0, 1, 2, 3]


def test_failures_take_it_out_and_success_counts_anew() -> None:
    destination = Destination(1, URIS[0])
    assert [destination.fail(3), destination.fail(3)] == [False, False]
    destination.succeed()
    assert [destination.fail(3) for _ in range(4)] == [False, False, True, False]
    destination.succeed()
    assert destination.state.name == "PROBING"
    assert destination.set_state(State.ACTIVE)
    assert not destination.set_state(State.ACTIVE)
    assert not destination.fail(2)
    destination.set_state(State.INACTIVE)
    assert not destination.fail(1)
    assert destination.state.name == "INACTIVE"


def test_another_list_keeps_what_stays() -> None:
    before = Sets([(1, URIS[0]), (1, URIS[1]), (2, URIS[0])])
    known = before.find(1, URIS[0])
    assert known is not None
    known.set_state(State.INACTIVE)
    first = before.get(1)
    assert first is not None
    first.next_turn()
    after = Sets([(1, URIS[2]), (1, URIS[0]), (2, URIS[0])], before)
    assert after.find(1, URIS[0]) is known
    assert after.find(1, URIS[1]) is None
    assert [each.state.value for each in after.destinations] == ["A", "I", "A"]
    again = after.get(1)
    assert again is not None
    assert again.next_turn() == 1
    assert len(after) == 2
    assert [each.id for each in after] == [1, 2]
    assert after.get(3) is None


def test_a_destination_that_stands_twice_has_one_state() -> None:
    sets = Sets([(1, URIS[0]), (1, URIS[0]), (1, URIS[1])])
    found = sets.get(1)
    assert found is not None
    assert found.places[0] is found.places[1]
    assert len(list(sets.destinations)) == 2


def test_sources() -> None:
    sets = Sets([(1, "sip:192.0.2.11"), (2, "sip:x@[2001:DB8:0::1]:5070"), (3, "sip:gw.example")])
    assert sets.has_source("192.0.2.11", 5060)
    assert not sets.has_source("192.0.2.11", 5061)
    assert not sets.has_source("192.0.2.11", 5060, 2)
    assert sets.has_source("2001:db8::1", 5070, 2)
    named = sets.find(3, "sip:gw.example")
    assert named is not None
    assert (named.name, named.addresses) == ("gw.example", ())
    named.addresses = ("192.0.2.21", "192.0.2.22")
    assert sets.has_source("192.0.2.22", 5060)
