"""The two sides of an error: theirs and ours."""

from __future__ import annotations


class SipError(Exception):
    """Base of everything this package raises."""


class RemoteError(SipError):
    """The peer sent something wrong.

    `status` and `reason` are those to answer a request with; `headers` are (name, value) pairs
    to add to that answer.
    """

    def __init__(self, status: int, reason: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.headers = headers


class LocalError(SipError):
    """We were about to send something wrong: a bug or a wrong argument on our side."""
