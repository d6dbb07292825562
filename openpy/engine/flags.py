"""Flags by number and by name: `setflag(1)`, Kamailio's `flags ACC:1;`, OpenSIPS's `setflag("ACC")`.

Rules:
1. There are 32 flags, 0 to 31, and one table of names for message, branch and script flags.
2. A name with a number has it; other names get free numbers from 31 downwards, when the script is loaded.
3. A bare name must be in a `flags` line. A quoted one is a name by being used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from openpy.engine.parameters import NumberKind
from openpy.script.diagnostics import Diagnostic, did_you_mean, error
from openpy.script.environment import ArgumentError, Environment
from openpy.script.rules.settings import BAD_FLAG_NAME
from openpy.script.syntax import FlagName

LAST = 31

_NUMBER = NumberKind(0, LAST)


@dataclass(frozen=True, slots=True)
class FlagKind:
    """A flag of a core function, by number or by name."""

    description: str = "a flag number, 0 to 31, or the name of a flag"

    def convert(self, text: str, environment: Environment) -> int:
        """Convert a number or a quoted name; raises ArgumentError."""
        if not text.isidentifier():
            return _NUMBER.convert(text, environment)
        if text not in environment.flags:
            allot(environment.flags, text)
        return environment.flags[text]

    def convert_name(self, text: str, environment: Environment) -> int:
        """Convert a bare word; raises ArgumentError."""
        if text not in environment.flags:
            hint = did_you_mean(text, environment.flags) or f"flags {text}:1; or #!define {text} 1 names it"
            raise ArgumentError(f"there is no flag {text}", hint)
        return environment.flags[text]


def allot(flags: dict[str, int], name: str) -> None:
    """Give a name a free number; raises ArgumentError where there is none."""
    taken = set(flags.values())
    number = next((n for n in range(LAST, -1, -1) if n not in taken), None)
    if number is None:
        raise ArgumentError(f"no flag is left for {name}: all of 0 to {LAST} have names")
    flags[name] = number


def declare(names: Iterable[FlagName], found: list[Diagnostic]) -> dict[str, int]:
    """The numbers of declared names; `found` collects what is wrong with them."""
    flags: dict[str, int] = {}
    waiting: list[FlagName] = []
    for item in names:
        if item.name in flags or any(item.name == other.name for other in waiting):
            found.append(error(BAD_FLAG_NAME, item.position, f"the flag {item.name} has a number already"))
        elif item.number is None:
            waiting.append(item)
        elif not 0 <= item.number <= LAST:
            message = f"flag {item.number} is not between 0 and {LAST}"
            found.append(error(BAD_FLAG_NAME, item.position, message))
        else:
            flags[item.name] = item.number
    for item in waiting:
        try:
            allot(flags, item.name)
        except ArgumentError as problem:
            found.append(error(BAD_FLAG_NAME, item.position, str(problem)))
    return flags
