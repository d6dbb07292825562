"""Destinations that nothing is sent to: `dst_blacklist`, and those found dead (openser 1.3 core, `blacklists`).

Rules:
1. A list forbids a destination if one of its rules does; a rule with `!` forbids what it does not describe.
2. The last part of a rule is a pattern of file names (`*`, `?`, `[...]`) for the whole request as it leaves.
3. A static list is in force for a message whose script said `use_blacklist`. That of the dead ones ("dns") always is,
   unless `disable_dns_blacklist` is on. It holds only what a name has led to: a silent phone is no dead server.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar, NamedTuple, Protocol

from openpy.script.addresses import IpNetwork, networks_of
from openpy.script.diagnostics import did_you_mean
from openpy.script.environment import ArgumentError, Environment
from openpy.script.syntax import Blacklist as Declaration
from openpy.script.syntax import BlacklistRule

DEAD = "dns"
"""The name of the list of dead destinations."""

LIFETIME = 240.0
"""Seconds that a destination counts as dead."""

REMEMBERED = 4096
"""How many addresses that names led to are remembered."""


class Target(NamedTuple):
    """An address that a request may go to; `host` without brackets."""

    transport: str
    host: str
    port: int


class Blacklist(Protocol):
    """What can be in force for a message."""

    @property
    def expires(self) -> bool:
        """Whether its rules end by themselves."""
        ...

    @property
    def reads_text(self) -> bool:
        """Whether it has to see the request as it leaves."""
        ...

    def forbids(self, target: Target, data: bytes = b"") -> bool:
        """Whether the request `data` must not go there."""
        ...

    def standing(self) -> list[tuple[Rule, float]]:
        """Its rules, each with the seconds that are left of it (0: it has no end)."""
        ...


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `transport` "" and `port` 0: any; `pattern` "": any request."""

    negated: bool
    transport: str
    network: IpNetwork
    port: int
    pattern: str

    def forbids(self, target: Target, data: bytes) -> bool:
        """Whether the request `data` must not go there."""
        return self._describes(target, data) is not self.negated

    def _describes(self, target: Target, data: bytes) -> bool:
        return (
            (not self.transport or self.transport == target.transport)
            and (not self.port or self.port == target.port)
            and ipaddress.ip_address(target.host) in self.network
            and (not self.pattern or fnmatchcase(data.decode("utf-8", "surrogateescape"), self.pattern))
        )


@dataclass(frozen=True, slots=True)
class StaticBlacklist:
    """The list of one `dst_blacklist`."""

    name: str
    rules: tuple[Rule, ...]
    expires: ClassVar[bool] = False

    @property
    def reads_text(self) -> bool:
        """Whether it has to see the request as it leaves."""
        return any(rule.pattern for rule in self.rules)

    def forbids(self, target: Target, data: bytes = b"") -> bool:
        """Whether the request `data` must not go there."""
        return any(rule.forbids(target, data) for rule in self.rules)

    def standing(self) -> list[tuple[Rule, float]]:
        """Its rules, which have no end."""
        return [(rule, 0.0) for rule in self.rules]


def declared_blacklist(declaration: Declaration) -> StaticBlacklist:
    """The list of a `dst_blacklist` statement that the parser has accepted."""
    return StaticBlacklist(declaration.name, tuple(map(_rule, declaration.rules)))


def _rule(rule: BlacklistRule) -> Rule:
    (network,) = networks_of((rule.network,))
    transport = "" if rule.protocol == "any" else rule.protocol
    return Rule(rule.negated, transport, network, rule.port, rule.pattern)


class DeadTargets:
    """The destinations that names led to and that were found dead in the last minutes.

    `clock` gives seconds of one monotonic clock.
    """

    expires = True
    reads_text = False

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[Target, float] = {}
        """Of each that a name led to; 0: alive, as far as is known."""

    def found_by_name(self, target: Target) -> None:
        """A name has led there."""
        if target not in self._until:
            if len(self._until) >= REMEMBERED:
                del self._until[next(iter(self._until))]
            self._until[target] = 0.0

    def failed(self, target: Target) -> None:
        """Nobody answers there, or no connection can be made."""
        if target in self._until:
            self._until[target] = self._clock() + LIFETIME

    def forbids(self, target: Target, data: bytes = b"") -> bool:
        """Whether it was found dead."""
        return self._until.get(target, 0.0) > self._clock()

    def standing(self) -> list[tuple[Rule, float]]:
        """The dead ones as rules, each with the seconds that are left of it."""
        now = self._clock()
        return [
            (Rule(False, target.transport, ipaddress.ip_network(target.host), target.port, ""), until - now)
            for target, until in self._until.items()
            if until > now
        ]


@dataclass(frozen=True, slots=True)
class BlacklistKind:
    """The name of a blacklist."""

    description: str = "the name of a dst_blacklist"

    def convert(self, text: str, environment: Environment) -> Blacklist:
        """Find the list; raises ArgumentError."""
        found: Blacklist | None = environment.blacklists.get(text)
        if found is None:
            hint = did_you_mean(text, environment.blacklists) or f"add: dst_blacklist = {text}:{{...}}"
            raise ArgumentError(f'there is no blacklist "{text}"', hint)
        return found
