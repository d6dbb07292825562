"""What the database gave becomes AVPs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from openpy.db.dialect import Row
from openpy.engine.avps import Avp, AvpName
from openpy.engine.run import Run
from openpy.modules.avpops.operands import Selection
from openpy.modules.avpops.preferences import INTEGER_NAME, INTEGER_VALUE
from openpy.modules.avpops.values import add, kept, number_in


def add_preferences(run: Run, rows: Sequence[Row], selection: Selection, name: AvpName | None) -> int:
    """Add rows of value, attribute and type, in their order: the last is the newest; how many were good.

    Of one AVP `name` is its name; rows whose name is of another kind, or that are not what their type says, are
    left out.
    """
    count = 0
    for value, attribute, kind in rows:
        if None in (value, attribute, kind) or not isinstance(kind, int):
            continue
        found: AvpName | None = number_in(str(attribute)) if kind & INTEGER_NAME else str(attribute)
        if found is None or (found != name if name is not None else not selection.takes(found)):
            continue
        count += _add_kept(run, found, value, bool(kind & INTEGER_VALUE))
    return count


def add_values(run: Run, rows: Sequence[Row], name: AvpName, is_integer: bool) -> int:
    """Add rows of one value each to one AVP, in their order: the last is the newest; how many were good."""
    return sum(_add_kept(run, name, value, is_integer) for (value,) in rows)


def add_columns(run: Run, rows: Sequence[Row], targets: Sequence[Avp]) -> None:
    """Add each column to its target; without targets to `$avp(i:1)` and so on. The first row is the newest.

    What is NULL or an empty text is left out, as are columns without a target.
    """
    names: Sequence[AvpName | None]
    names = [target.name(run) for target in targets] or range(1, 1 + max(map(len, rows), default=0))
    for row in reversed(rows):
        for name, found in zip(names, row, strict=False):
            value = value_of(found)
            if name is not None and value is not None and value != "":
                add(run, name, value)


def value_of(found: Any) -> str | int | None:
    """A value of the database as one of an AVP: a time is in Unix seconds, a number that is too large a text."""
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, int):
        return _number(found)
    if isinstance(found, bytes | bytearray | memoryview):
        return bytes(found).decode("utf-8", "surrogateescape")
    if isinstance(found, datetime):
        with suppress(ValueError, OverflowError):  # the first and the last year may have no Unix time
            return _number(int(found.timestamp()))
    return str(found)


def _number(number: int) -> int | str:
    return int(number) if -(2**31) <= number < 2**31 else str(number)


def _add_kept(run: Run, name: AvpName, found: Any, is_integer: bool) -> int:
    """Add a value that the database has, as a number or as a text; 1 if that could be done, else 0."""
    value = value_of(found)
    if value is None:
        return 0
    if is_integer:
        value = number_in(str(value))
        if value is None:
            return 0
    else:
        value = str(value)
    add(run, name, kept(value, name))
    return 1
