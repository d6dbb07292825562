from __future__ import annotations

import dataclasses

import pytest

from openpy.script.syntax import NOWHERE, Call, Number, Position, RouteKind, String


def test_positions_take_no_part_in_equality() -> None:
    here = Position("a.cfg", 3, 1, 3, 2)
    assert Number(5, position=here) == Number(5)
    assert Call("x", (String("a", position=here),)) == Call("x", (String("a"),))
    assert hash(Number(5, position=here)) == hash(Number(5))


def test_nodes_are_frozen_and_nowhere_by_default() -> None:
    node = Number(5)
    assert node.position is NOWHERE
    with pytest.raises(dataclasses.FrozenInstanceError):
        node.value = 6  # type: ignore[misc]


def test_the_value_of_a_route_kind_is_its_keyword() -> None:
    assert RouteKind("failure_route") is RouteKind.FAILURE
    assert [kind.value for kind in RouteKind] == [
        "route",
        "failure_route",
        "onreply_route",
        "branch_route",
        "error_route",
        "event_route",
    ]
