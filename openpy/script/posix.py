"""POSIX extended regular expressions, as C's `regcomp` reads them, translated for RE2.

Rules:
1. A pattern is bytes, one byte a character, as in C's own locale: `é` is two of them.
2. The translation says everything itself: letter case, newlines and bracket expressions become explicit
   sets of bytes, so nothing of the pattern is ever read by RE2's own (Perl) syntax.
3. A backslash has no meaning inside brackets: `[\\.]` is a backslash or a dot.
4. Of GNU's additions these are known: `\\w \\W \\s \\S \\b \\B`, `` \\` `` and `\\'`. `\\<` and
   `\\>` are read as `\\b`. Any other escaped character stands for itself, `\\d`
   for the letter d. Back-references are refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from openpy.script.deadends import BEGIN, END, dead_end
from openpy.script.environment import ArgumentError

_LOWER = frozenset(range(ord("a"), ord("z") + 1))
_UPPER = frozenset(range(ord("A"), ord("Z") + 1))
_LETTERS = _LOWER | _UPPER
_DIGITS = frozenset(range(ord("0"), ord("9") + 1))
_SPACES = frozenset(b" \t\n\v\f\r")
_PRINTABLE = frozenset(range(0x20, 0x7F))
_GRAPHIC = _PRINTABLE - {0x20}
_EVERY = frozenset(range(256))
_NEWLINE = ord("\n")

CLASSES: dict[bytes, frozenset[int]] = {
    b"alpha": _LETTERS,
    b"digit": _DIGITS,
    b"alnum": _LETTERS | _DIGITS,
    b"upper": _UPPER,
    b"lower": _LOWER,
    b"space": _SPACES,
    b"blank": frozenset(b" \t"),
    b"punct": _GRAPHIC - _LETTERS - _DIGITS,
    b"print": _PRINTABLE,
    b"graph": _GRAPHIC,
    b"cntrl": frozenset([*range(0x20), 0x7F]),
    b"xdigit": _DIGITS | frozenset(b"abcdefABCDEF"),
}
"""The classes of `[[:name:]]` in the POSIX locale."""

_WORD = _LETTERS | _DIGITS | {ord("_")}
_ESCAPED_SETS = {"w": _WORD, "W": _EVERY - _WORD, "s": _SPACES, "S": _EVERY - _SPACES}
_ESCAPED_ANCHORS = {"b": rb"\b", "B": rb"\B", "<": rb"\b", ">": rb"\b", "`": rb"\A", "'": rb"\z"}


@dataclass(slots=True)
class Translation:
    """RE2 text, and remarks about what a modern reader would take for something else.

    `dead` says why a part of it can never match (may be empty).
    """

    text: bytes
    remarks: tuple[str, ...] = ()
    dead: str = ""


def translate(pattern: bytes, ignore_case: bool, newline: bool) -> Translation:
    """Translate; raises ArgumentError with what is wrong.

    `newline` is REG_NEWLINE: `^` and `$` also match at line ends, `.` and `[^x]` match no newline.
    """
    return _Translator(pattern, ignore_case, newline).run()


@dataclass(slots=True)
class _Translator:
    pattern: bytes
    ignore_case: bool
    newline: bool
    at: int = 0
    out: list[bytes] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)  # where in `out` each open group starts
    last: int = -1  # where in `out` the last atom starts; -1: there is nothing to repeat
    repeated: bool = False
    remarks: list[str] = field(default_factory=list)

    def run(self) -> Translation:
        while self.at < len(self.pattern):
            character = chr(self.pattern[self.at])
            self.at += 1
            match character:
                case "(":
                    self.groups.append(len(self.out))
                    self._add(b"(", repeatable=False)
                case ")" if self.groups:
                    self.out.append(b")")
                    self.last = self.groups.pop()
                    self.repeated = False
                case "|":
                    self._add(b"|", repeatable=False)
                case "*" | "+" | "?":
                    self._repeat(character.encode())
                case "{":
                    self._repeat(self._interval())
                case "^":
                    self._add(b"(?m:^)" if self.newline else BEGIN, repeatable=False)
                case "$":
                    self._add(b"(?m:$)" if self.newline else END, repeatable=False)
                case ".":
                    self._add(_set(_EVERY - {_NEWLINE} if self.newline else _EVERY))
                case "[":
                    self._add(_set(self._brackets()))
                case "\\":
                    self._escape()
                case _:
                    self._literal(character)
        if self.groups:
            raise ArgumentError('"(" is not closed')
        dead = "" if self.newline else dead_end(self.out)
        return Translation(b"".join(self.out), tuple(self.remarks), dead)

    def _add(self, text: bytes, repeatable: bool = True) -> None:
        self.last = len(self.out) if repeatable else -1
        self.repeated = False
        self.out.append(text)

    def _literal(self, character: str) -> None:
        self._add(_set(self._fold({ord(character)})))

    def _fold(self, members: Iterable[int]) -> frozenset[int]:
        found = set(members)
        if self.ignore_case:
            found |= {member ^ 0x20 for member in found & _LETTERS}
        return frozenset(found)

    def _repeat(self, operator: bytes) -> None:
        if self.last < 0:
            raise ArgumentError(f'nothing to repeat before "{operator.decode()}"')
        if self.repeated:  # RE2 refuses a**, POSIX does not
            self.out[self.last :] = [b"(?:" + b"".join(self.out[self.last :]) + b")"]
        self.out.append(operator)
        self.repeated = True

    def _interval(self) -> bytes:
        end = self.pattern.find(b"}", self.at)
        low, comma, high = self.pattern[self.at : max(end, self.at)].partition(b",")
        numbers_only = all(part == b"" or part.isdigit() for part in (low, high))
        if end < 0 or not numbers_only or not (low or comma):
            raise ArgumentError('"{" starts no repetition such as {2} or {1,3}; write \\{ for the character')
        if low and high and int(low) > int(high):
            raise ArgumentError(f"repetition {{{low.decode()},{high.decode()}}} is the wrong way round")
        self.at = end + 1
        return b"{" + (low or b"0") + comma + high + b"}"

    def _escape(self) -> None:
        if self.at == len(self.pattern):
            raise ArgumentError("backslash at the end")
        character = chr(self.pattern[self.at])
        self.at += 1
        if character in "123456789":
            raise ArgumentError(f'back-reference "\\{character}": POSIX extended expressions have none')
        if character in _ESCAPED_SETS:
            self._add(_set(_ESCAPED_SETS[character]))
        elif character in _ESCAPED_ANCHORS:
            self._add(_ESCAPED_ANCHORS[character], repeatable=False)
        else:
            if character.isascii() and character.isalnum():
                self.remarks.append(f'"\\{character}" matches the character "{character}" itself')
            self._literal(character)

    def _brackets(self) -> frozenset[int]:
        """Read up to the closing bracket; `at` is behind the opening one."""
        negated = self.pattern.startswith(b"^", self.at)
        self.at += negated
        start = self.at
        members: set[int] = set()
        while not (self.pattern.startswith(b"]", self.at) and self.at > start):
            if self.pattern.startswith(b"[:", self.at):
                members |= self._class()
                continue
            low = high = self._element()
            if self.pattern.startswith(b"-", self.at) and not self.pattern.startswith(b"-]", self.at):
                self.at += 1
                high = self._element()
                if high < low:
                    raise ArgumentError(f'range "{chr(low)}-{chr(high)}" is the wrong way round')
            members |= set(range(low, high + 1))
        self.at += 1
        found = self._fold(members)
        if not negated:
            return found
        return _EVERY - found - ({_NEWLINE} if self.newline else set())

    def _class(self) -> frozenset[int]:
        name = self._enclosed(b":")
        if name not in CLASSES:
            raise ArgumentError(f'unknown character class "[:{name.decode("latin-1")}:]"')
        return CLASSES[name]

    def _element(self) -> int:
        """One character of a bracket expression, also written as `[.c.]` or `[=c=]`."""
        for mark in (b".", b"="):
            if self.pattern.startswith(b"[" + mark, self.at):
                name = self._enclosed(mark)
                if len(name) != 1:
                    raise ArgumentError(f'unknown collating element "{name.decode("latin-1")}"')
                return name[0]
        if self.at == len(self.pattern):
            raise ArgumentError('"[" is not closed')
        self.at += 1
        return self.pattern[self.at - 1]

    def _enclosed(self, mark: bytes) -> bytes:
        end = self.pattern.find(mark + b"]", self.at + 2)
        if end < 0:
            raise ArgumentError(f'"[{mark.decode()}" is not closed')
        name = self.pattern[self.at + 2 : end]
        self.at = end + 2
        return name


def _set(members: frozenset[int]) -> bytes:
    """A set of bytes in RE2's syntax."""
    if len(members) == 1:
        return b"\\x%02x" % next(iter(members))
    if not members:
        return rb"[^\x00-\xff]"
    text = bytearray(b"[")
    member = 0
    while member < 256:
        if member not in members:
            member += 1
            continue
        end = member
        while end + 1 in members:
            end += 1
        text += b"\\x%02x-\\x%02x" % (member, end)
        member = end + 1
    return bytes(text + b"]")
