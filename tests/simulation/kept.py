"""What is asked, what is kept, and by what they are judged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from openpy.testing.world import World
from tests.simulation.database import SimulatedDatabase
from tests.simulation.process import Process

SLACK = 1.0
"""Seconds by which what has a lifetime may end sooner or later than that, for whole seconds in rows."""


@dataclass
class Asked:
    """A request that the server has read, and not answered yet."""

    method: str
    subject: str
    """The entity-tag of a PUBLISH, or the To-tag of a SUBSCRIBE; "" outside of any."""
    uri: str
    """The presentity."""
    call_id: str
    tokens: frozenset[str]
    lifetime: int
    cseq: int
    at: float
    server_now: float


@dataclass
class Kept:
    """A publication or a subscription that was acknowledged."""

    uri: str
    expires: float
    tokens: frozenset[str] = frozenset()
    maybe: set[str] = field(default_factory=set)
    """What it may show instead."""
    doubtful: bool = False
    """Whether a request about it may have been done or not, or its watcher may count as gone."""


class Judge:
    """Time, rows, and what is being asked just now (by branch and method)."""

    def __init__(self, world: World, database: SimulatedDatabase, process: Process) -> None:
        self.open: dict[tuple[str, str], Asked] = {}
        self.world = world
        self.database = database
        self.process = process

    def now(self) -> float:
        """Unix time as the server should have it: the wall clock of the moment when its rows were loaded, gone on."""
        agent = self.process.agent
        return 0.0 if agent is None else agent._epoch + self.world.now

    def lives(self, kept: Kept) -> bool:
        """Whether it has to be there."""
        return not kept.doubtful and self.now() < kept.expires - SLACK

    def let_expire(self, items: Iterable[Kept]) -> None:
        """What has expired may be gone from now on."""
        for kept in items:
            if not self.lives(kept):
                kept.doubtful = True

    def has_rivals(self, asked: Asked) -> bool:
        """Whether more was asked about the same, whose outcome may show already."""
        return bool(asked.subject) and any(item.subject == asked.subject for item in self.open.values())
