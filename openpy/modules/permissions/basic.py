"""POSIX basic expressions, in which `trusted.from_pattern` is written (1.3 compiles it without REG_EXTENDED)."""

from __future__ import annotations

import re

__all__ = ["extended"]

_PART = re.compile(r"\[\^?\]?(?:\[[:.=].*?[:.=]\]|[^\]])*\]|\\.|.", re.DOTALL)

_MEANS_ITSELF = frozenset("+?(){}|")
"""In a basic expression; with a backslash in front they mean what they mean in an extended one without."""


def extended(text: str) -> str:
    """The extended expression that matches what a basic one does."""
    parts = _PART.findall(text)
    written = []
    begins = True
    for number, part in enumerate(parts):
        opens = part == "\\("
        is_no_anchor = (part == "^" and not begins) or (part == "$" and not _ends(parts, number))
        if part in _MEANS_ITSELF or is_no_anchor or (part == "*" and begins):
            written.append("\\" + part)
        elif len(part) == 2 and part[0] == "\\" and part[1] in _MEANS_ITSELF:
            written.append(part[1])
        else:
            written.append(part)
        begins = opens or part == "\\|" or (part == "^" and begins)
    return "".join(written)


def _ends(parts: list[str], number: int) -> bool:
    """Whether an expression, or a part of it in parentheses, ends behind this."""
    return number == len(parts) - 1 or parts[number + 1] in ("\\)", "\\|")
