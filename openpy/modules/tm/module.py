"""tm: transactions, as scripts and modules use them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from openpy.engine.destinations import (
    E_BAD_ADDRESS,
    E_BAD_URI,
    E_IP_BLOCKED,
    E_SEND,
    Destination,
    DestinationError,
    DestinationKind,
    current_destination,
    way_to,
)
from openpy.engine.forward import request_to_send
from openpy.engine.module import (
    REQUEST,
    ArgumentError,
    Counter,
    Event,
    Module,
    ModuleError,
    NumberKind,
    Param,
    RouteKind,
    Text,
    script_function,
)
from openpy.engine.run import Overloaded, Run
from openpy.engine.services import Services
from openpy.modules.tm.counts import ReplyCounts
from openpy.modules.tm.relay import Relay
from openpy.transaction.flow import Flow
from openpy.transaction.layer import CAPACITY
from openpy.transaction.timers import TimerValues
from openpy.transaction.transaction import Counts

E_SCRIPT = -10
NO_AUTOMATIC_100, NO_ERROR_REPLY = 0x01, 0x02
RELAY_CODES = {E_IP_BLOCKED: -5, E_BAD_URI: -2, E_BAD_ADDRESS: -4, E_SEND: -6}
ERRORS = {
    E_IP_BLOCKED: (473, "Filtered destination"),
    E_BAD_URI: (475, "Bad URI"),
    E_BAD_ADDRESS: (476, "Unresolvable destination"),
    E_SEND: (477, "Send failed"),
}

REQUEST_OR_BRANCH = frozenset({RouteKind.REQUEST, RouteKind.BRANCH})


@dataclass(frozen=True, slots=True)
class TargetKind:
    """The first argument of t_relay: flags (`0x01`), or `[proto:]host[:port]`."""

    description: str = "flags such as 0x01, or a destination such as udp:192.0.2.1:5060"

    def convert(self, text: str, environment: Any) -> int | Destination:
        """Convert; raises ArgumentError."""
        try:
            return int(text, 0)
        except ValueError:
            return DestinationKind().convert(text, environment)


@dataclass(frozen=True, slots=True)
class FlagsKind:
    """Flags of t_relay: a decimal or hexadecimal number."""

    description: str = "flags such as 0x01"

    def convert(self, text: str, environment: Any) -> int:
        """Convert; raises ArgumentError."""
        try:
            return int(text, 0)
        except ValueError:
            raise ArgumentError(f'"{text}" is no number; flags are written as 0x01') from None


def _at_least_2(value: int) -> int:
    if value < 2:
        raise ArgumentError("must be at least 2")
    return value


class Tm(Module):
    """Stateful processing."""

    name = "tm"

    fr_timer = Param(int, 30, "Seconds until a request without a final reply is given up", check=_at_least_2)
    fr_inv_timer = Param(int, 120, "The same for an INVITE that had a provisional reply", check=_at_least_2)
    wt_timer = Param(int, 5, "Of 1.3; finished transactions stay as RFC 3261 says", check=_at_least_2)
    delete_timer = Param(int, 2, "Of 1.3; without effect", check=_at_least_2)
    T1_timer = Param(int, 500, "First retransmission interval, ms")
    T2_timer = Param(int, 4000, "Longest retransmission interval, ms")
    noisy_ctimer = Param(int, 0, "Of 1.3; a silent INVITE is always answered 408")
    ruri_matching = Param(int, 1, "Of 1.3; without effect")
    via1_matching = Param(int, 1, "Of 1.3; without effect")
    unix_tx_timeout = Param(int, 2, "Of 1.3; without effect")
    restart_fr_on_each_reply = Param(int, 1, "Of 1.3; without effect")
    pass_provisional_replies = Param(int, 0, "Of 1.3; without effect")
    syn_branch = Param(int, 1, "Of 1.3; without effect")
    onreply_avp_mode = Param(int, 0, "Of 1.3; without effect until reply routes are built")
    max_transactions = Param(
        int,
        CAPACITY,
        "Server transactions at most; beyond it the longest answered ones end before their time",
        check=_at_least_2,
        limit=True,
    )
    enable_stats = Param(int, 1, "Statistics are always kept")

    received_replies = Counter("Replies to requests that t_relay sent")
    relayed_replies = Counter("Replies that were passed on")
    local_replies = Counter("Replies that tm made itself")
    UAS_transactions = Counter("Server transactions begun", read=lambda tm: tm.layer_counts.server_created)
    UAC_transactions = Counter("Client transactions begun", read=lambda tm: tm.layer_counts.client_created)
    completed_2xx = Counter("Transactions that t_reply or t_relay ended with 2xx", name="2xx_transactions")
    completed_3xx = Counter("The same with 3xx", name="3xx_transactions")
    completed_4xx = Counter("The same with 4xx", name="4xx_transactions")
    completed_5xx = Counter("The same with 5xx", name="5xx_transactions")
    completed_6xx = Counter("The same with 6xx", name="6xx_transactions")
    inuse_transactions = Counter(
        "Server transactions that exist now", read=lambda tm: tm.services.transactions.servers_in_use
    )

    early_ends = Counter(
        "Finished transactions that ended before their time, to make room",
        read=lambda tm: tm.layer_counts.given_up,
    )

    local_response = Event("tm answered a request itself, for t_reply or t_relay; runs over the request")

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        completed = (
            self.completed_2xx,
            self.completed_3xx,
            self.completed_4xx,
            self.completed_5xx,
            self.completed_6xx,
        )
        self._replies = ReplyCounts(
            self.received_replies, self.relayed_replies, self.local_replies, completed
        )

    @property
    def layer_counts(self) -> Counts:
        """The figures of the transaction layer."""
        return self.services.transactions.counts

    def check(self) -> None:
        """The timers fit each other."""
        if self.T2_timer <= self.T1_timer:
            raise ModuleError("tm: T2 must be greater than T1")

    async def start(self) -> None:
        """Take over the timers and the largest number of transactions."""
        self.services.transactions.capacity = self.max_transactions
        self.services.transactions.use_timers(TimerValues(t1=self.T1_timer / 1000, t2=self.T2_timer / 1000))

    # --- functions --------------------------------------------------------------------------------------------

    @script_function(routes=REQUEST)
    def t_newtran(self, run: Run) -> int:
        """Make the transaction: 1 new (or an ACK, which has none), -10 if there is one."""
        if run.transaction is not None:
            is_new, run.is_held = run.is_held, False
            return 1 if is_new else E_SCRIPT
        if run.request.method == "ACK":
            return 1
        try:
            run.begin_transaction()
        except Overloaded:
            return _refuse_overloaded(run)
        return 1

    @script_function(routes=frozenset({RouteKind.REQUEST, RouteKind.FAILURE}))
    def t_reply(
        self, run: Run, code: Annotated[int, NumberKind(100, 699, "a status code")], reason: Text
    ) -> int:
        """Reply through the transaction; -1 without one."""
        if run.transaction is None or run.request.method == "ACK":
            return -1
        return 1 if self._answer(run, code, reason) else -1

    @script_function(routes=REQUEST)
    def t_release(self, run: Run) -> int:
        """Expect no reply from the script any more; what was answered still absorbs retransmissions."""
        if run.transaction is not None and run.transaction.status < 200:
            self.services.transactions.release(run.transaction)
        return 1

    @script_function(routes=REQUEST_OR_BRANCH)
    def t_check_trans(self, run: Run) -> int:
        """CANCEL and ACK: 1 if their INVITE is known. Retransmissions never come here: else -1."""
        if run.request.method not in ("CANCEL", "ACK"):
            return -1
        return 1 if self.services.transactions.find_invite(run.request) is not None else -1

    @script_function(routes=frozenset({RouteKind.REQUEST, RouteKind.FAILURE}))
    async def t_relay(
        self,
        run: Run,
        target: Annotated[Any, TargetKind()] = 0,
        flags: Annotated[int, FlagsKind()] = 0,
    ) -> int:
        """Relay to a destination, the next hop, or the Request-URI: 1 sent, 0 failed and answered, < 0 failed."""
        destination = target if isinstance(target, Destination) else None
        if isinstance(target, int):
            flags |= target
        try:
            if run.request.method == "CANCEL" and self._cancel(run):
                return 1
            try:
                return await self._relay(run, destination, flags)
            except DestinationError as error:
                return self._failed(run, error.code, flags)
        except Overloaded:
            return _refuse_overloaded(run)

    # --- relaying -------------------------------------------------------------------------------------------------

    async def _relay(self, run: Run, destination: Destination | None, flags: int) -> int:
        destination = destination or current_destination(run)
        branch = self.services.transactions.next_branch()
        if run.request.method == "ACK":  # that of a 2xx, which is no transaction (RFC 3261 17.1.1.3)
            flow, data = await _way(run, destination, branch)
            flow.send(data)
            return 1
        relay = Relay(self.services, run, self.fr_timer, self.fr_inv_timer, self._replies)
        if run.request.method == "INVITE" and not flags & NO_AUTOMATIC_100:
            self._answer(run, 100, "Giving a try")
        try:
            flow, data = await _way(run, destination, branch)
        except DestinationError:
            relay.withdraw()
            raise
        relay.send(data, branch, flow)
        return 1

    def _cancel(self, run: Run) -> bool:
        """Answer a CANCEL of a known INVITE and pass it on along the branch."""
        invite = self.services.transactions.find_invite(run.request)
        if invite is None:
            return False
        run.begin_transaction()
        self._answer(run, 200, "canceling")
        if isinstance(invite.owner, Relay):
            invite.owner.cancel()
        return True

    def _failed(self, run: Run, code: int, flags: int) -> int:
        run.error = code
        if flags & NO_ERROR_REPLY or run.request.method == "ACK":
            return RELAY_CODES[code]
        status, reason = ERRORS[code]
        run.begin_transaction()
        self._answer(run, status, f"{reason} ({-code}/TM)")
        return 0

    def _answer(self, run: Run, status: int, reason: str) -> bool:
        self._replies.answer(status)
        answered = run.reply(status, reason, record_route=180 <= status < 300)
        if self.local_response is not None:
            self.local_response(run.message, run.flow, run.transaction)
        return answered


async def _way(run: Run, destination: Destination, branch: str) -> tuple[Flow, bytes]:
    """The way to a destination, and the request as it goes there."""
    return await way_to(run, destination, lambda run, flow: request_to_send(run, flow, branch))


def _refuse_overloaded(run: Run) -> int:
    run.reply(503, "Server overloaded", "Retry-After: 2\r\n")
    return 0
