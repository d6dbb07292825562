"""Which of several final replies goes upstream (RFC 3261 section 16.7 step 6, openser 1.3 module tm)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from openpy.sip.edits import Edits
from openpy.sip.message import Response

CHALLENGING = (401, 407)
CHALLENGES = ("WWW-Authenticate", "Proxy-Authenticate")
"""A reply that gathered those of several may have both, whatever its status."""


class Ended(Protocol):
    """A branch with its final reply; `response` is None where the reply was made here."""

    status: int
    response: Response | None


E = TypeVar("E", bound=Ended)


def best(branches: Iterable[E], *, is_invite: bool = True, cancelled: bool = False) -> E:
    """The branch whose reply is to be passed on: a 6xx, else the lowest; the first of equals.

    503 is a bad choice: it says something about one server only. Of a cancelled INVITE 487 is the best. Of another
    request silence is the worst: nobody would be told of it (RFC 4320 4.2), nor of what another branch has answered.
    """
    return min(branches, key=lambda branch: _rank(branch, is_invite=is_invite, cancelled=cancelled))


def _rank(branch: Ended, *, is_invite: bool, cancelled: bool) -> tuple[int, int]:
    status = branch.status
    if not is_invite and status == 408 and branch.response is None:
        return 4, status
    if cancelled and status == 487:
        return 0, status
    if status >= 600:
        return 1, status
    return (3 if status == 503 else 2), status


def passed_on(status: int) -> int:
    """What goes up for the status of the best branch: 500 for a 503, which is about one server, and not this one."""
    return 500 if status == 503 else status


def add_challenges(edits: Edits, chosen: Response, branches: Iterable[Ended]) -> None:
    """Let a challenge carry those of the other branches too, so that one answer serves them all (16.7 step 7)."""
    if chosen.status not in CHALLENGING:
        return
    for branch in branches:
        response = branch.response
        if response is None or response is chosen or response.status not in CHALLENGING:
            continue
        for name in CHALLENGES:
            for line in response.all(name):  # a list of values would split the parameters of a challenge
                edits.append_header(f"{name}: {line}\r\n")
