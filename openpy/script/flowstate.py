"""What is known of requests at a place of a route, where ways come together, and of a whole route."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from openpy.script.methods import Methods
from openpy.script.syntax import Call, Position

MOST_BOUND = 8
"""Sends that are remembered beside each other."""


class State(NamedTuple):
    """What is known at one place of a route."""

    alive: bool  # some way leads here
    waiting: Methods = 0  # of requests that may be here, and are not answered
    answered: Methods = 0  # of those that are answered or relayed
    sure: Call | None = None  # the first reply, if every way here has one
    tried: Call | None = None  # the same of replies and relays
    bound: tuple[Call, ...] = ()  # replies from which every way leads here

    def done(self) -> State:
        """The same with all requests answered."""
        return self._replace(waiting=0, answered=self.answered | self.waiting)

    def only(self, methods: Methods) -> State:
        """The same for requests of some methods."""
        return self._replace(waiting=self.waiting & methods, answered=self.answered & methods)

    def without(self, replies: tuple[Call, ...]) -> State:
        """The same where some ways do not lead on to here: those replies are bound to nothing."""
        if not replies:
            return self
        left = tuple(one for one in self.bound if not any(one is other for other in replies))
        return self._replace(bound=left)


NOWHERE = State(False)

Outcome = tuple[State, State]
"""Where a condition is true, and where it is not."""


def join(one: State, other: State) -> State:
    """Where two ways come together."""
    if not (one.alive and other.alive):
        return one if one.alive else other
    return State(
        True,
        one.waiting | other.waiting,
        one.answered | other.answered,
        one.sure and other.sure and one.sure,
        one.tried and other.tried and one.tried,
        (one.bound + other.bound)[:MOST_BOUND],
    )


@dataclass(frozen=True, slots=True)
class Leaving:
    """A place where requests leave a route: `exit`, `return`, or the end of the block."""

    position: Position
    waiting: Methods
    answered: Methods


@dataclass(frozen=True, slots=True)
class Passing:
    """A call of another route, and the requests that come to it."""

    name: str
    waiting: Methods
    answered: Methods


@dataclass(slots=True)
class Summary:
    """What a route does, for whoever calls it."""

    true: State = NOWHERE  # it returned something > 0
    false: State = NOWHERE
    ends: bool = False  # the script may end in it
    tried: Call | None = None  # a reply or relay, if every way through it has one
    exits: list[Leaving] = field(default_factory=list)
    returns: list[Leaving] = field(default_factory=list)
    end: State = NOWHERE  # where the block is over
    calls: list[Passing] = field(default_factory=list)


def through(out: State, state: State, called: Summary) -> State:
    """What the caller has where a route returned."""
    if not out.alive:
        return out
    return State(
        True,
        out.waiting & state.waiting,
        out.answered & state.waiting | (out.waiting | out.answered) & state.answered,
        state.sure or out.sure,
        state.tried or out.tried,
        out.bound if called.ends else (state.bound + out.bound)[:MOST_BOUND],
    )
