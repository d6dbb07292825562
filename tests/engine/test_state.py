from __future__ import annotations

from typing import Any

import pytest

from openpy.engine.state import Branch, State

OF_THE_BRANCH = {"uri", "destination_uri", "q", "path", "branch_flags", "send_socket"}
ITS_OWN = {"branches", "branch_number"}


def attributes() -> list[str]:
    return [name for name in dir(State) if not name.startswith("_") and not callable(getattr(State, name))]


@pytest.fixture
def state() -> Any:
    """One in which nothing is as it was at first."""
    made: Any = State(flags=1, branch_flags=2)
    for number, name in enumerate(attributes()):
        before = getattr(made, name)
        if isinstance(before, dict):
            before["key"] = number
        elif isinstance(before, list):
            before.append(Branch(f"sip:{number}"))
        elif isinstance(before, tuple):
            setattr(made, name, (number,))
        elif isinstance(before, bool):
            setattr(made, name, True)
        elif isinstance(before, int):
            setattr(made, name, 100 + number)
        elif isinstance(before, str) or name == "uri":
            setattr(made, name, f"text {number}")
    return made


def test_what_a_branch_shares_and_what_is_its_own(state: Any) -> None:
    target = Branch("sip:target", "sip:next", 500, 8, None, "<sip:path>")
    own: Any = state.of_branch(target)
    assert (own.uri, own.destination_uri, own.q, own.branch_flags) == ("sip:target", "sip:next", 500, 8)
    assert (own.send_socket, own.path) == (None, "<sip:path>")
    assert (own.branches, own.branch_number) == ([], 0)
    shared = set(attributes()) - OF_THE_BRANCH - ITS_OWN
    assert len(shared) > 10
    for name in shared:
        assert getattr(own, name) == getattr(state, name), name
    assert own.avps is state.avps
    assert own.notes is state.notes


def test_the_request_uri_is_the_first_branch(state: Any) -> None:
    first = state.first_branch("sip:here")
    assert (first.uri, first.destination_uri, first.q) == ("sip:here", state.destination_uri, state.q)
    assert (first.flags, first.send_socket, first.path) == (state.branch_flags, state.send_socket, state.path)


def test_of_flags_only_those_that_a_route_has_changed_are_taken() -> None:
    state = State(flags=0b0110)
    own = State(flags=0b0101)
    state.flags = 0b1000
    state.take_flags(own, 0b0110)
    assert state.flags == 0b1001
