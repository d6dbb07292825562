"""The four state machines of RFC 3261 section 17, with the Accepted state of RFC 6026, as tables.

Rules:
1. A table maps (state, event) to (next state, actions). A pair that is not in it changes nothing; nothing
   else in this package decides what happens in a state.
2. Actions are performed in order. Timers are set before a message leaves, because a flow may bring the answer
   before `send` returns. `PASS` and the `TELL_` actions hand over to the transaction user, who may act on the
   transaction at once: they stand last.
3. Entering TERMINATED stops the timers and takes the transaction out of its table, before the actions.
4. A transaction waits with one timer: starting one replaces what ran before. Where the RFC runs two (A and
   B, E and F, G and H), the first repeats the message until the second ends the wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto


class State(IntEnum):
    """The states of all four machines."""

    CALLING = auto()
    TRYING = auto()
    PROCEEDING = auto()
    ACCEPTED = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    TERMINATED = auto()


class Event(IntEnum):
    """What can happen to a transaction."""

    REQUEST = auto()
    """Server: the request arrived again."""
    ACK = auto()
    REPLY_1XX = auto()
    """Client: such a reply arrived. Server: the transaction user sends one."""
    REPLY_2XX = auto()
    REPLY_FAILURE = auto()
    """3xx to 6xx."""
    CANCEL = auto()
    """Client: the transaction user takes the INVITE back."""
    RELEASE = auto()
    """Server: the transaction user will send no final reply, but the request may be repeated."""
    DROP = auto()
    """The transaction user gives up: server, before any reply; client, before the final one."""
    TRANSPORT_ERROR = auto()
    TIMER_A = auto()
    TIMER_B = auto()
    TIMER_D = auto()
    TIMER_E = auto()
    TIMER_F = auto()
    TIMER_G = auto()
    TIMER_H = auto()
    TIMER_I = auto()
    TIMER_J = auto()
    TIMER_K = auto()
    TIMER_L = auto()
    TIMER_M = auto()
    CANCEL_TIMEOUT = auto()
    """No final reply within 64*T1 of the CANCEL (RFC 3261 section 9.1)."""


class Action(IntEnum):
    """What a transaction does about it."""

    SEND = auto()
    """Send the message of this event: the request, or the reply that the transaction user gives."""
    RESEND = auto()
    """Send the last message again, if there is one."""
    SEND_ACK = auto()
    SEND_CANCEL = auto()
    HOLD_CANCEL = auto()
    """Remember to send the CANCEL after the first provisional reply."""
    SEND_HELD_CANCEL = auto()
    PASS = auto()
    """Hand the message to the transaction user."""
    TELL_TIMEOUT = auto()
    TELL_TRANSPORT_ERROR = auto()
    STOP_TIMER = auto()
    START_A_B = auto()
    START_E_F = auto()
    START_G_H = auto()
    DOUBLE_A = auto()
    """Wait twice as long as last time."""
    DOUBLE_E = auto()
    """Wait twice as long as last time, at most T2."""
    DOUBLE_G = auto()
    """Wait twice as long as last time, at most T2."""
    E_AT_T2 = auto()
    START_D = auto()
    START_I = auto()
    START_J = auto()
    START_K = auto()
    START_L = auto()
    START_M = auto()
    START_CANCEL_TIMEOUT = auto()


Table = dict[tuple[State, Event], tuple[State, tuple[Action, ...]]]

TIMERS: dict[Action, tuple[Event, Event]] = {
    Action.START_A_B: (Event.TIMER_A, Event.TIMER_B),
    Action.START_E_F: (Event.TIMER_E, Event.TIMER_F),
    Action.START_G_H: (Event.TIMER_G, Event.TIMER_H),
    Action.START_D: (Event.TIMER_D, Event.TIMER_D),
    Action.START_I: (Event.TIMER_I, Event.TIMER_I),
    Action.START_J: (Event.TIMER_J, Event.TIMER_J),
    Action.START_K: (Event.TIMER_K, Event.TIMER_K),
    Action.START_L: (Event.TIMER_L, Event.TIMER_L),
    Action.START_M: (Event.TIMER_M, Event.TIMER_M),
    Action.START_CANCEL_TIMEOUT: (Event.CANCEL_TIMEOUT, Event.CANCEL_TIMEOUT),
}
"""What a timer brings: while the wait lasts, and at its end."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: where it starts, what it does there, and its table."""

    name: str
    start: State
    opening: tuple[Action, ...]
    table: Table


_S, _E, _A = State, Event, Action

INVITE_CLIENT = Machine(
    "INVITE client",
    _S.CALLING,
    (_A.START_A_B, _A.SEND),
    {
        (_S.CALLING, _E.TIMER_A): (_S.CALLING, (_A.DOUBLE_A, _A.RESEND)),
        (_S.CALLING, _E.TIMER_B): (_S.TERMINATED, (_A.TELL_TIMEOUT,)),
        (_S.CALLING, _E.TRANSPORT_ERROR): (_S.TERMINATED, (_A.TELL_TRANSPORT_ERROR,)),
        (_S.CALLING, _E.CANCEL): (_S.CALLING, (_A.HOLD_CANCEL,)),
        (_S.CALLING, _E.DROP): (_S.TERMINATED, ()),
        (_S.CALLING, _E.REPLY_1XX): (_S.PROCEEDING, (_A.STOP_TIMER, _A.SEND_HELD_CANCEL, _A.PASS)),
        (_S.CALLING, _E.REPLY_2XX): (_S.ACCEPTED, (_A.START_M, _A.PASS)),
        (_S.CALLING, _E.REPLY_FAILURE): (_S.COMPLETED, (_A.START_D, _A.SEND_ACK, _A.PASS)),
        (_S.PROCEEDING, _E.REPLY_1XX): (_S.PROCEEDING, (_A.PASS,)),
        (_S.PROCEEDING, _E.REPLY_2XX): (_S.ACCEPTED, (_A.START_M, _A.PASS)),
        (_S.PROCEEDING, _E.REPLY_FAILURE): (_S.COMPLETED, (_A.START_D, _A.SEND_ACK, _A.PASS)),
        (_S.PROCEEDING, _E.CANCEL): (_S.PROCEEDING, (_A.START_CANCEL_TIMEOUT, _A.SEND_CANCEL)),
        (_S.PROCEEDING, _E.CANCEL_TIMEOUT): (_S.TERMINATED, (_A.TELL_TIMEOUT,)),
        (_S.PROCEEDING, _E.TRANSPORT_ERROR): (_S.TERMINATED, (_A.TELL_TRANSPORT_ERROR,)),
        (_S.PROCEEDING, _E.DROP): (_S.TERMINATED, ()),
        (_S.ACCEPTED, _E.REPLY_2XX): (_S.ACCEPTED, (_A.PASS,)),
        (_S.ACCEPTED, _E.TIMER_M): (_S.TERMINATED, ()),
        (_S.COMPLETED, _E.REPLY_FAILURE): (_S.COMPLETED, (_A.RESEND,)),
        (_S.COMPLETED, _E.TIMER_D): (_S.TERMINATED, ()),
    },
)
"""RFC 3261 figure 5 and RFC 6026 figure 3. In COMPLETED the last message is the ACK.

The loss of a connection ends PROCEEDING too: no reply can come any more.
"""

NON_INVITE_CLIENT = Machine(
    "non-INVITE client",
    _S.TRYING,
    (_A.START_E_F, _A.SEND),
    {
        (_S.TRYING, _E.TIMER_E): (_S.TRYING, (_A.DOUBLE_E, _A.RESEND)),
        (_S.TRYING, _E.TIMER_F): (_S.TERMINATED, (_A.TELL_TIMEOUT,)),
        (_S.TRYING, _E.TRANSPORT_ERROR): (_S.TERMINATED, (_A.TELL_TRANSPORT_ERROR,)),
        (_S.TRYING, _E.REPLY_1XX): (_S.PROCEEDING, (_A.PASS,)),
        (_S.TRYING, _E.REPLY_2XX): (_S.COMPLETED, (_A.START_K, _A.PASS)),
        (_S.TRYING, _E.REPLY_FAILURE): (_S.COMPLETED, (_A.START_K, _A.PASS)),
        (_S.TRYING, _E.DROP): (_S.TERMINATED, ()),
        (_S.PROCEEDING, _E.TIMER_E): (_S.PROCEEDING, (_A.E_AT_T2, _A.RESEND)),
        (_S.PROCEEDING, _E.TIMER_F): (_S.TERMINATED, (_A.TELL_TIMEOUT,)),
        (_S.PROCEEDING, _E.TRANSPORT_ERROR): (_S.TERMINATED, (_A.TELL_TRANSPORT_ERROR,)),
        (_S.PROCEEDING, _E.REPLY_1XX): (_S.PROCEEDING, (_A.PASS,)),
        (_S.PROCEEDING, _E.REPLY_2XX): (_S.COMPLETED, (_A.START_K, _A.PASS)),
        (_S.PROCEEDING, _E.REPLY_FAILURE): (_S.COMPLETED, (_A.START_K, _A.PASS)),
        (_S.PROCEEDING, _E.DROP): (_S.TERMINATED, ()),
        (_S.COMPLETED, _E.TIMER_K): (_S.TERMINATED, ()),
    },
)
"""RFC 3261 figure 6."""

INVITE_SERVER = Machine(
    "INVITE server",
    _S.PROCEEDING,
    (),
    {
        (_S.PROCEEDING, _E.REQUEST): (_S.PROCEEDING, (_A.RESEND,)),
        (_S.PROCEEDING, _E.REPLY_1XX): (_S.PROCEEDING, (_A.SEND,)),
        (_S.PROCEEDING, _E.REPLY_2XX): (_S.ACCEPTED, (_A.START_L, _A.SEND)),
        (_S.PROCEEDING, _E.REPLY_FAILURE): (_S.COMPLETED, (_A.START_G_H, _A.SEND)),
        (_S.PROCEEDING, _E.RELEASE): (_S.CONFIRMED, (_A.START_I,)),
        (_S.PROCEEDING, _E.DROP): (_S.TERMINATED, ()),
        (_S.ACCEPTED, _E.REPLY_2XX): (_S.ACCEPTED, (_A.SEND,)),
        (_S.ACCEPTED, _E.ACK): (_S.ACCEPTED, (_A.PASS,)),
        (_S.ACCEPTED, _E.TIMER_L): (_S.TERMINATED, ()),
        (_S.COMPLETED, _E.REQUEST): (_S.COMPLETED, (_A.RESEND,)),
        (_S.COMPLETED, _E.TIMER_G): (_S.COMPLETED, (_A.DOUBLE_G, _A.RESEND)),
        (_S.COMPLETED, _E.ACK): (_S.CONFIRMED, (_A.START_I,)),
        (_S.COMPLETED, _E.TIMER_H): (_S.TERMINATED, (_A.TELL_TIMEOUT,)),
        (_S.CONFIRMED, _E.TIMER_I): (_S.TERMINATED, ()),
    },
)
"""RFC 3261 figure 7 and RFC 6026 figure 2. The 100 after 200 ms is the transaction user's."""

NON_INVITE_SERVER = Machine(
    "non-INVITE server",
    _S.TRYING,
    (),
    {
        (_S.TRYING, _E.REPLY_1XX): (_S.PROCEEDING, (_A.SEND,)),
        (_S.TRYING, _E.REPLY_2XX): (_S.COMPLETED, (_A.START_J, _A.SEND)),
        (_S.TRYING, _E.REPLY_FAILURE): (_S.COMPLETED, (_A.START_J, _A.SEND)),
        (_S.TRYING, _E.RELEASE): (_S.COMPLETED, (_A.START_J,)),
        (_S.TRYING, _E.DROP): (_S.TERMINATED, ()),
        (_S.PROCEEDING, _E.REQUEST): (_S.PROCEEDING, (_A.RESEND,)),
        (_S.PROCEEDING, _E.REPLY_1XX): (_S.PROCEEDING, (_A.SEND,)),
        (_S.PROCEEDING, _E.REPLY_2XX): (_S.COMPLETED, (_A.START_J, _A.SEND)),
        (_S.PROCEEDING, _E.REPLY_FAILURE): (_S.COMPLETED, (_A.START_J, _A.SEND)),
        (_S.PROCEEDING, _E.RELEASE): (_S.COMPLETED, (_A.START_J,)),
        (_S.COMPLETED, _E.REQUEST): (_S.COMPLETED, (_A.RESEND,)),
        (_S.COMPLETED, _E.TIMER_J): (_S.TERMINATED, ()),
    },
)
"""RFC 3261 figure 8. In TRYING a repeated request is absorbed."""
