"""Values of the language: NULL, strings, integers, and strings with an integer view.

Rules (1.3's value model):
1. None is NULL. `int` is a natural integer (it has a string view), `str` a string without an integer
   view, `Dual` a string that also compares as an integer ($sp, $rp, $cl ...).
2. Integers are 32-bit signed and wrap.
3. Strings are text decoded as UTF-8 with surrogate escapes, so that any bytes survive.
"""

from __future__ import annotations


class Dual(str):
    """A string with an integer view, such as the port `$sp`: joined as text, compared as a number."""

    __slots__ = ("number",)
    number: int

    def __new__(cls, text: str, number: int) -> Dual:
        """Make one from both views."""
        self = super().__new__(cls, text)
        self.number = number
        return self


Value = None | str | int
"""A value of the language; a Dual is a str."""


def wrap(number: int) -> int:
    """Bring an integer into the range of a 32-bit signed one, as C does."""
    return (number + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def as_text(value: Value) -> str:
    """The string view, as in a format: NULL prints as `<null>`."""
    return "<null>" if value is None else str(value)


def as_number(value: Value) -> int | None:
    """The integer view, or None where there is none."""
    if isinstance(value, int):
        return value
    if isinstance(value, Dual):
        return value.number
    return None
