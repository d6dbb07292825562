"""File name patterns, as C's `fnmatch` reads them without flags, made POSIX expressions and so matched in linear time.

Rules:
1. `*` is any text, `?` any byte, `[...]` a set, `[!...]` or `[^...]` what is not in it; `*` and `?` also match `/` and
   a dot at the begin.
2. A backslash takes the meaning of the next character, also within brackets. A `[` that is not closed is itself.
3. A pattern matches the whole of a text. One of more than LONGEST characters is refused.
"""

from __future__ import annotations

import re

from openpy.script.environment import ArgumentError
from openpy.script.patterns import Flags, Pattern, compile_pattern

LONGEST = 1024

_CLASS = re.compile(r"\[:[a-z]+:\]")


def compile_glob(text: str, *, ignore_case: bool = False) -> Pattern:
    """Compile a pattern; the last ones are kept. Raises ArgumentError with what is wrong."""
    if len(text) > LONGEST:
        raise ArgumentError(f"a pattern has {LONGEST} characters at most")
    parts: list[str] = []
    at = 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "*":
            if parts[-1:] != [".*"]:
                parts.append(".*")
        elif character == "?":
            parts.append(".")
        elif character == "[" and (found := _brackets(text, at)) is not None:
            part, at = found
            parts.append(part)
        else:
            if character == "\\" and at < len(text):
                character = text[at]
                at += 1
            parts.append(_literal(character))
    flags = Flags.IGNORE_CASE if ignore_case else Flags.NONE
    return compile_pattern(f"^{''.join(parts)}$", flags)


def _literal(character: str) -> str:
    """A character as an expression that matches it alone."""
    return f"\\{character}" if character in ".[]{}()\\*+?|^$" else character


def _brackets(text: str, start: int) -> tuple[str, int] | None:
    """The set whose opening bracket is before `start`, as POSIX has it, and where it ends; None if it is not closed."""
    at = start
    negated = text[at : at + 1] in ("!", "^")
    at += negated
    members: list[str] = []
    wrong = ""
    while at < len(text) and (text[at] != "]" or not members):
        if named := _CLASS.match(text, at):
            members.append(named[0])
            at = named.end()
            continue
        low, at = _member(text, at)
        high = low
        if text[at : at + 1] == "-" and text[at + 1 : at + 2] not in ("", "]"):
            high, at = _member(text, at + 1)
            if ord(high) < ord(low):
                wrong = f"{low}-{high}"
        members.append(low if low == high else f"{low}-{high}")
    if at >= len(text):
        return None
    if wrong:
        raise ArgumentError(f'range "{wrong}" is the wrong way round')
    return _posix(members, negated), at + 1


def _member(text: str, at: int) -> tuple[str, int]:
    if text[at] == "\\" and at + 1 < len(text):
        at += 1
    return text[at], at + 1


def _posix(members: list[str], negated: bool) -> str:
    """A set in which `]`, `^` and `-` stand where they mean themselves."""
    first = "]" if "]" in members else ""
    last = "".join(member for member in ("^", "-") if member in members)
    middle = "".join(member for member in members if member not in ("]", "^", "-"))
    inner = first + middle + last
    if inner == "^" and not negated:
        return "\\^"
    return f"[{'^' if negated else ''}{inner}]"
