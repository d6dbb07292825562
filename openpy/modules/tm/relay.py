"""Stateful relaying of a request along one branch (RFC 3261 16, openser 1.3 module tm).

The server transaction towards the sender and the client transaction towards the destination are joined by
a `Relay`: replies go up by Via, a CANCEL goes down, and silence becomes a 408.
"""

from __future__ import annotations

from openpy.engine.blacklists import DeadTargets, Target
from openpy.engine.forward import without_top_via
from openpy.engine.run import Run
from openpy.engine.services import Services
from openpy.modules.tm.counts import ReplyCounts
from openpy.sip.build import reason_phrase
from openpy.sip.build import reply as build_reply
from openpy.sip.message import Request, Response
from openpy.transaction.client import ClientTransaction
from openpy.transaction.flow import Flow
from openpy.transaction.server import ServerTransaction
from openpy.transaction.wheel import Timer


class Relay:
    """Joins the two transactions of one relayed request; owner of both.

    `patience` is how long to wait for a first reply, `answer_patience` for the next reply to an INVITE after a
    provisional one, in seconds; `counts` hears of the replies.
    """

    __slots__ = (
        "_answer_patience",
        "_cancelled",
        "_counts",
        "_dead_targets",
        "_patience",
        "_server_headers",
        "_services",
        "_timer",
        "_to_tag",
        "client",
        "request",
        "server",
    )

    def __init__(
        self, services: Services, run: Run, patience: float, answer_patience: float, counts: ReplyCounts
    ) -> None:
        self._services = services
        self._counts = counts
        self._patience = patience
        self._answer_patience = answer_patience
        self._timer: Timer | None = None
        self._cancelled = False
        self._to_tag = run.local_tag()
        self._server_headers = run.server.reply_headers
        self._dead_targets: DeadTargets | None = run.server.dead_targets
        self.server: ServerTransaction = run.begin_transaction()
        self.request: Request = run.request
        self.client: ClientTransaction | None = None
        self.server.owner = self

    def send(self, data: bytes, branch: str, flow: Flow) -> None:
        """Send the request on."""
        self.client = self._services.transactions.create_client(
            data, branch, self.request.method, flow, self, self._patience
        )
        if self._cancelled:
            self.client.cancel()

    def withdraw(self) -> None:
        """Nothing can be sent on: the server transaction is the script's again, and ends with it if nobody answers."""
        self.server.owner = None

    def cancel(self) -> None:
        """Cancel the branch (after its first provisional reply, RFC 3261 9.1)."""
        self._cancelled = True
        if self.client is not None:
            self.client.cancel()

    # --- what the client transaction tells ------------------------------------------------------------------

    def on_reply(self, transaction: ClientTransaction, response: Response) -> None:
        """Pass a reply up; 100 ends here."""
        self._counts.receive()
        if self._timer is not None:
            self._timer.cancel()
        if response.status < 200 and transaction.is_invite:
            self._timer = self._services.wheel.add(self._answer_patience, self._give_up)
        if response.status > 100 and self.server.reply(response.status, without_top_via(response)):
            self._counts.relay(response.status)

    def on_timeout(self, transaction: ClientTransaction) -> None:
        """Nobody answered."""
        self._remember_dead(transaction.flow)
        self._fail(408)

    def on_transport_error(self, transaction: ClientTransaction) -> None:
        """The connection was lost."""
        self._remember_dead(transaction.flow)
        self._fail(503)

    def _remember_dead(self, flow: Flow) -> None:
        if self._dead_targets is not None:
            self._dead_targets.failed(Target(flow.transport, flow.host, flow.port))

    def _give_up(self) -> None:
        """It rang and rang."""
        self.cancel()
        self._fail(408)

    def _fail(self, status: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.server.status < 200:
            self._counts.answer(status)
            self.server.reply(
                status,
                build_reply(
                    self.request,
                    status,
                    reason_phrase(status),
                    to_tag=self._to_tag,
                    headers=self._server_headers,
                ),
            )
