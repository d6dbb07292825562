"""The small languages of the arguments: AVPs with flags, AVPs by kind of name, values to compare and calculate with.

Each argument is read when the script is loaded; what is wrong in it is told then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from openpy.engine.avps import EXPECTED, Avp, AvpName, read_avp, read_operand, read_value, split_variable
from openpy.engine.checks import identifier
from openpy.engine.module import ArgumentError, Getter, Value
from openpy.engine.run import Run
from openpy.modules.avpops.schemes import Scheme

Flags = frozenset[str]

NAMES = "$avp(s:name), or all whose name is a string (s), a number (i) or either (a)"


# --- parts of arguments -----------------------------------------------------------------------------------------


def read_flags(text: str, allowed: str) -> Flags:
    """The letters of a text that are flags; raises ArgumentError."""
    letters = text.lower()
    for letter in letters:
        if letter not in allowed:
            verb = "is" if len(allowed) == 1 else "are"
            raise ArgumentError(f'"{letter}" is no flag: there {verb} {_listed(allowed)}')
    return frozenset(letters)


def split_name(text: str) -> tuple[str, str]:
    """The pseudo-variable with which a text begins, and what follows the slash behind it; raises ArgumentError."""
    named, rest = split_variable(text)
    if rest and not rest.startswith("/"):
        raise ArgumentError(f'"{rest}" follows {named}; what is more stands behind a slash')
    return named, rest[1:]


def split_avp(text: str, environment: Any) -> tuple[Avp, str]:
    """The AVP with which a text begins, and what follows the slash behind it; raises ArgumentError."""
    if not text.startswith("$"):
        raise ArgumentError(f'"{text}" is no AVP; {EXPECTED}')
    named, rest = split_name(text)
    return read_avp(named, environment), rest


def read_constant(text: str) -> str | int:
    """`i:5`, `i:0x1f`, `s:text` or a text; raises ArgumentError."""
    if text[1:2] != ":":
        return text
    kind, value = text[0].lower(), text[2:]
    if kind not in "si" or not value:
        raise ArgumentError(f'"{text}" is no value; write s:text or i:number')
    if kind == "s":
        return value
    try:
        number = int(value, 16 if value[:2].lower() == "0x" else 10)
    except ValueError:
        raise ArgumentError(f'"{value}" is no number, and stands behind i:') from None
    if not -(2**31) <= number < 2**32:
        raise ArgumentError(f"{value} does not fit into 32 bits")
    return number if number < 2**31 else number - 2**32


def _listed(items: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))


# --- values -----------------------------------------------------------------------------------------------------


class Operand:
    """A value to compare or calculate with: a constant, a pseudo-variable, or all values of an AVP."""

    __slots__ = ("_found", "constant", "text")

    def __init__(self, text: str, found: Avp | Getter | None, constant: str | int | None = None) -> None:
        self.text = text
        self.constant = constant
        self._found = found

    @property
    def has_many(self) -> bool:
        """Whether it may have several values."""
        return isinstance(self._found, Avp)

    def values(self, run: Run) -> list[Value]:
        """The values for a run, the newest of an AVP first; none where there is none."""
        found = self._found
        if found is None:
            return [self.constant]
        if isinstance(found, Avp):
            return found.values(run)
        value = found(run)
        return [] if value is None else [value]


def split_operand(text: str, environment: Any) -> tuple[Operand, str]:
    """The value with which a text begins, and what follows the slash behind it; raises ArgumentError."""
    if not text.startswith("$"):
        value, _, rest = text.partition("/")
        if not value:
            raise ArgumentError("a value is missing; write s:text, i:number or a pseudo-variable")
        return Operand(value, None, read_constant(value)), rest
    named, rest = split_name(text)
    return Operand(named, read_operand(named, environment)), rest


@dataclass(frozen=True, slots=True)
class OperandKind:
    """One pseudo-variable, or an AVP with all its values, and flags."""

    flags: str = ""
    description: str = "a pseudo-variable or an AVP"

    def convert(self, text: str, environment: Any) -> tuple[Operand, Flags]:
        """Convert; raises ArgumentError."""
        if not text.startswith("$"):
            raise ArgumentError(f'"{text}" is no pseudo-variable')
        operand, rest = split_operand(text, environment)
        if rest and not self.flags:
            raise ArgumentError(f'"/{rest}" follows {operand.text}: there are no flags here')
        return operand, read_flags(rest, self.flags)


# --- AVPs -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Selection:
    """One AVP by its name, or all whose names are of a kind: `s`, `i` or `a`."""

    avp: Avp | None
    kind: str = ""

    def takes(self, name: AvpName) -> bool:
        """Whether an AVP of that name is of the kind."""
        return self.kind == "a" or isinstance(name, int) == (self.kind == "i")

    def names(self, run: Run) -> list[AvpName]:
        """The names of those that the message has; of one AVP its name."""
        if self.avp is None:
            return [name for name in run.state.avps if self.takes(name)]
        name = self.avp.name(run)
        return [] if name is None else [name]


def split_selection(text: str, environment: Any) -> tuple[Selection, str]:
    """The AVPs with which a text begins, and what follows the slash behind them; raises ArgumentError."""
    if text.startswith("$"):
        avp, rest = split_avp(text, environment)
        return Selection(avp), rest
    named, _, rest = text.partition("/")
    kind = named[:1].lower().replace("*", "a")
    if kind not in tuple("sia") or not (named[1:].isdigit() or not named[1:]):
        raise ArgumentError(f'"{named}" names no AVP; write {NAMES}')
    return Selection(None, kind), rest


@dataclass(frozen=True, slots=True)
class AvpFlagsKind:
    """An AVP and flags."""

    flags: str
    description: str

    def convert(self, text: str, environment: Any) -> tuple[Avp, Flags]:
        """Convert; raises ArgumentError."""
        avp, rest = split_avp(text, environment)
        if rest and not self.flags:
            raise ArgumentError(f'"/{rest}" follows {avp.text}: there are no flags here')
        return avp, read_flags(rest, self.flags)


@dataclass(frozen=True, slots=True)
class ValueKind:
    """One value of an AVP, and what it is to be."""

    description: str = "$avp(s:name) or $(avp(s:name)[index]) [/esn]"

    def convert(self, text: str, environment: Any) -> tuple[Getter, Flags]:
        """Convert; raises ArgumentError."""
        named, rest = split_name(text)
        flags = read_flags(rest, "esn")
        if {"s", "n"} <= flags:
            raise ArgumentError("a value is a text (s) or a number (n), not both")
        return read_value(named, environment), flags


@dataclass(frozen=True, slots=True)
class SelectionKind:
    """AVPs, one by name or many by kind, and the flag `g`."""

    description: str = f"{NAMES} [/g]"

    def convert(self, text: str, environment: Any) -> tuple[Selection, Flags]:
        """Convert; raises ArgumentError."""
        selection, rest = split_selection(text, environment)
        return selection, read_flags(rest, "g")


@dataclass(frozen=True, slots=True)
class Pair:
    """From where to where: without a target the source is changed."""

    source: Avp
    target: Avp | None
    flags: Flags


@dataclass(frozen=True, slots=True)
class PairKind:
    """`source[/target[/flags]]`."""

    flags: str
    description: str

    def convert(self, text: str, environment: Any) -> Pair:
        """Convert; raises ArgumentError."""
        source, rest = split_avp(text, environment)
        target = None
        if rest.startswith("$"):
            target, rest = split_avp(rest, environment)
        if rest and not self.flags:
            raise ArgumentError(f'"{rest}" is no AVP; {EXPECTED}')
        return Pair(source, target, read_flags(rest, self.flags))


@dataclass(frozen=True, slots=True)
class Place:
    """Which AVPs, and where they are kept: in a table (""; that of the preferences), or as a scheme says."""

    selection: Selection
    table: str = ""
    scheme: Scheme | None = None


@dataclass(frozen=True, slots=True)
class PlaceKind:
    """AVPs and the table where they are kept. `schemes` are those there are, by name in lower case; None: unknown."""

    takes_scheme: bool = False
    schemes: dict[str, Scheme] | None = None
    description: str = f"{NAMES} [/table]"

    def convert(self, text: str, environment: Any) -> Place:
        """Convert; raises ArgumentError."""
        selection, rest = split_selection(text, environment)
        if not rest:
            if text.endswith("/"):
                raise ArgumentError("the name of a table is missing behind the slash")
            return Place(selection)
        if not rest.startswith("$"):
            return Place(selection, identifier(rest))
        name = rest[1:]
        if not self.takes_scheme:
            raise ArgumentError(f"a scheme ({rest}) is for avp_db_load only; name a table: /table")
        if selection.avp is None:
            raise ArgumentError(f"a scheme ({rest}) gives values and no names; {EXPECTED} before it")
        if self.schemes is None:
            return Place(selection)
        if name.lower() not in self.schemes:
            there = f"there are {', '.join(self.schemes)}" if self.schemes else "there is none"
            raise ArgumentError(
                f'no scheme is called "{name}": {there}; modparam("avpops", "db_scheme", "{name}:...") makes one'
            )
        return Place(selection, scheme=self.schemes[name.lower()])


@dataclass(frozen=True, slots=True)
class TargetsKind:
    """AVPs, separated by semicolons."""

    description: str = "AVPs such as $avp(s:name);$avp(i:5)"

    def convert(self, text: str, environment: Any) -> tuple[Avp, ...]:
        """Convert; raises ArgumentError."""
        return tuple(read_avp(name.strip(), environment) for name in text.split(";"))


Targets = Annotated[tuple[Avp, ...], TargetsKind()]
