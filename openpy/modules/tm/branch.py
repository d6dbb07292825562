"""One branch of a request: what was sent to one target, and what became of it (RFC 3261 section 16.7).

Rules:
1. A branch ends once: with a final reply, with the status that its silence or the loss of its connection stands for,
   or with 487 where the caller gave up before anything came. Only a 2xx to an INVITE may come after that.
2. Where a name led to several addresses, the next one is tried instead of ending with a 408 before any reply, a lost
   connection, or a 503 (RFC 3263 section 4.3): each time with a branch of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from openpy.engine.blacklists import Target
from openpy.engine.destinations import Destination, DestinationError, Ways
from openpy.engine.forward import request_to_send
from openpy.engine.run import Run
from openpy.engine.state import State
from openpy.engine.waiting import Stepper
from openpy.sip.message import Response
from openpy.transaction.client import ClientTransaction
from openpy.transaction.flow import Flow
from openpy.transaction.wheel import Timer

if TYPE_CHECKING:
    from openpy.engine.server import Server


class BranchOwner(Protocol):
    """Who forwards or makes the request: hears of every reply, and of the end of each branch."""

    def replied(self, branch: ClientBranch, response: Response) -> None:
        """A reply came."""
        ...

    def ended(self, branch: ClientBranch) -> None:
        """The branch is over; its `status` says how, and its `response` is None unless a reply ended it."""
        ...


class Outgoing:
    """What a branch sends: `written` gives the bytes for a way and the branch parameter of our Via."""

    __slots__ = ("method", "server", "state", "uri", "written")

    def __init__(
        self, server: Server, state: State, method: str, uri: str, written: Callable[[Flow, str], bytes]
    ) -> None:
        self.server = server
        self.state = state
        self.method = method
        self.uri = uri
        self.written = written


def relayed(run: Run) -> Outgoing:
    """The request of a run, with what its route changed."""
    return Outgoing(run.server, run.state, run.request.method, run.uri, partial(request_to_send, run))


class Patience:
    """Seconds to wait: `first` for a reply, `answer` for the next one after a provisional one to an INVITE.

    With `restart` each provisional reply begins the wait anew, else only the first, and a higher one from 180 on. With
    `only_first` no further address is tried.
    """

    __slots__ = ("answer", "first", "only_first", "restart")

    def __init__(
        self, first: float, answer: float, *, restart: bool = True, only_first: bool = False
    ) -> None:
        self.first = first
        self.answer = answer
        self.restart = restart
        self.only_first = only_first


class ClientBranch:
    """One branch; owner of its client transaction.

    `status` is that of its end, 0 before; `response` the reply that ended it, if one did. `uri` and `flags` are those
    that it was sent with, `was_answered` says whether a reply came from where it went last, `highest` is its highest
    provisional reply, `breadth` its share of how far the request spreads.
    """

    __slots__ = (
        "_method",
        "_owner",
        "_patience",
        "_server",
        "_timer",
        "_ways",
        "breadth",
        "cancelled",
        "client",
        "flags",
        "highest",
        "key",
        "response",
        "status",
        "uri",
        "was_answered",
    )

    def __init__(
        self, message: Outgoing, destination: Destination | None, owner: BranchOwner, patience: Patience
    ) -> None:
        """Without a destination the message is sent nowhere, and the branch only waits."""
        server, state = message.server, message.state
        self._server = server
        self._method = message.method
        self._owner = owner
        self._patience = patience
        self._timer: Timer | None = None
        self._ways: Ways | None = None
        if destination is not None:
            written = partial(self._written, message.written)
            self._ways = Ways(server, state, destination, written, only_first=patience.only_first)
        self.uri = message.uri
        self.flags = state.branch_flags
        self.breadth = 0
        self.key = ""
        self.client: ClientTransaction | None = None
        self.status = 0
        self.highest = 0
        self.response: Response | None = None
        self.was_answered = False
        self.cancelled = False

    def send_at_once(self) -> bool:
        """Send the request where nothing has to be waited for; False: nothing was sent, `send` does it."""
        assert self._ways is not None
        way = self._ways.at_once()
        if way is None:
            return False
        self._ways = None
        self._begin(*way)
        return True

    async def send(self) -> None:
        """Send the request by the next way; raises DestinationError where there is none.

        Nothing is sent if it ended or was cancelled while a name was looked up or a connection was made.
        """
        ways = self._ways
        assert ways is not None
        try:
            flow, data = await ways.next()
        except DestinationError:
            self._ways = None  # they know us: the two would keep each other alive
            if self.status or self.cancelled:
                return
            raise
        if self.status or self.cancelled:
            return
        if not ways.has_more:
            self._ways = None
        self._begin(flow, data)

    def _begin(self, flow: Flow, data: bytes) -> None:
        self.client = self._server.transactions.create_client(
            data, self.key, self._method, flow, self, self._patience.first
        )

    def wait(self) -> None:
        """Wait as long as for a reply, for what somebody else will answer."""
        self._arm(self._patience.first)

    def cancel(self) -> None:
        """Take the INVITE back (after its first provisional reply, RFC 3261 9.1)."""
        self.cancelled = True
        self._ways = None
        if self.client is not None:
            self.client.cancel()

    def end(self, status: int, response: Response | None = None) -> None:
        """It is over, unless it is already, and the owner hears of it."""
        if self.conclude(status, response):
            self._owner.ended(self)

    def conclude(self, status: int, response: Response | None = None) -> bool:
        """It is over; False if it was already."""
        self._disarm()
        self._ways = None
        if self.status:
            return False
        self.status = status
        self.response = response
        return True

    def drop(self) -> None:
        """Expect nothing more, and tell nobody."""
        self._disarm()
        self._ways = None
        self.status = self.status or 487
        if self.client is not None:
            self.client.drop()

    # --- what the client transaction tells --------------------------------------------------------------------

    def on_reply(self, transaction: ClientTransaction, response: Response) -> None:
        """Take a reply."""
        status = response.status
        self.was_answered = True
        if status < 200:
            if transaction.is_invite and not self.status and self._renews(status):
                self._arm(self._patience.answer)
            self.highest = max(self.highest, status)
        else:
            self._disarm()
            if status == 503 and self._goes_on(503, response):
                return
        if status != 503:
            self._ways = None
        self._owner.replied(self, response)

    def on_timeout(self, transaction: ClientTransaction) -> None:
        """No final reply came."""
        if not self.was_answered:
            self._remember_dead(transaction.flow)
            if self._goes_on(408):
                return
        self.end(408)

    def on_transport_error(self, transaction: ClientTransaction) -> None:
        """The connection was lost, which counts as a 503 (RFC 3261 16.9)."""
        self._remember_dead(transaction.flow)
        if not self._goes_on(503):
            self.end(503)

    # --- time -----------------------------------------------------------------------------------------------------

    def _renews(self, status: int) -> bool:
        return self._patience.restart or not self.highest or (status >= 180 and status > self.highest)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self._server.wheel.add(seconds, self._give_up)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        """It rang and rang."""
        self._timer = None
        self.cancel()
        self.end(408)

    # --- further addresses ------------------------------------------------------------------------------------------

    def _written(self, written: Callable[[Flow, str], bytes], flow: Flow) -> bytes:
        self.key = self._server.transactions.next_branch()
        return written(flow, self.key)

    def _goes_on(self, status: int, response: Response | None = None) -> bool:
        """Try the next address; where none is left the branch ends with this status."""
        if self._ways is None or self.status or self.cancelled:
            return False
        self.was_answered = False  # where it goes now nobody has said anything

        def tried(_: Any, error: BaseException | None) -> None:
            if error is None:
                return
            self._ways = None
            if not isinstance(error, DestinationError):
                self._server.report(error)
            if response is not None:
                self.was_answered = True
                self._owner.replied(self, response)
            else:
                self.end(status)

        Stepper(self.send(), tried).step()
        return True

    def _remember_dead(self, flow: Flow) -> None:
        dead = self._server.dead_targets
        if dead is not None:
            dead.failed(Target(flow.transport, flow.host, flow.port))
