"""Client transactions: RFC 3261 section 17.1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from openpy.sip.build import ack_for, cancel_for
from openpy.sip.message import Response
from openpy.transaction.flow import Flow
from openpy.transaction.keys import client_key
from openpy.transaction.machines import INVITE_CLIENT, NON_INVITE_CLIENT, Action, Event, State
from openpy.transaction.timers import TimerValues
from openpy.transaction.transaction import Common, Counts, Transaction
from openpy.transaction.wheel import Wheel

K = TypeVar("K", str, bytes)
T = TypeVar("T", bound="ClientTransaction")


class ClientOwner(Protocol):
    """The transaction user: who sent the request and waits for what becomes of it.

    At most one of a final reply, `on_timeout` and `on_transport_error` comes; an INVITE may bring several
    2xx.
    """

    def on_reply(self, transaction: ClientTransaction, response: Response) -> None:
        """Take a reply: each provisional one, the final one, and further 2xx to an INVITE."""
        ...

    def on_timeout(self, transaction: ClientTransaction) -> None:
        """No final reply came in time."""
        ...

    def on_transport_error(self, transaction: ClientTransaction) -> None:
        """The connection was lost before a final reply."""
        ...


class NotifyOwner(ClientOwner, Protocol):
    """Who sends NOTIFYs: a plain 200 comes without a message."""

    def on_ok(self, transaction: NotifyTransaction) -> None:
        """The NOTIFY was answered by a plain 200."""
        ...


class ClientSide(Common, Generic[K, T]):
    """Client transactions by key, and those over each connection."""

    __slots__ = ("on_flow", "transactions")

    def __init__(self, wheel: Wheel, timers: TimerValues, counts: Counts) -> None:
        super().__init__(wheel, timers, counts)
        self.transactions: dict[K, T] = {}
        self.on_flow: dict[int, dict[T, None]] = {}
        """By identity of a reliable flow (its transactions keep it alive)."""

    def flow_failed(self, flow: Flow) -> None:
        """Tell every transaction on this connection that it is lost."""
        for transaction in list(self.on_flow.get(id(flow), ())):
            transaction.happen(Event.TRANSPORT_ERROR)


class ClientTransaction(Transaction[ClientSide[Any, Any]]):
    """One request that was sent, and what comes back.

    `data` is what is sent, and sent again: the request; once an INVITE has failed, its ACK.
    """

    __slots__ = ("_cancel_held", "_key", "_owner", "data")

    def __init__(
        self,
        side: ClientSide[Any, Any],
        key: str | bytes,
        is_invite: bool,
        data: bytes,
        flow: Flow,
        owner: ClientOwner,
    ) -> None:
        super().__init__(side, INVITE_CLIENT if is_invite else NON_INVITE_CLIENT, flow)
        self._key = key
        self._owner: ClientOwner | None = owner
        self._cancel_held = False
        self.data = data

    @property
    def branch(self) -> str:
        """The branch of the request's top Via."""
        if isinstance(self._key, bytes):
            return self._key.decode("ascii")
        return self._key.partition(" ")[0]

    @property
    def is_invite(self) -> bool:
        """Whether this is an INVITE transaction."""
        return self._machine is INVITE_CLIENT

    def start(self, timeout: float = 0.0) -> None:
        """Send the request. `timeout` (seconds) replaces Timer B or F."""
        side = self._side
        side.transactions[self._key] = self
        side.counts.client_created += 1
        if self.flow.reliable:
            side.on_flow.setdefault(id(self.flow), {})[self] = None
        for action in self._machine.opening:
            _PERFORM[action](self, action, None)
        if timeout and self.state < State.ACCEPTED:
            self._deadline = side.wheel.now + timeout
            self._arm(min(self._interval or timeout, timeout))

    def receive(self, response: Response) -> None:
        """Take a reply to this request."""
        status = response.status
        if status < 200:
            event = Event.REPLY_1XX
        elif status < 300:
            event = Event.REPLY_2XX
        else:
            event = Event.REPLY_FAILURE
        if not self._take(event, response):
            self._side.counts.retransmissions_received += 1

    def cancel(self) -> None:
        """Take an INVITE back (RFC 3261 section 9.1).

        The CANCEL leaves at once if a provisional reply has come, otherwise after the first one. Other
        requests, and those with a final reply, cannot be taken back: nothing happens.
        """
        if not self._cancel_held:
            self._take(Event.CANCEL)

    def drop(self) -> None:
        """Expect no more; the owner hears nothing further unless a final reply has come already."""
        self._take(Event.DROP)

    def happen(self, event: Event) -> None:
        """Let an event that brings no message happen to the machine."""
        self._take(event)

    def _take(self, event: Event, response: Response | None = None) -> bool:
        step = self._machine.table.get((self.state, event))
        if step is None:
            return False
        self.state, actions = step
        owner = self._owner
        if self.state is State.TERMINATED:
            self._leave()
        for action in actions:
            perform = _PERFORM.get(action)
            if perform is not None:
                perform(self, action, response)
            elif owner is not None:
                self._tell(owner, action, response)
        return True

    def _tell(self, owner: ClientOwner, action: Action, response: Response | None) -> None:
        if response is not None:
            owner.on_reply(self, response)
        elif action is Action.TELL_TIMEOUT:
            self._side.counts.timeouts += 1
            owner.on_timeout(self)
        else:
            owner.on_transport_error(self)

    def _leave(self) -> None:
        self._disarm()
        side = self._side
        del side.transactions[self._key]
        self._owner = None
        if self.flow.reliable:
            on_flow = side.on_flow[id(self.flow)]
            del on_flow[self]
            if not on_flow:
                del side.on_flow[id(self.flow)]

    # Performers of actions

    def _send(self, _: Action, __: object) -> None:
        self.flow.send(self.data)

    def _resend(self, _: Action, __: object) -> None:
        self._side.counts.retransmissions_sent += 1
        self.flow.send(self.data)

    def _send_ack(self, _: Action, response: Response | None) -> None:
        assert response is not None
        self.data = ack_for(self.data, response)
        self.flow.send(self.data)

    def _hold_cancel(self, _: Action, __: object) -> None:
        self._cancel_held = True

    def _send_held_cancel(self, _: Action, __: object) -> None:
        if self._cancel_held:
            self._take(Event.CANCEL)

    def _send_cancel(self, _: Action, __: object) -> None:
        self._cancel_held = True
        key = client_key(self.branch, "CANCEL")
        if key not in self._side.transactions:  # the user may have sent one by hand
            ClientTransaction(
                self._side, key, False, cancel_for(self.data), self.flow, _Unconcerned()
            ).start()


class NotifyTransaction(ClientTransaction):
    """A NOTIFY of ours, kept by the bytes of its branch."""

    __slots__ = ()

    def complete(self) -> None:
        """A plain 200 was recognised: COMPLETED, and with nothing to absorb, over."""
        owner: NotifyOwner | None = self._owner  # type: ignore[assignment]  # whoever sends NOTIFYs is one
        self.state = State.TERMINATED
        self._leave()
        if owner is not None:
            owner.on_ok(self)


class _Unconcerned:
    """The owner of a CANCEL: what counts is the reply to the INVITE."""

    __slots__ = ()

    def on_reply(self, transaction: ClientTransaction, response: Response) -> None:
        """Nothing to do."""

    def on_timeout(self, transaction: ClientTransaction) -> None:
        """Nothing to do: the INVITE has a timeout of its own."""

    def on_transport_error(self, transaction: ClientTransaction) -> None:
        """Nothing to do: the INVITE is told too."""


_PERFORM: dict[Action, Callable[[ClientTransaction, Action, Response | None], None]] = {
    Action.SEND: ClientTransaction._send,
    Action.RESEND: ClientTransaction._resend,
    Action.SEND_ACK: ClientTransaction._send_ack,
    Action.SEND_CANCEL: ClientTransaction._send_cancel,
    Action.HOLD_CANCEL: ClientTransaction._hold_cancel,
    Action.SEND_HELD_CANCEL: ClientTransaction._send_held_cancel,
    Action.STOP_TIMER: ClientTransaction._stop,
    Action.START_A_B: ClientTransaction._repeat,
    Action.START_E_F: ClientTransaction._repeat,
    Action.DOUBLE_A: ClientTransaction._double,
    Action.DOUBLE_E: ClientTransaction._double_to_t2,
    Action.E_AT_T2: ClientTransaction._repeat_at_t2,
    Action.START_D: ClientTransaction._wait,
    Action.START_K: ClientTransaction._wait,
    Action.START_M: ClientTransaction._wait,
    Action.START_CANCEL_TIMEOUT: ClientTransaction._wait,
}
