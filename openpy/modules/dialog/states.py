"""The states of a dialog (openser 1.3 module dialog, RFC 3261 section 12): a table, without I/O.

Rules:
1. A dialog begins with an INVITE, and is one once a 2xx has gone up. Before that it can only fail.
2. It ends with a BYE of either side, whatever that is answered, or with its time. Nothing begins it again.
3. A BYE before the 2xx ends nothing: the INVITE is still to be answered.
"""

from __future__ import annotations

from enum import Enum, IntEnum, auto


class State(IntEnum):
    """By the numbers that 1.3 gives them."""

    UNCONFIRMED = 1
    EARLY = 2
    ANSWERED = 3
    """A 2xx has gone up, and its ACK has not come yet."""
    CONFIRMED = 4
    ENDED = 5


class Event(Enum):
    """What moves a dialog."""

    PROVISIONAL = auto()
    ACCEPTED = auto()
    REFUSED = auto()
    """A failure went up, or nothing will."""
    ACKNOWLEDGED = auto()
    BYE = auto()
    TIMEOUT = auto()


LIVE = frozenset({State.ANSWERED, State.CONFIRMED})

_NEXT = {
    (State.UNCONFIRMED, Event.PROVISIONAL): State.EARLY,
    (State.UNCONFIRMED, Event.ACCEPTED): State.ANSWERED,
    (State.UNCONFIRMED, Event.REFUSED): State.ENDED,
    (State.EARLY, Event.ACCEPTED): State.ANSWERED,
    (State.EARLY, Event.REFUSED): State.ENDED,
    (State.ANSWERED, Event.ACKNOWLEDGED): State.CONFIRMED,
    (State.ANSWERED, Event.BYE): State.ENDED,
    (State.ANSWERED, Event.TIMEOUT): State.ENDED,
    (State.CONFIRMED, Event.BYE): State.ENDED,
    (State.CONFIRMED, Event.TIMEOUT): State.ENDED,
}


def after(state: State, event: Event) -> State | None:
    """The state that an event leads to; None: it changes nothing."""
    return _NEXT.get((state, event))
