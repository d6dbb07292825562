"""The values of AVPs while a script runs: adding, dropping, numbers in texts, and which of them the database has.

Rules:
1. A new value stands before those that are there: it is the one that `$avp(x)` gives.
2. A value that was loaded from the database, or stored there, is not stored again. It carries the name under which the
   database has it, so that a copy under another name is not taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from openpy.engine.avps import AvpName
from openpy.engine.module import Value, wrap
from openpy.engine.run import Run

DIGITS = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)


class KeptText(str):
    """A text that the database has, as an AVP called `name`."""

    __slots__ = ("name",)
    name: AvpName

    def __new__(cls, text: str, name: AvpName) -> KeptText:
        """Mark a text."""
        self = super().__new__(cls, text)
        self.name = name
        return self


class KeptNumber(int):
    """A number that the database has, as an AVP called `name`."""

    name: AvpName

    def __new__(cls, number: int, name: AvpName) -> KeptNumber:
        """Mark a number."""
        self = super().__new__(cls, number)
        self.name = name
        return self


def kept(value: str | int, name: AvpName) -> Value:
    """The value, marked as one that the database has."""
    return KeptNumber(value, name) if isinstance(value, int) else KeptText(value, name)


def not_kept(run: Run, name: AvpName) -> list[str | int]:
    """The values of an AVP that the database does not have, the newest first."""
    return [
        value for value in run.state.avps.get(name, ()) if value is not None and not _is_kept(value, name)
    ]


def keep(run: Run, name: AvpName, value: str | int) -> None:
    """From now on the database has this value of an AVP."""
    values = run.state.avps.get(name, [])
    for place, present in enumerate(values):
        if present is value:
            values[place] = kept(plain(value), name)
            return


def _is_kept(value: Value, name: AvpName) -> bool:
    return isinstance(value, KeptText | KeptNumber) and value.name == name


def plain(value: Value) -> str | int:
    """A value that is there, without a mark."""
    return int(value) if isinstance(value, int) else str(value)


def add(run: Run, name: AvpName, value: Value) -> None:
    """Put a value before those of its name."""
    run.state.avps.setdefault(name, []).insert(0, value)


def drop(run: Run, name: AvpName, places: Collection[int]) -> None:
    """Take values away: those at these places, 0 being the newest."""
    values = run.state.avps.get(name, [])
    left = [value for place, value in enumerate(values) if place not in places]
    if left:
        run.state.avps[name] = left
    else:
        run.state.avps.pop(name, None)


def number_in(text: str) -> int | None:
    """The integer that a text is, in 32 bits; None if it is none."""
    return wrap(int(text)) if DIGITS.fullmatch(text) else None
