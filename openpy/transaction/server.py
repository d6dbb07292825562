"""Server transactions: RFC 3261 section 17.2."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from openpy.sip.errors import LocalError
from openpy.sip.message import Request
from openpy.transaction.flow import Flow
from openpy.transaction.machines import INVITE_SERVER, NON_INVITE_SERVER, Action, Event, State
from openpy.transaction.timers import TimerValues
from openpy.transaction.transaction import Common, Counts, Transaction
from openpy.transaction.wheel import Wheel

ROOM = 1000
"""Transactions that give way at once."""

LOOKED_AT = 4 * ROOM
"""Of the oldest. If none of these can give way, there is no room."""


class ServerSide(Common):
    """All server transactions of one layer, by key."""

    __slots__ = ("transactions",)

    def __init__(self, wheel: Wheel, timers: TimerValues, counts: Counts) -> None:
        super().__init__(wheel, timers, counts)
        self.transactions: dict[str, ServerTransaction] = {}

    def make_room(self) -> int:
        """End the oldest transactions that only absorb retransmissions; return how many that were.

        Many at once: a dictionary has to look for its first entry, and so it does seldom.
        """
        oldest = list(islice(self.transactions.values(), LOOKED_AT))
        idle = [transaction for transaction in oldest if transaction.absorbs_only][:ROOM]
        for transaction in idle:
            transaction.forget()
        self.counts.given_up += len(idle)
        return len(idle)


class ServerTransaction(Transaction[ServerSide]):
    """One request that came in, and its replies.

    `status` and `data` are the last reply's (0 and empty before the first); `owner` is the transaction
    user's own, and its `over()` is called once when the transaction is; `on_end` is too. Its `answered()` is called by
    whoever answers in its place.
    """

    __slots__ = ("_request", "data", "key", "on_end", "owner", "status")

    def __init__(self, side: ServerSide, key: str, request: Request, flow: Flow) -> None:
        super().__init__(side, INVITE_SERVER if request.method == "INVITE" else NON_INVITE_SERVER, flow)
        self._request: Request | None = request
        self.key = key
        self.status = 0
        self.data = b""
        self.owner: Any = None
        self.on_end: Callable[[ServerTransaction], None] | None = None

    @property
    def request(self) -> Request:
        """The request. It is let go with the final reply; raises LocalError after that."""
        if self._request is None:
            raise LocalError("the request of a finished transaction is gone")
        return self._request

    @property
    def is_invite(self) -> bool:
        """Whether this is an INVITE transaction."""
        return self._machine is INVITE_SERVER

    @property
    def finished(self) -> bool:
        """Whether a final reply was sent, or none will be."""
        return self.state is not State.TRYING and self.state is not State.PROCEEDING

    @property
    def absorbs_only(self) -> bool:
        """Whether nothing is missing if it ends now but an answer to retransmissions of its request."""
        return self._machine is NON_INVITE_SERVER and self.state is State.COMPLETED

    def at_end(self, callback: Callable[[ServerTransaction], None]) -> None:
        """Call `callback` too when the transaction is over."""
        before = self.on_end
        self.on_end = callback if before is None else _Both(before, callback)

    def forget(self) -> None:
        """End before its time."""
        self.state = State.TERMINATED
        self._leave()

    def reply(self, status: int, data: bytes) -> bool:
        """Send a reply; False (and nothing sent) if the state allows none.

        An INVITE that was accepted takes further 2xx (RFC 6026): other branches', or the same again.
        """
        if status < 200:
            event = Event.REPLY_1XX
        elif status < 300:
            event = Event.REPLY_2XX
        else:
            event = Event.REPLY_FAILURE
        step = self._machine.table.get((self.state, event))
        if step is None:
            return False
        self.status = status
        self.data = data
        if status >= 200:
            self._request = None
        self._take(step)
        return True

    def receive_again(self) -> None:
        """Take a retransmission of the request."""
        self.happen(Event.REQUEST)

    def happen(self, event: Event) -> None:
        """Let `event` happen to the machine."""
        step = self._machine.table.get((self.state, event))
        if step is not None:
            self._take(step)

    def passes_ack(self) -> bool:
        """Take an ACK; return whether it is the transaction user's (it acknowledges a 2xx)."""
        step = self._machine.table.get((self.state, Event.ACK))
        if step is None:
            return False
        self._take(step)
        return Action.PASS in step[1]

    def release(self) -> None:
        """Expect no final reply: end at once, or after a while if a provisional one was sent."""
        self.happen(Event.RELEASE if self.status else Event.DROP)

    def absorb(self) -> None:
        """Expect no final reply, but go on to absorb the repetitions of a request whose sender still waits."""
        self.happen(Event.RELEASE)

    def _take(self, step: tuple[State, tuple[Action, ...]]) -> None:
        self.state, actions = step
        if self.state is _TERMINATED:
            self._leave()
        for action in actions:
            _PERFORM[action](self, action)

    def _leave(self) -> None:
        self._disarm()
        del self._side.transactions[self.key]
        self._request = None
        on_end, self.on_end = self.on_end, None
        if on_end is not None:
            on_end(self)
        owner, self.owner = self.owner, None
        if owner is not None:
            owner.over()

    def _send(self, _: Action) -> None:
        self.flow.send(self.data)

    def _resend(self, _: Action) -> None:
        if self.data:
            self._side.counts.retransmissions_sent += 1
            self.flow.send(self.data)

    def _count_timeout(self, _: Action) -> None:
        self._side.counts.timeouts += 1

    def _nothing(self, _: Action) -> None:
        """The caller reads from the step that the ACK is to be passed on."""


class _Both:
    """Calls two at the end of a transaction, in the order in which they asked for it."""

    __slots__ = ("_first", "_second")

    def __init__(
        self, first: Callable[[ServerTransaction], None], second: Callable[[ServerTransaction], None]
    ) -> None:
        self._first = first
        self._second = second

    def __call__(self, transaction: ServerTransaction) -> None:
        self._first(transaction)
        self._second(transaction)


_TERMINATED = State.TERMINATED

_PERFORM: dict[Action, Callable[[ServerTransaction, Action], None]] = {
    Action.SEND: ServerTransaction._send,
    Action.RESEND: ServerTransaction._resend,
    Action.PASS: ServerTransaction._nothing,
    Action.TELL_TIMEOUT: ServerTransaction._count_timeout,
    Action.START_G_H: ServerTransaction._repeat,
    Action.DOUBLE_G: ServerTransaction._double_to_t2,
    Action.START_I: ServerTransaction._wait,
    Action.START_J: ServerTransaction._wait,
    Action.START_L: ServerTransaction._wait,
}
