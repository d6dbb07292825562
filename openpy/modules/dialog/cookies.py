"""The parameter that names a dialog in our Record-Route: `did=ab.31e`, as OpenSER writes it.

Both numbers are hexadecimal with the lowest digit first. So a call that began under OpenSER is known to the server that
takes its place and its table.
"""

from __future__ import annotations

from openpy.modules.dialog.record import Name

DIGITS = frozenset("0123456789abcdefABCDEF")
LONGEST = 8


def written(name: Name) -> str:
    """A name as it stands in a Route."""
    return f"{_reversed(name.entry)}.{_reversed(name.number)}"


def read(text: str) -> Name | None:
    """The name that stands in a Route; None if it is none."""
    entry, _, number = text.partition(".")
    if not (_is_number(entry) and _is_number(number)):
        return None
    return Name(int(entry[::-1], 16), int(number[::-1], 16))


def _reversed(number: int) -> str:
    return f"{number:x}"[::-1]


def _is_number(text: str) -> bool:
    return 0 < len(text) <= LONGEST and DIGITS.issuperset(text)
