"""The text of quoted strings.

Rules (1.3's):
1. `'...'` has no escapes at all.
2. `"..."` knows `\\n \\r \\a \\t \\" \\\\`, `\\xH`, `\\xHH`, octal `\\NN` and `\\NNN`; a backslash before a newline
   takes both away.
3. Any other escape keeps its backslash, so that the `\\1` of a substitution survives.
4. Escapes make bytes, not characters: the result is decoded as the script itself is.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(?:([nrat\"\\])|x([0-9A-Fa-f]{1,2})|([0-7]{2,3})|(\r?\n))")
_LETTERS = {"n": "\n", "r": "\r", "a": "\a", "t": "\t", '"': '"', "\\": "\\"}


def unquote(text: str) -> str:
    """The value of a string as written, quotes included."""
    inner = text[1:-1]
    if text[0] == "'" or "\\" not in inner:
        return inner
    value = _ESCAPE.sub(_replacement, inner)
    if value.isascii():
        return value
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _replacement(match: re.Match[str]) -> str:
    letter, hexadecimal, octal, _newline = match.groups()
    if letter:
        return _LETTERS[letter]
    if hexadecimal:
        return _byte(int(hexadecimal, 16))
    if octal:
        return _byte(int(octal, 8) & 0xFF)
    return ""


def _byte(number: int) -> str:
    return chr(number) if number < 0x80 else chr(0xDC00 + number)
