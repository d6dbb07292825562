"""Counters by group, as 1.3 names them: `core:rcv_requests`, `sl:sent_replies` ..."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from openpy.engine.module import ArgumentError, Count, Module, Source
from openpy.script.diagnostics import did_you_mean


class Statistics:
    """All statistics in order of registration; a value is a Count or is asked for when it is read."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], Source] = {}

    def counter(self, group: str, name: str) -> Count:
        """Register a counter and return it."""
        count = Count()
        self._values[group, name] = count
        return count

    def gauge(self, group: str, name: str, read: Callable[[], int]) -> None:
        """Register a value that is computed when somebody looks."""
        self._values[group, name] = read

    def add_module(self, module: Module) -> None:
        """Register all that a module declares."""
        for group, name, source in module.statistics():
            self._values[group, name] = source

    def remove_module(self, module: Module) -> None:
        """Forget what a module has registered."""
        for group, name, _ in module.statistics():
            self._values.pop((group, name), None)

    def sources(self) -> Iterator[tuple[str, str, Source]]:
        """Each (group, name, where its value comes from)."""
        for (group, name), source in self._values.items():
            yield group, name, source

    def of_replies(self, direction: str) -> dict[int, Count]:
        """The counters that somebody has made for replies of one status: `200_out`, `404_in`; by status."""
        return {
            int(name[:3]): source
            for (_, name), source in self._values.items()
            if isinstance(source, Count)
            and name[:3].isascii()
            and name[:3].isdigit()
            and name[3:].lower() == f"_{direction}"
        }

    def __iter__(self) -> Iterator[tuple[str, str, int]]:
        """Each (group, name, value)."""
        for (group, name), source in self._values.items():
            yield group, name, source.value if isinstance(source, Count) else source()

    def select(self, wanted: str) -> list[tuple[str, str, int]]:
        """Each (group, name, value) that `get_statistics` means: `all`, a group (`sl:`), or one that `_is` named so."""
        name = wanted.lower()
        return [
            entry
            for entry in self
            if wanted == "all" or f"{entry[0].lower()}:" == name or _is(entry[0], entry[1], name)
        ]

    def reset(self, wanted: str) -> bool:
        """Set a counter to 0; False if there is none of that name. What is computed, or not to be reset, is kept."""
        found = [source for (group, name), source in self._values.items() if _is(group, name, wanted.lower())]
        for source in found:
            if isinstance(source, Count):
                source.reset()
        return bool(found)

    def lines(self) -> list[str]:
        """All that are not zero, one `group:name = value` each."""
        return [f"{group}:{name} = {value}" for group, name, value in self if value]


def _is(group: str, name: str, wanted: str) -> bool:
    """Whether somebody means this one: by its name, as in 1.3, or with its group, as it is printed."""
    return wanted in (name.lower(), f"{group}:{name}".lower())


@dataclass(frozen=True)
class CountKind:
    """The name of a counter that a script may change, of any module, in upper or lower case."""

    description: str = "the name of a statistic"

    def convert(self, text: str, environment: Any) -> Count:
        """Find it; raises ArgumentError."""
        source = environment.statistics.get(text.lower())
        if isinstance(source, Count):
            return source
        if source is not None:
            raise ArgumentError(
                f"variable <{text}> is read-only: its value is computed whenever somebody looks"
            )
        known = [name for name, source in environment.statistics.items() if isinstance(source, Count)]
        hint = (
            did_you_mean(text.lower(), known)
            or 'a new one is made by modparam("statistics", "variable", "name")'
        )
        raise ArgumentError(f"variable <{text}> not defined", hint)
