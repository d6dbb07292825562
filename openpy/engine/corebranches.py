"""The core functions for the destination set: further branches, and trying them one after the other by q
(openser 1.3 core, `dset` and `serialize`).

Rules:
1. Branches that wait for their turn are values of one AVP, best first; a value shows the URI to the script, and
   carries the rest of the branch.
2. A turn takes all branches of the next q. In a request route the first of them becomes the Request-URI.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openpy.engine.corefunction import core_function
from openpy.engine.parameters import NumberKind, TextKind
from openpy.engine.requesturi import is_acceptable
from openpy.engine.run import Run
from openpy.engine.state import Branch
from openpy.script.environment import ArgumentError, Environment, Function
from openpy.script.syntax import RouteKind

MAXIMUM_BRANCHES = 12  # of one destination set, the Request-URI included

SERIAL_AVP = 0xFF3434
"""The AVP of the branches that wait: `$avp(serial_branch)`."""


@dataclass(frozen=True, slots=True)
class QualityKind:
    """A q value: 0 to 1 with at most three decimals; converted to thousandths."""

    description: str = "a q value"

    def convert(self, text: str, environment: Environment) -> int:
        """Convert; raises ArgumentError."""
        try:
            value = round(float(text) * 1000)
        except ValueError:
            value = -1
        if not 0 <= value <= 1000 or len(text.partition(".")[2]) > 3:
            raise ArgumentError(f'bad argument, q value expected: "{text}"')
        return value


class WaitingBranch(str):
    """A branch as a value: its URI; `branch` is the whole of it."""

    __slots__ = ("branch",)
    branch: Branch

    def __new__(cls, branch: Branch) -> WaitingBranch:
        """Make the value of a branch."""
        self = super().__new__(cls, branch.uri)
        self.branch = branch
        return self


def append_branch(run: Run, uri: str = "", q: int = -1) -> int:
    """Append a branch: a URI, or the current Request-URI and its next hop, Path, flags and socket; they are unset then.

    -1 where all 12 are taken, or the URI has more than 1024 bytes.
    """
    state = run.state
    if uri:
        return 1 if add_branch(run, Branch(uri, q=q)) else -1
    branch = Branch(run.uri, state.destination_uri, q, state.branch_flags, state.send_socket, state.path)
    if not add_branch(run, branch):
        return -1
    state.destination_uri = ""
    state.branch_flags = 0
    state.send_socket = None
    state.path = ""
    return 1


def add_branch(run: Run, branch: Branch) -> bool:
    """Append a branch if there is room for it and its URI can be used."""
    branches = run.state.branches
    if len(branches) >= MAXIMUM_BRANCHES - 1 or not is_acceptable(branch.uri):
        return False
    branches.append(branch)
    return True


def serialize_branches(run: Run, clear: int) -> int:
    """Let all branches and the Request-URI wait for their turns, by q; 1: forget those that wait already.

    Nothing happens where all have the same q, or there is one only. An unset q comes last.
    """
    state = run.state
    if clear:
        state.avps.pop(SERIAL_AVP, None)
    branches = [state.first_branch(run.uri), *state.branches]
    if len({branch.q for branch in branches}) == 1:
        return 1
    branches.sort(key=lambda branch: -branch.q)
    waiting: list[Any] = state.avps.setdefault(SERIAL_AVP, [])
    waiting[:0] = map(WaitingBranch, branches)
    state.branches.clear()
    return 1


def next_branches(run: Run) -> int:
    """Take the branches of the next q: -1 where none waits.

    In a request route the first is the new Request-URI; in a failure route all are appended.
    """
    state = run.state
    waiting: list[Any] = state.avps.get(SERIAL_AVP, [])
    turn = _next_turn(waiting)
    if not turn:
        return -1
    if run.kind is not RouteKind.FAILURE:
        first = turn.pop(0)
        state.uri, state.destination_uri, state.q = first.uri, first.destination_uri, first.q
        state.branch_flags, state.send_socket, state.path = first.flags, first.send_socket, first.path
    added = [add_branch(run, branch) for branch in turn]
    return 1 if all(added) else -1


def _next_turn(waiting: list[Any]) -> list[Branch]:
    """Take the first branches, those of one q, from those that wait. A script may have put in others: plain URIs."""
    turn: list[Branch] = []
    while waiting:
        value = waiting[0]
        branch = value.branch if isinstance(value, WaitingBranch) else Branch(str(value))
        if turn and branch.q != turn[0].q:
            break
        turn.append(branch)
        del waiting[0]
    return turn


BRANCH_FUNCTIONS: tuple[Function, ...] = (
    core_function(append_branch, TextKind(), QualityKind(), optional=2),
    core_function(serialize_branches, NumberKind(0, 1, "0, or 1 to forget those that wait already")),
    core_function(next_branches),
)
