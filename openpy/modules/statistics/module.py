"""statistics: counters that a script has of its own, and changes to any counter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from openpy.engine.module import (
    ArgumentError,
    Count,
    Effect,
    Module,
    NumberKind,
    Param,
    RouteKind,
    Source,
    script_function,
)
from openpy.engine.run import Run
from openpy.engine.services import Services
from openpy.engine.statistics import CountKind

ROUTES = frozenset({RouteKind.REQUEST, RouteKind.BRANCH, RouteKind.FAILURE, RouteKind.ONREPLY})
GROUP = "script"


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """A signed number, not 0."""

    description: str = "a number to add, such as 1 or -1"

    def convert(self, text: str, environment: Any) -> int:
        """Convert; raises ArgumentError."""
        value = NumberKind().convert(text, environment)
        if not value:
            raise ArgumentError("update with 0 has no sense")
        return value


Statistic = Annotated[Count, CountKind()]
Change = Annotated[int, ChangeKind()]


def _variable(text: str) -> str:
    """`name` or `name/no_reset`; raises ArgumentError."""
    _name_of(text)
    return text.strip()


def _name_of(text: str) -> tuple[str, bool]:
    """The name of a variable, and whether it may be reset; raises ArgumentError."""
    name, slash, flag = text.strip().partition("/")
    if not name or any(character.isspace() or character == ":" for character in name):
        raise ArgumentError(f'"{text}" names no variable', "write name or name/no_reset")
    if slash and flag.lower() != "no_reset":
        raise ArgumentError(f'unknown flag "{flag}" of variable {name}', "the only one is no_reset")
    return name, not slash


class Statistics(Module):
    """Counters of the script's own, and functions that change a counter of any module.

        modparam("statistics", "variable", "calls")
        modparam("statistics", "variable", "calls_ever/no_reset")
        route { if (method == "INVITE") { update_stat("calls", "1"); update_stat("calls_ever", "1"); } t_relay(); }

    They are in the group `script`: `openpyctl mi get_statistics script:`. They begin at 0 when the server starts.
    """

    name = "statistics"
    can_join = True

    variable: Param[Any] = Param(
        str,
        [],
        "Adds a counter: `name`, or `name/no_reset` for one that keeps its value; may be repeated",
        repeat=True,
        check=_variable,
        reload=True,
    )

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._counts: dict[str, Count] = {}

    def statistics(self) -> Iterator[tuple[str, str, Source]]:
        """The counters of the script; of those with one name the first."""
        first: dict[str, tuple[str, bool]] = {}
        for name, resettable in map(_name_of, self.variable):
            first.setdefault(name.lower(), (name, resettable))
        for key, (name, resettable) in first.items():
            yield GROUP, name, self._counts.setdefault(key, Count(resettable=resettable))

    def reconfigured(self, configured: Module) -> None:
        """Those that stay go on counting; new ones are those that the script already knows."""
        assert isinstance(configured, Statistics)
        for key, count in configured._counts.items():
            self._counts.setdefault(key, count).resettable = count.resettable

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def update_stat(self, run: Run, variable: Statistic, value: Change) -> int:
        """Add a number to a counter: 1."""
        variable.value += value
        return 1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def reset_stat(self, run: Run, variable: Statistic) -> int:
        """Set a counter to 0, unless it is a `no_reset` one: 1."""
        variable.reset()
        return 1
