"""Counters by group, as 1.3 names them: `core:rcv_requests`, `sl:sent_replies` ..."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from openpy.engine.module import Count, Module


class Statistics:
    """All statistics in order of registration; a value is a Count or is asked for when it is read."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], Count | Callable[[], int]] = {}

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
        for attribute, counter in type(module).counters().items():
            if counter.read is not None:
                self.gauge(module.name, counter.name, partial(counter.read, module))
            else:
                self._values[module.name, counter.name] = getattr(module, attribute)

    def __iter__(self) -> Iterator[tuple[str, str, int]]:
        """Each (group, name, value)."""
        for (group, name), source in self._values.items():
            yield group, name, source.value if isinstance(source, Count) else source()

    def select(self, wanted: str) -> list[tuple[str, str, int]]:
        """Each (group, name, value) that `get_statistics` means: `all`, a group (`sl:`), or one name of any group."""
        name = wanted.lower()
        return [
            entry
            for entry in self
            if wanted == "all" or entry[1].lower() == name or f"{entry[0].lower()}:" == name
        ]

    def reset(self, wanted: str) -> bool:
        """Set a counter to 0; False if there is none of that name. A value that is computed is kept."""
        found = [source for (_, name), source in self._values.items() if name.lower() == wanted.lower()]
        for source in found:
            if isinstance(source, Count):
                source.value = 0
        return bool(found)

    def lines(self) -> list[str]:
        """All that are not zero, one `group:name = value` each."""
        return [f"{group}:{name} = {value}" for group, name, value in self if value]
