"""What is accounted beside the core of a record: `log_extra`, `db_extra` and `multi_leg_info` (openser 1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from openpy.engine.module import ArgumentError, Environment, PseudoVariable, PseudoVariableKind
from openpy.engine.named import NamedAvp
from openpy.engine.run import Run

MOST_EXTRAS = 64
MOST_LEGS = 16


class Extra(NamedTuple):
    """One value beside the others."""

    name: str
    read: PseudoVariable


class Leg(NamedTuple):
    """One value of each leg of a call: the AVP that holds those of all legs."""

    name: str
    avp: NamedAvp


def read_pairs(text: str, most: int) -> list[tuple[str, str]]:
    """The pairs of `name=value;name=value`; raises ArgumentError."""
    pairs = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name or not value.startswith("$"):
            raise ArgumentError(f'"{part}" is no name=$pseudo-variable')
        pairs.append((name, value))
    if len(pairs) > most:
        raise ArgumentError(f"{len(pairs)} are too many: {most} at most")
    return pairs


def read_extras(text: str, environment: Environment) -> list[Extra]:
    """The extras that a parameter names; raises ArgumentError."""
    kind = PseudoVariableKind()
    return [Extra(name, kind.convert(value, environment)) for name, value in read_pairs(text, MOST_EXTRAS)]


def read_legs(text: str) -> list[Leg]:
    """The values of legs that a parameter names; raises ArgumentError."""
    legs = []
    for name, value in read_pairs(text, MOST_LEGS):
        if not (value.startswith("$avp(") and value.endswith(")")):
            raise ArgumentError(f'"{value}" is no AVP; write $avp(s:name) or $avp(i:5)')
        legs.append(Leg(name, NamedAvp(value)))
    return legs


def values_of(extras: Sequence[Extra], run: Run) -> list[str]:
    """The values for a request; NULL is empty."""
    return [_text(extra.read(run)) for extra in extras]


def sets_of(legs: Sequence[Leg], run: Run) -> list[list[str]]:
    """The values of each leg, the newest first; one set at least, where there are legs at all."""
    if not legs:
        return []
    columns = [leg.avp.values(run) for leg in legs]
    count = max(1, *map(len, columns))
    return [
        [_text(column[number]) if number < len(column) else "" for column in columns]
        for number in range(count)
    ]


def _text(value: object) -> str:
    return "" if value is None else str(value)
