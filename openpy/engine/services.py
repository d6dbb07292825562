"""What a module gets from the server: time, timers, transactions, databases, ways to peers.

The server implements this; tests and the simulation pass their own.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from openpy.db.database import Database
from openpy.engine.avps import AvpName
from openpy.engine.clock import Clock
from openpy.engine.log import Log
from openpy.engine.mi import Commands
from openpy.engine.programs import Ended, Program
from openpy.engine.sizeswitch import SizeSwitch
from openpy.engine.statistics import Statistics
from openpy.engine.waiting import Wait
from openpy.net.layer import ANYBODY, Callee
from openpy.transaction.flow import Flow
from openpy.transaction.layer import Layer
from openpy.transaction.wheel import Wheel

if TYPE_CHECKING:
    from openpy.engine.module import Module

__all__ = ["ANYBODY", "Callee", "Services"]


class Services(Protocol):
    """The server as its modules see it."""

    clock: Clock
    wheel: Wheel
    transactions: Layer
    random: random.Random
    log: Log
    commands: Commands
    statistics: Statistics
    avp_aliases: dict[str, AvpName]
    """What short names of AVPs mean (`avp_aliases`)."""
    size_switch: SizeSwitch
    allow_exec: bool
    """Whether whoever started the server allowed scripts to run programs."""

    def token(self) -> str:
        """64 fresh random bits from the system as 16 hex digits, for tags that nobody may guess."""
        ...

    def module(self, name: str) -> Module | None:
        """The loaded module of that name."""
        ...

    def database(self, url: str) -> Database:
        """The database at a URL, one object per URL; raises ModuleError naming the loadmodule line to add."""
        ...

    def flow(
        self,
        transport: str,
        host: str,
        port: int,
        local: tuple[str, int] | None = None,
        callee: Callee = ANYBODY,
    ) -> Flow | None:
        """A way to a peer that is there already: any UDP peer, or a connection that is up.

        `local` picks the listening socket (host, port); else the first that fits the address family. `callee` is whom
        a URI calls by name: by TLS the peer must have proved that it is called so.
        """
        ...

    def connect(self, transport: str, host: str, port: int, callee: Callee = ANYBODY) -> Wait[Flow | None]:
        """As `flow`, opening a connection where none is up; None after 2 s without one."""
        ...

    def resolve(self, host: str) -> Wait[tuple[str, ...]]:
        """The addresses of a host name; () where there is none. Fails with OSError where nobody can tell."""
        ...

    def is_myself(self, host: str, port: int) -> bool:
        """Whether host:port is one of the sockets or aliases (port 0: any)."""
        ...

    def advertised(self, flow: Flow) -> tuple[str, int]:
        """The host (IPv6 in brackets) and port that stand in Via and Contact of what leaves by this flow."""
        ...

    def run_blocking(self, function: Callable[..., Any], *arguments: Any) -> Wait[Any]:
        """Run a blocking function in a thread."""
        ...

    def run_program(self, program: Program) -> Wait[Ended]:
        """Run a program beside the loop, within its bounds; fails with OSError where it cannot be started."""
        ...

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back after what has arrived by now was read: for work done in slices."""
        ...

    def watch(self, descriptor: int, readable: Callable[[], None]) -> Callable[[], None]:
        """Call back whenever a descriptor (a pipe) has something to read, until the returned function is called."""
        ...
