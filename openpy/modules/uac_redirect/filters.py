"""Which contacts of a redirection are followed (openser 1.3 module uac_redirect).

Rules:
1. What an accept filter matches is followed; else what a deny filter matches is not; else `default_filter` decides.
2. The filters of the parameters are always there, unless the script takes them away. What the script adds or takes
   away is for the request at hand, until its redirections were taken.
3. Where the caller asked for sips:, only an accept filter lets in what is not (RFC 3261 16.7 step 4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any

from openpy.engine.module import ArgumentError, PatternKind, Regex

MOST = 6
"""Filters of a kind that a script may add."""


class Reset(IntFlag):
    """What a filter that is set takes away."""

    NOTHING = 0
    DEFAULT = 1
    ADDED = 2


RESETS = {
    "": Reset.NOTHING,
    "reset_all": Reset.DEFAULT | Reset.ADDED,
    "reset_default": Reset.DEFAULT,
    "reset_added": Reset.ADDED,
}


@dataclass(frozen=True, slots=True)
class ResetKind:
    """`reset_all`, `reset_default`, `reset_added`, or nothing."""

    description: str = 'reset_all, reset_default, reset_added, or ""'

    def convert(self, text: str, environment: Any) -> Reset:
        """Convert; raises ArgumentError."""
        if text not in RESETS:
            raise ArgumentError(f'"{text}" is none of {", ".join(filter(None, RESETS))}')
        return RESETS[text]


@dataclass(frozen=True, slots=True)
class FilterKind:
    """A regular expression, or nothing."""

    description: str = 'a regular expression, or ""'

    def convert(self, text: str, environment: Any) -> Regex | None:
        """Convert; raises ArgumentError."""
        return PatternKind().convert(text, environment) if text else None


@dataclass(slots=True)
class Filters:
    """The filters of one kind for one request."""

    default: Regex | None
    added: list[Regex] = field(default_factory=list)

    def change(self, pattern: Regex | None, reset: Reset) -> bool:
        """Take away, then add; False if there are too many."""
        if reset & Reset.DEFAULT:
            self.default = None
        if reset & Reset.ADDED:
            self.added.clear()
        if pattern is None:
            return True
        if len(self.added) == MOST:
            return False
        self.added.append(pattern)
        return True

    def match(self, uri: str) -> bool:
        """Whether one of them matches."""
        if self.default is not None and self.default.search(uri):
            return True
        return any(pattern.search(uri) for pattern in self.added)
