"""What happened in a scenario, written so that two runs of it can be compared.

Rules:
1. What chance has made (tags, entity-tags, Call-IDs, branches, ports, made-up ids) is called by its kind and a number,
   in the order in which it is first met: one value has one name, in messages and in rows.
2. Times are told as what is left of them, in minutes.
3. Everything else stands as it came, in its order.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.scenarios.message import SipMessage
from tests.scenarios.wire import Phone

CHANCE = (
    ("tag", re.compile(r"(?<=;tag=)[^;>\s]+")),
    ("etag", re.compile(r"(?<=SIP-ETag: )\S+")),
    ("call", re.compile(r"(?<=Call-ID: )\S+")),
    ("branch", re.compile(r"(?<=;branch=)[^;\s]+")),
    ("tuple", re.compile(r'(?<=<tuple id="t)[0-9a-f]{8}(?=")')),  # of a polite block
    ("port", re.compile(r"(?<=127\.0\.0\.1:)\d+|(?<=;rport=)\d+")),
)

SECONDS = re.compile(r'(?<=;expires=)\d+|(?<=Expires: )\d+|(?<=expiration=")\d+')

TIMES = frozenset({"expires", "received_time", "inserted_time", "ended"})
"""Columns that hold a Unix time."""


class Transcript:
    """The lines of one run."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def message(self, to: str, message: SipMessage) -> None:
        """What a phone has received."""
        head = [message.start, *(f"{name}: {value}" for name, value in message.headers)]
        self.lines += [f"{to} < {self._told(line)}" for line in head]
        self.lines += [f"{to} < {self._told(line)}" for line in message.body.decode().splitlines()]

    def row(self, table: str, row: Mapping[str, Any]) -> None:
        """What is in a table."""
        for column, value in row.items():
            if column != "id":
                told = _left(value) if column in TIMES else self._value(value)
                self.lines.append(f"{table}.{column} = {told}")

    def _value(self, value: Any) -> str:
        if isinstance(value, bytes | bytearray | memoryview):
            return f"octets {bytes(value)!r}"
        if isinstance(value, str):
            return f"text {self._names.get(value) or self._told(value)!r}"
        return repr(value)

    def _told(self, text: str) -> str:
        for kind, pattern in CHANCE:
            text = pattern.sub(self._namer(kind), text)
        return SECONDS.sub(lambda found: _minutes(float(found[0])), text)

    def _namer(self, kind: str) -> Callable[[re.Match[str]], str]:
        def name(found: re.Match[str]) -> str:
            if found[0] not in self._names:
                self._counts[kind] = self._counts.get(kind, 0) + 1
                self._names[found[0]] = f"<{kind} {self._counts[kind]}>"
            return self._names[found[0]]

        return name


def _left(value: float) -> str:
    return f"in {_minutes(value - time.time())}"


def _minutes(seconds: float) -> str:
    return f"{round(seconds / 60)} min"


class Witness(Phone):
    """A phone whose transcript has all that it waits for."""

    def __init__(self, server: tuple[str, int], user: str, transcript: Transcript) -> None:
        super().__init__(server, user)
        self._transcript = transcript

    def await_message(self, wanted: Callable[[SipMessage], bool], timeout: float = 5.0) -> SipMessage:
        message = super().await_message(wanted, timeout)
        self._transcript.message(self.user, message)
        return message
