"""The transaction layer: which transaction a message belongs to.

Rules:
1. A request goes to `receive_request` first. What a transaction absorbs ends there; None means that the
   caller goes on (a new request, or an ACK to a 2xx).
2. A reply goes to `absorb_ok` as bytes, and if that declines, parsed, to `receive_reply`. If that declines
   too, no transaction waits for it: a stray if its branch `is_ours`, else one for the caller to forward.
3. NOTIFYs that `create_notify` sent are kept by the bytes of their branch, so that `absorb_ok` needs no
   parse. It may do only what the table of the machine would do for a 2xx, and absorbs nothing after it: a
   later duplicate is a stray.
4. Nothing here reads a clock or draws random numbers: time is the wheel's, randomness comes as an argument.
5. A reply is known by its branch alone, so a branch says nothing of any other: who gets one request of ours, as any
   phone does, cannot answer what went to somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import NamedTuple

from openpy.sip.errors import LocalError
from openpy.sip.message import Request, Response
from openpy.transaction.client import (
    ClientOwner,
    ClientSide,
    ClientTransaction,
    NotifyOwner,
    NotifyTransaction,
)
from openpy.transaction.flow import Flow
from openpy.transaction.keys import MAGIC_COOKIE, client_key, server_key
from openpy.transaction.server import ServerSide, ServerTransaction
from openpy.transaction.timers import TimerValues
from openpy.transaction.transaction import Counts
from openpy.transaction.wheel import Wheel

CAPACITY = 250_000
"""Server transactions at most: 0.7 KiB each. A finished one stays 32 s, so at 7,800 a second none has to give way."""


class Mark(NamedTuple):
    """A moment in the life of a layer: how many requests were sent, and the last that still wait for a reply."""

    created: int
    client: ClientTransaction | None
    notify: NotifyTransaction | None


class Layer:
    """All transactions of one server.

    `random_text` gives some characters that nobody can guess (token characters, at least 64 bits); the
    layer asks for them twice, when it is made. `capacity` is the largest number of server transactions: beyond it those
    give way that were answered longest ago, and do nothing any more but to absorb retransmissions.
    """

    __slots__ = (
        "_branch_key",
        "_branches",
        "_clients",
        "_known_key",
        "_known_request",
        "_notifies",
        "_servers",
        "branch_prefix",
        "capacity",
        "counts",
        "unwatched_prefix",
        "wheel",
    )

    def __init__(
        self, wheel: Wheel, timers: TimerValues, random_text: Callable[[], str], capacity: int = CAPACITY
    ) -> None:
        self.wheel = wheel
        self.capacity = capacity
        self.counts = Counts()
        self.branch_prefix = MAGIC_COOKIE + random_text()
        """What every branch of ours begins with."""
        self.unwatched_prefix = self.branch_prefix + ".~"
        """What the branches of requests begin with whose replies nobody waits for."""
        self._branch_key = random_text().encode("ascii")
        self._branches = 0  # made so far
        self._servers = ServerSide(wheel, timers, self.counts)
        self._clients: ClientSide[str, ClientTransaction] = ClientSide(wheel, timers, self.counts)
        self._notifies: ClientSide[bytes, NotifyTransaction] = ClientSide(wheel, timers, self.counts)
        self._known_request: Request | None = None
        self._known_key = ""

    def use_timers(self, timers: TimerValues) -> None:
        """Take other timer values, from the next transaction on."""
        for side in (self._servers, self._clients, self._notifies):
            side.use_timers(timers)

    @property
    def longest(self) -> float:
        """Seconds for which a finished server transaction may absorb retransmissions: 64*T1."""
        return self._servers.timers.accepted

    # --- requests that come in ------------------------------------------------------------------------------

    def receive_request(self, request: Request, flow: Flow) -> ServerTransaction | None:
        """Return the transaction that absorbed `request` (it was dealt with), or None if the caller goes on.

        Raises RemoteError (400) for a request that cannot be matched because its headers cannot be read.
        """
        if request.method == "ACK":
            transaction = self._servers.transactions.get(server_key(request, "INVITE"))
            if transaction is None or transaction.passes_ack():
                return None
            return transaction
        key = server_key(request, request.method)
        transaction = self._servers.transactions.get(key)
        if transaction is None:
            self._known_request, self._known_key = request, key
            return None
        self.counts.retransmissions_received += 1
        transaction.receive_again()
        return transaction

    def find_invite(self, cancel: Request) -> ServerTransaction | None:
        """Return the INVITE transaction that a CANCEL means (also that of an ACK)."""
        return self._servers.transactions.get(server_key(cancel, "INVITE"))

    def create_server(self, request: Request, flow: Flow) -> ServerTransaction:
        """Begin a server transaction for a request that `receive_request` let pass.

        Raises LocalError if the layer is full, if the transaction exists, or for an ACK, which has none.
        """
        if request is self._known_request:
            key = self._known_key
            self._known_request = None
        else:
            key = server_key(request, request.method)
        transactions = self._servers.transactions
        if len(transactions) >= self.capacity and not self._servers.make_room():
            raise LocalError("too many server transactions")
        if key in transactions or request.method == "ACK":
            raise LocalError("no server transaction can be made of this request")
        self.counts.server_created += 1
        transaction = transactions[key] = ServerTransaction(self._servers, key, request, flow)
        return transaction

    def unanswered(self) -> int:
        """How many requests wait for their final reply. Looks at every transaction: not for the hot path."""
        return sum(1 for transaction in self._servers.transactions.values() if not transaction.finished)

    def release(self, transaction: ServerTransaction) -> None:
        """Expect no final reply: end at once, or after a while if a provisional one was sent."""
        transaction.release()

    # --- requests that go out -------------------------------------------------------------------------------

    def next_branch(self) -> str:
        """Return a branch that was never used, and that no other one tells (rule 5)."""
        self._branches += 1
        number = str(self._branches)
        code = blake2b(number.encode(), key=self._branch_key, digest_size=8).hexdigest()
        return f"{self.branch_prefix}.{number}.{code}"

    def next_unwatched_branch(self) -> str:
        """Return a branch for a request whose replies nobody waits for; it begins with `unwatched_prefix`."""
        self._branches += 1
        return f"{self.unwatched_prefix}{self._branches}"

    def is_ours(self, branch: str) -> bool:
        """Whether a branch was made by this process: it begins with `branch_prefix`."""
        return branch.startswith(self.branch_prefix)

    def create_client(
        self,
        data: bytes,
        branch: str,
        method: str,
        flow: Flow,
        owner: ClientOwner,
        timeout: float = 0.0,
    ) -> ClientTransaction:
        """Send a request (not an ACK), whose top Via carries `branch`, and wait for its replies.

        `timeout` (seconds) replaces Timer B or F. Raises LocalError if the branch is in use.
        """
        key = client_key(branch, method)
        if key in self._clients.transactions:
            raise LocalError(f"branch {branch} is in use")
        transaction = ClientTransaction(self._clients, key, method == "INVITE", data, flow, owner)
        transaction.start(timeout)
        return transaction

    def create_notify(self, data: bytes, branch: bytes, flow: Flow, owner: NotifyOwner) -> NotifyTransaction:
        """Send a NOTIFY whose only Via carries `branch`.

        The branch begins with `branch_prefix`, was never used before, and cannot be guessed.
        """
        transaction = NotifyTransaction(self._notifies, branch, False, data, flow, owner)
        transaction.start()
        return transaction

    def mark(self) -> Mark:
        """Remember this moment, for `sent_since`."""
        return Mark(
            self.counts.client_created,
            next(reversed(self._clients.transactions.values()), None),
            next(reversed(self._notifies.transactions.values()), None),
        )

    def sent_since(self, mark: Mark) -> list[ClientTransaction]:
        """The requests that were sent since and wait for a reply, oldest first; more, if that of the mark is over."""
        created = self.counts.client_created - mark.created
        clients = _newest(reversed(self._clients.transactions.values()), mark.client, created)
        return clients + _newest(reversed(self._notifies.transactions.values()), mark.notify, created)

    # --- replies --------------------------------------------------------------------------------------------

    def receive_reply(self, response: Response, flow: Flow) -> bool:
        """Give a reply to its client transaction; False if it has none.

        Raises RemoteError if the reply cannot be matched because its headers cannot be read.
        """
        branch = response.via.branch
        method = response.cseq.method
        transaction = self._clients.transactions.get(client_key(branch, method))
        if transaction is None and method == "NOTIFY":
            transaction = self._notifies.transactions.get(branch.encode("utf-8", "surrogateescape"))
        if transaction is None:
            return False
        transaction.receive(response)
        return True

    def absorb_ok(self, data: bytes, host: str, port: int) -> bool:
        """Recognise a plain 200 to a NOTIFY of ours, from where the NOTIFY went, without parsing it.

        False for anything else or unusual: it goes to the parser.
        """
        if not data.startswith(b"SIP/2.0 200 "):
            return False
        start = data.find(b";branch=") + 8
        end = data.find(b"\r", start)
        if end < 0:
            return False
        branch = data[start:end]
        semicolon = branch.find(b";")
        if semicolon >= 0:
            branch = branch[:semicolon]
        transaction = self._notifies.transactions.get(branch)
        if transaction is None or b" NOTIFY\r" not in data:
            return False
        flow = transaction.flow
        if flow.port != port or flow.host != host:
            return False
        transaction.complete()
        return True

    # --- connections ----------------------------------------------------------------------------------------

    def flow_failed(self, flow: Flow) -> None:
        """Tell every client transaction on a connection that it is lost."""
        self._clients.flow_failed(flow)
        self._notifies.flow_failed(flow)

    def waits_on(self, flow: Flow) -> bool:
        """Whether a client transaction on this connection is not over."""
        return id(flow) in self._clients.on_flow or id(flow) in self._notifies.on_flow

    @property
    def servers_in_use(self) -> int:
        """Server transactions that exist now."""
        return len(self._servers.transactions)

    @property
    def clients_in_use(self) -> int:
        """Client transactions that exist now."""
        return len(self._clients.transactions) + len(self._notifies.transactions)


def _newest(
    newest_first: Iterator[ClientTransaction], known: ClientTransaction | None, most: int
) -> list[ClientTransaction]:
    """What came after a known one, at most so many, oldest first."""
    found: list[ClientTransaction] = []
    for transaction in newest_first:
        if transaction is known or len(found) == most:
            break
        found.append(transaction)
    found.reverse()
    return found
