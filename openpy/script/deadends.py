"""Anchors of an expression that no text can satisfy: what is before `^` or behind `$`, where these mean the whole text.

It reads what `posix` made: a list of groups, alternatives, anchors, sets of bytes, and repetitions behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

BEGIN, END = rb"\A", rb"\z"

BEFORE_BEGIN = 'text comes before "^"'
BEHIND_END = 'text comes behind "$"'

_WITHOUT_WIDTH = (BEGIN, END, rb"\b", rb"\B", b"|", b"(", b")")


@dataclass(slots=True)
class _Group:
    """What is known of the alternative being read, from the beginning of the whole expression on."""

    started: bool = False  # some text was matched before this group
    ended: bool = False  # the end was, before this group
    text: bool = False  # some text is matched in this alternative, whatever happens
    end: bool = False  # the end is, in this alternative
    texts: list[bool] = field(default_factory=list)  # of the alternatives before
    ends: list[bool] = field(default_factory=list)

    def next_alternative(self) -> None:
        self.texts.append(self.text)
        self.ends.append(self.end)
        self.text = self.end = False


def dead_end(parts: Sequence[bytes]) -> str:
    """Why a part of an expression can never match; an empty text where nothing is wrong."""
    groups = [_Group()]
    for at, part in enumerate(parts):
        group = groups[-1]
        started, ended = group.started or group.text, group.ended or group.end
        is_needed = at + 1 == len(parts) or not _may_be_absent(parts[at + 1])
        if part == b"(":
            groups.append(_Group(started, ended))
        elif part == b"|":
            group.next_alternative()
        elif part == b")":
            group.next_alternative()
            groups.pop()
            if is_needed:
                groups[-1].text |= all(group.texts)
                groups[-1].end |= all(group.ends)
        elif part == BEGIN and started:
            return BEFORE_BEGIN
        elif part == END:
            group.end = True
        elif is_needed and _is_atom(part):
            if ended:
                return BEHIND_END
            group.text = True
    return ""


def _is_atom(part: bytes) -> bool:
    """Whether a part matches at least one byte; what was repeated twice may match none."""
    return part not in _WITHOUT_WIDTH and part[:1] not in b"*+?{" and not part.startswith(b"(?:")


def _may_be_absent(part: bytes) -> bool:
    return part in (b"*", b"?") or part.startswith((b"{0,", b"{0}"))
