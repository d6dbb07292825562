"""The kinds of script-function arguments: how the quoted text of the script becomes a Python value.

A module names a kind in the annotation of its function (`reason: Format`); the text is converted once,
when the script is loaded, so a function never parses its arguments per message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from openpy.script.environment import ArgumentError, Environment, Getter, Setter
from openpy.script.formats import FormatText, parse_format, parse_single
from openpy.script.patterns import Flags, Pattern, compile_pattern
from openpy.script.pseudovariables import bind_setter, read_whole


@dataclass(frozen=True, slots=True)
class TextKind:
    """The text itself."""

    description: str = "text"

    def convert(self, text: str, environment: Environment) -> str:
        """Return the text."""
        return text


@dataclass(frozen=True, slots=True)
class NumberKind:
    """A decimal number, optionally within bounds."""

    minimum: int = -(2**31)
    maximum: int = 2**31 - 1
    description: str = "a number"

    def convert(self, text: str, environment: Environment) -> int:
        """Convert; raises ArgumentError."""
        try:
            value = int(text, 10)
        except ValueError:
            raise ArgumentError(f'bad number "{text}"') from None
        if not self.minimum <= value <= self.maximum:
            raise ArgumentError(f"{value} is not between {self.minimum} and {self.maximum}")
        return value


@dataclass(frozen=True, slots=True)
class FormatKind:
    """A text with pseudo-variables, evaluated per message."""

    description: str = "a format"

    def convert(self, text: str, environment: Environment) -> FormatText:
        """Parse; raises ArgumentError."""
        return parse_format(text, environment)


def compile_expression(text: str, *, ignore_case: bool = True) -> Pattern:
    """Compile an expression as PatternKind takes it, wherever it was written; raises ArgumentError."""
    return compile_pattern(text, Flags.IGNORE_CASE | Flags.NEWLINE if ignore_case else Flags.NEWLINE)


@dataclass(frozen=True, slots=True)
class PatternKind:
    """A POSIX extended expression as textops and tm take it: no case, `^` and `$` at line ends."""

    description: str = "a regular expression"

    def convert(self, text: str, environment: Environment) -> Pattern:
        """Compile; raises ArgumentError."""
        return compile_expression(text)


@dataclass(frozen=True, slots=True)
class PseudoVariableKind:
    """Exactly one pseudo-variable."""

    description: str = "a pseudo-variable"

    def convert(self, text: str, environment: Environment) -> Getter:
        """Parse; raises ArgumentError."""
        return parse_single(text, environment)


@dataclass(frozen=True, slots=True)
class AvpsKind:
    """AVPs, separated by commas, that a function fills: `$avp(s:name),$avp(i:5)`."""

    description: str = "AVPs such as $avp(s:name),$avp(i:5)"

    def convert(self, text: str, environment: Environment) -> tuple[Setter, ...]:
        """Make what assigns each; raises ArgumentError."""
        setters = []
        for name in text.split(","):
            reference = read_whole(name.strip())
            if reference.name != "avp" or reference.index is not None:
                raise ArgumentError(f'"{name.strip()}" is no AVP', "write $avp(s:name) or $avp(i:5)")
            setters.append(bind_setter(reference, environment))
        return tuple(setters)


@dataclass(frozen=True, slots=True)
class AssignableKind:
    """Exactly one pseudo-variable that can be assigned."""

    description: str = "a pseudo-variable that can be assigned"

    def convert(self, text: str, environment: Environment) -> Setter:
        """Parse; raises ArgumentError."""
        return bind_setter(read_whole(text), environment)


Text = Annotated[str, TextKind()]
Number = Annotated[int, NumberKind()]
Format = Annotated[FormatText, FormatKind()]
Regex = Annotated[Pattern, PatternKind()]
PseudoVariable = Annotated[Getter, PseudoVariableKind()]
Avps = Annotated[tuple[Setter, ...], AvpsKind()]
Kind = Any
