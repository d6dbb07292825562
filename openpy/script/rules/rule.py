"""What can be wrong with a script, said once: its code, what it is called, why it matters, an example of it.

Rules:
1. A code is for ever: it is never given to something else. E is an error, W a warning; the first digit is the subject.
2. `wrong` is a whole script that gives this code and no other; `right` is one that gives none. Tests run both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """An error stops the start; a warning is told once."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One thing that can be wrong."""

    code: str
    title: str
    why: str
    wrong: str
    right: str

    @property
    def severity(self) -> Severity:
        """What the first letter of the code says."""
        return Severity.ERROR if self.code.startswith("E") else Severity.WARNING


class ErrorRule(Rule):
    """One that stops the start."""

    __slots__ = ()


class WarningRule(Rule):
    """One that is told, and the server starts."""

    __slots__ = ()
