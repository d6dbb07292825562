"""Message summaries (RFC 3842 section 5): whether messages wait, and how many of each kind.

Rules:
1. A summary is checked, never rewritten: watchers get the body that was published.
2. Lines end with CRLF. The status line is the first; behind an empty line stand headers of single messages,
   which are free. Names and `yes` or `no` are read in any case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from openpy.documents.xml import DocumentError

CONTENT_TYPE = "application/simple-message-summary"

CONTEXT_CLASSES = frozenset(
    {
        *("voice-message", "video-message", "fax-message", "pager-message"),
        *("multimedia-message", "text-message", "none"),
    }
)
"""The kinds of messages that are sure to be counted (RFC 3458); other names may be headers."""

_LIMIT = 2**32 - 1
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_HEADER = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*:[ \t]*(.*)", re.DOTALL)
_NUMBER = r"[ \t]*([0-9]{1,10})[ \t]*"
_COUNTS = re.compile(rf"{_NUMBER}/{_NUMBER}(?:\({_NUMBER}/{_NUMBER}\)[ \t]*)?", re.ASCII)


class Counts(NamedTuple):
    """How many messages of a kind are new and old, and how many of those are urgent (None: not told)."""

    new: int
    old: int
    urgent_new: int | None = None
    urgent_old: int | None = None


class Summary(NamedTuple):
    """A summary that was read. `counts` is by context class in lower case, `others` are further headers."""

    waiting: bool
    account: str | None
    counts: Mapping[str, Counts]
    others: tuple[tuple[str, str], ...]


def parse(body: bytes) -> Summary:
    """Read a summary; raises DocumentError for what is none."""
    summary, _, messages = _decoded(body).partition("\r\n\r\n")
    lines = _unfolded(summary.removesuffix("\r\n"))
    waiting = _status(lines[0])
    account: str | None = None
    counts: dict[str, Counts] = {}
    others: list[tuple[str, str]] = []
    for line in lines[1:]:
        name, value = _header(line)
        kind = name.lower()
        if kind == "messages-waiting" or (kind == "message-account" and account is not None):
            raise DocumentError(f"{name} twice")
        if kind == "message-account":
            account = _account(value)
        elif (found := _COUNTS.fullmatch(value)) is not None:
            counts[kind] = _counts(found)
        elif kind in CONTEXT_CLASSES:
            raise DocumentError(f"{name} does not count new and old messages")
        else:
            others.append((name, value))
    for line in _unfolded(messages):
        if line:
            others.append(_header(line))
    return Summary(waiting, account, counts, tuple(others))


def empty(account: str) -> bytes:
    """The summary of a mailbox without messages; `account` is its URI, or "" to leave it unsaid."""
    status = "Messages-Waiting: no\r\n"
    if not account:
        return status.encode()
    return f"{status}Message-Account: {_CONTROL.sub('', account)}\r\n".encode("utf-8", "replace")


def _decoded(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise DocumentError("the summary is not UTF-8") from None
    if not text.endswith("\r\n"):
        raise DocumentError("the last line does not end with CRLF")
    if _CONTROL.search(text.replace("\r\n", "")):
        raise DocumentError("control characters in the summary")
    return text


def _unfolded(text: str) -> list[str]:
    """The lines of `text`; a line that begins with a blank belongs to the one before."""
    lines: list[str] = []
    for line in text.split("\r\n"):
        if line[:1] in (" ", "\t") and lines:
            lines[-1] += " " + line.strip(" \t")
        else:
            lines.append(line)
    return lines


def _header(line: str) -> tuple[str, str]:
    found = _HEADER.fullmatch(line)
    if found is None:
        raise DocumentError("a line of the summary is no header")
    return found[1], found[2].rstrip(" \t")


def _status(line: str) -> bool:
    name, value = _header(line)
    if name.lower() != "messages-waiting":
        raise DocumentError("the first line is not Messages-Waiting")
    answer = value.lower()
    if answer not in ("yes", "no"):
        raise DocumentError("Messages-Waiting is neither yes nor no")
    return answer == "yes"


def _account(value: str) -> str:
    scheme, colon, rest = value.partition(":")
    if not (scheme and colon and rest) or " " in value:
        raise DocumentError("Message-Account is no URI")
    return value


def _counts(found: re.Match[str]) -> Counts:
    numbers = [None if digits is None else int(digits) for digits in found.groups()]
    if any(number is not None and number > _LIMIT for number in numbers):
        raise DocumentError("more messages than RFC 3842 can count")
    new, old, urgent_new, urgent_old = numbers
    return Counts(new or 0, old or 0, urgent_new, urgent_old)
