"""tm: transactions, as scripts and modules use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, cast

from openpy.engine.checks import positive, switch
from openpy.engine.destinations import Destination
from openpy.engine.mi import MiError, Reply
from openpy.engine.module import (
    REQUEST,
    Counter,
    Effect,
    Event,
    Function,
    Index,
    Inner,
    Module,
    ModuleError,
    NumberKind,
    Param,
    Regex,
    RouteKind,
    Text,
    mi_command,
    pseudo_variable,
    script_function,
)
from openpy.engine.named import avp_of, avp_written
from openpy.engine.routes import route_named
from openpy.engine.run import Overloaded, Run
from openpy.engine.services import Services
from openpy.modules.tm.api import TmApi, context_of, status_of
from openpy.modules.tm.appendices import Info, InfoKind, read_appendix
from openpy.modules.tm.applications import Applications
from openpy.modules.tm.arguments import FlagsKind, TargetKind, WordKind, at_least_2
from openpy.modules.tm.branch import Patience
from openpy.modules.tm.counts import ReplyCounts
from openpy.modules.tm.listening import Delays, Listeners
from openpy.modules.tm.management import reply_for_application, send_request
from openpy.modules.tm.relaying import Relaying, Settings
from openpy.modules.tm.requests import Requests
from openpy.modules.tm.writing import write_fifo, write_unix
from openpy.transaction.layer import CAPACITY
from openpy.transaction.timers import TimerValues
from openpy.transaction.transaction import Counts

if TYPE_CHECKING:
    from openpy.engine.server import Server

E_SCRIPT = -10

REQUEST_OR_BRANCH = frozenset({RouteKind.REQUEST, RouteKind.BRANCH})
REQUEST_FAILURE_BRANCH = frozenset({RouteKind.REQUEST, RouteKind.FAILURE, RouteKind.BRANCH})
REQUEST_OR_FAILURE = frozenset({RouteKind.REQUEST, RouteKind.FAILURE})
EVERYWHERE = frozenset({RouteKind.REQUEST, RouteKind.FAILURE, RouteKind.ONREPLY, RouteKind.BRANCH})


class Tm(Module):
    """Stateful processing: requests are relayed, forked and answered in transactions.

        route {
            append_branch("sip:bob@192.0.2.7");
            t_on_reply("1");
            t_on_failure("1");
            if (!t_relay()) sl_reply_error();
        }
        onreply_route[1] { xlog("$rs from $si\\n"); }
        failure_route[1] {
            if (t_check_status("408|486")) { append_branch("sip:voicemail@example.com"); t_relay(); }
        }

    A request is sent on 12 branches in the life of its transaction, and is on 60 at once, wherever it is forked
    (Max-Breadth, RFC 5393).
    """

    name = "tm"
    can_join = True

    fr_timer = Param(
        int, 30, "Seconds until a request without a final reply is given up", check=at_least_2, reload=True
    )
    fr_inv_timer = Param(
        int, 120, "The same for an INVITE that had a provisional reply", check=at_least_2, reload=True
    )
    wt_timer = Param(
        int,
        0,
        "Seconds that an answered request that is no INVITE absorbs its retransmissions over UDP; "
        "unset: 64 times T1_timer (RFC 3261)",
        check=at_least_2,
        reload=True,
    )
    delete_timer = Param(
        int, 2, "Of 1.3; without effect: a transaction ends when it is over", check=at_least_2, reload=True
    )
    T1_timer = Param(int, 500, "First retransmission interval, ms", reload=True, check=positive)
    T2_timer = Param(int, 4000, "Longest retransmission interval, ms", reload=True, check=positive)
    noisy_ctimer = Param(int, 0, "Of 1.3; a silent INVITE is always answered 408", reload=True, check=switch)
    ruri_matching = Param(
        int,
        1,
        "Of 1.3; without effect: where the branch tells nothing, RFC 3261 17.2.3 always compares it",
        reload=True,
        check=switch,
    )
    via1_matching = Param(
        int,
        1,
        "Of 1.3; without effect: where the branch tells nothing, RFC 3261 17.2.3 always compares it",
        reload=True,
        check=switch,
    )
    unix_tx_timeout = Param(
        int,
        2,
        "Seconds that t_write_unix and t_write_fifo wait for who reads",
        check=positive,
        reload=True,
    )
    restart_fr_on_each_reply = Param(
        int,
        1,
        "0: of provisional replies only the first, and a higher one from 180 on, begins fr_inv_timer anew",
        reload=True,
        check=switch,
    )
    pass_provisional_replies = Param(
        int,
        0,
        "Of 1.3; without effect: who sends a request of its own is told the final reply",
        reload=True,
        check=switch,
    )
    syn_branch = Param(
        int,
        1,
        "Of 1.3; without effect: branches are counted on, behind random text that nobody can guess",
        reload=True,
        check=switch,
    )
    tw_append: Param[Any] = Param(
        str,
        [],
        "Lines that t_write_fifo and t_write_unix add: `name:elem;elem`, each `[header=]$pseudo-variable`, "
        "or `$rb` for the body",
        repeat=True,
        check=read_appendix,
    )
    onreply_avp_mode = Param(
        int,
        0,
        "1: reply routes see and change the AVPs of the transaction; 0: they see none",
        reload=True,
        check=switch,
    )
    fr_timer_avp = Param(str, "", "An AVP with fr_timer for one transaction", check=avp_written, reload=True)
    fr_inv_timer_avp = Param(
        str, "", "An AVP with fr_inv_timer for one transaction", check=avp_written, reload=True
    )
    max_transactions = Param(
        int,
        CAPACITY,
        "Server transactions at most; beyond it the longest answered ones end before their time",
        check=at_least_2,
        limit=True,
        reload=True,
    )
    enable_stats = Param(int, 1, "Statistics are always kept", reload=True, check=switch)

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
        self._listeners: Listeners = []
        self._delays: Delays = []
        self._requests = Requests(self._server, self._patience, self._replies)

    @property
    def layer_counts(self) -> Counts:
        """The figures of the transaction layer."""
        return self.services.transactions.counts

    @property
    def _server(self) -> Server:
        """The server: requests of our own have no run that names it."""
        return cast("Server", self.services)

    def check(self) -> None:
        """The timers fit each other."""
        if self.T2_timer <= self.T1_timer:
            raise ModuleError("tm: T2 must be greater than T1")
        names = [appendix.name for appendix in self.tw_append]
        if len(set(names)) < len(names):
            raise ModuleError(f"tm: tw_append names one twice: {', '.join(sorted(names))}")
        self._relaying = Relaying(
            self.services,
            self._settings(),
            self._replies,
            self._listeners,
            self._delays,
            lambda: self.local_response,
        )
        self._applications = Applications(self.services, self._relaying)

    def _settings(self) -> Settings:
        return Settings(
            self.fr_timer,
            self.fr_inv_timer,
            avp_of(self.fr_timer_avp),
            avp_of(self.fr_inv_timer_avp),
            restart=bool(self.restart_fr_on_each_reply),
            reply_avps=bool(self.onreply_avp_mode),
        )

    async def start(self) -> None:
        """Take over the parameters, and find counters of single statuses."""
        self._replies.came.update(self.services.statistics.of_replies("in"))
        self._replies.sent.update(self.services.statistics.of_replies("out"))
        self.reconfigured(self)

    def reconfigured(self, configured: Module) -> None:
        """Transactions that begin from now on have these timers."""
        self._relaying.settings = self._settings()
        self.services.transactions.capacity = self.max_transactions
        self.services.transactions.use_timers(
            TimerValues(t1=self.T1_timer / 1000, t2=self.T2_timer / 1000, absorb=self.wt_timer)
        )

    def bind(self) -> TmApi:
        """The API for modules that send requests, or want to hear of those that are relayed."""
        return TmApi(self._requests, self._listeners, self._delays)

    def _patience(self) -> Patience:
        only_first = bool(self._server.config.number("disable_dns_failover"))
        return Patience(self.fr_timer, self.fr_inv_timer, only_first=only_first)

    # --- functions --------------------------------------------------------------------------------------------

    @script_function(routes=REQUEST, effect=Effect.BEGINS)
    def t_newtran(self, run: Run) -> int:
        """Make the transaction: 1 new (or an ACK, which has none), -10 if there is one."""
        if run.transaction is not None:
            is_new, run.is_held = run.is_held, False
            if is_new:
                self._relaying.begun(run)
            return 1 if is_new else E_SCRIPT
        if run.request.method == "ACK":
            return 1
        try:
            run.begin_transaction()
        except Overloaded:
            return _refuse_overloaded(run)
        self._relaying.begun(run)
        return 1

    @script_function(routes=REQUEST_OR_FAILURE, effect=Effect.REPLIES)
    def t_reply(
        self, run: Run, code: Annotated[int, NumberKind(100, 699, "a status code")], reason: Text
    ) -> int:
        """Reply through the transaction; -1 without one, and behind its final reply."""
        if run.transaction is None or run.request.method == "ACK":
            return -1
        return 1 if self._relaying.answer(run, code, reason) else -1

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def t_release(self, run: Run) -> int:
        """Expect no reply from the script any more; what was answered still absorbs retransmissions."""
        if run.transaction is not None and run.transaction.status < 200:
            self.services.transactions.release(run.transaction)
        return 1

    @script_function(routes=REQUEST_OR_BRANCH, effect=Effect.NONE)
    def t_check_trans(self, run: Run) -> int:
        """CANCEL and ACK: 1 if their INVITE is known. Retransmissions never come here: else -1."""
        if run.request.method not in ("CANCEL", "ACK"):
            return -1
        return 1 if self.services.transactions.find_invite(run.request) is not None else -1

    @script_function(routes=REQUEST_OR_FAILURE, effect=Effect.RELAYS)
    async def t_relay(
        self,
        run: Run,
        target: Annotated[Any, TargetKind()] = 0,
        flags: Annotated[int, FlagsKind()] = 0,
    ) -> int:
        """Relay to a destination, or to the next hop or Request-URI and all appended branches.

        1 sent, 0 failed and answered, < 0 failed. In a failure_route: to the branches that were appended there.
        """
        destination = target if isinstance(target, Destination) else None
        if isinstance(target, int):
            flags |= target
        try:
            if run.request.method == "CANCEL" and self._relaying.cancel(run):
                return 1
            return await self._relaying.relay(run, destination, flags)
        except Overloaded:
            return _refuse_overloaded(run)

    @script_function(routes=REQUEST, effect=Effect.NONE)
    async def t_replicate(self, run: Run, uri: Text, flags: Annotated[int, FlagsKind()] = 0) -> int:
        """Send a copy to another server, with the Request-URI as it is; nothing that becomes of it goes up."""
        run.state.destination_uri = uri
        try:
            return await self._relaying.replicate(run, flags)
        except Overloaded:
            return _refuse_overloaded(run)

    @script_function(routes=REQUEST_FAILURE_BRANCH, effect=Effect.RELAYS)
    async def t_write_fifo(self, run: Run, info: Annotated[Info, InfoKind()], fifo: Text) -> int:
        """Write the request into a FIFO for an application, which answers with the command t_reply; else 408 goes up.

        -1 without a transaction, or where nobody reads the FIFO.
        """
        return await self._write(run, info, write_fifo, fifo)

    @script_function(routes=REQUEST_FAILURE_BRANCH, effect=Effect.RELAYS)
    async def t_write_req(self, run: Run, info: Annotated[Info, InfoKind()], fifo: Text) -> int:
        """The name that 1.3.0 gave to t_write_fifo."""
        return await self._write(run, info, write_fifo, fifo)

    @script_function(routes=REQUEST_FAILURE_BRANCH, effect=Effect.RELAYS)
    async def t_write_unix(self, run: Run, info: Annotated[Info, InfoKind()], path: Text) -> int:
        """The same by one datagram to a socket in the file system."""
        return await self._write(run, info, write_unix, path)

    def functions(self) -> Iterator[Function]:
        """All script functions; what t_write_fifo and its kin may append is said by tw_append."""
        for function in super().functions():
            if function.name.startswith("t_write"):
                first, *others = function.parameters
                known = replace(first, kind=InfoKind(self.tw_append))
                function = replace(function, parameters=(known, *others))
            yield function

    async def _write(self, run: Run, info: Info, write: Callable[[str, str, float], None], path: str) -> int:
        return await self._applications.hand(run, info, write, path, self.unix_tx_timeout)

    # --- arming routes ------------------------------------------------------------------------------------------------

    @script_function(routes=EVERYWHERE, effect=Effect.NONE, arms=RouteKind.FAILURE)
    def t_on_failure(self, run: Run, route: Text) -> int:
        """Run this failure_route when all branches have failed; "0": none."""
        found = run.state.on_failure = route_named(run, RouteKind.FAILURE, route)
        if (context := context_of(run)) is not None:
            context.armed.failure = found
        return 1

    @script_function(routes=EVERYWHERE, effect=Effect.NONE, arms=RouteKind.ONREPLY)
    def t_on_reply(self, run: Run, route: Text) -> int:
        """Let this onreply_route see each reply; "0": none."""
        found = run.state.on_reply = route_named(run, RouteKind.ONREPLY, route)
        if (context := context_of(run)) is not None:
            context.armed.reply = found
        return 1

    @script_function(routes=EVERYWHERE, effect=Effect.NONE, arms=RouteKind.BRANCH)
    def t_on_branch(self, run: Run, route: Text) -> int:
        """Let this branch_route see and change each branch before it is sent; "0": none."""
        found = run.state.on_branch = route_named(run, RouteKind.BRANCH, route)
        if (context := context_of(run)) is not None:
            context.armed.branch = found
        return 1

    # --- asking -------------------------------------------------------------------------------------------------------

    @script_function(routes=EVERYWHERE, effect=Effect.NONE)
    def t_check_status(self, run: Run, pattern: Regex) -> int:
        """Whether a status matches: the last reply sent, the current one, or the one that has won (failure_route)."""
        return 1 if pattern.search(str(status_of(run))) else -1

    @script_function(routes=frozenset({RouteKind.FAILURE, RouteKind.ONREPLY}), effect=Effect.NONE)
    def t_was_cancelled(self, run: Run) -> int:
        """Whether the sender took the INVITE back."""
        context = context_of(run)
        return 1 if context is not None and context.cancelled else -1

    @script_function(routes=EVERYWHERE, effect=Effect.NONE)
    def t_local_replied(self, run: Run, which: Annotated[str, WordKind(("all", "branch", "last"))]) -> int:
        """Whether tm made the replies itself: of all branches, of the one that has won, or the last one."""
        context = context_of(run)
        return (
            1
            if context is not None and context.is_local(which, in_failure=run.kind is RouteKind.FAILURE)
            else -1
        )

    @script_function(routes=REQUEST_OR_BRANCH, effect=Effect.NONE)
    def t_flush_flags(self, run: Run) -> int:
        """The transaction takes the flags of the message; -1 where there is none."""
        context = context_of(run)
        if context is None:
            return -1
        context.state.flags, context.state.branch_flags = run.state.flags, run.state.branch_flags
        return 1

    @pseudo_variable("T_branch_idx")
    def branch_index(self, inner: Inner, index: Index) -> Callable[[Run], int]:
        """In a branch_route the number of the branch, from 1; else 0."""
        return lambda run: run.state.branch_number if run.kind is RouteKind.BRANCH else 0

    @pseudo_variable("T_reply_code")
    def reply_code(self, inner: Inner, index: Index) -> Callable[[Run], int]:
        """The last status sent, the current one, or the one that has won (failure_route)."""
        return status_of

    # --- management ---------------------------------------------------------------------------------------------------

    @mi_command("t_uac_dlg")
    async def t_uac_dlg(
        self, method: str, uri: str, next_hop: str, socket: str, headers: str, body: str = ""
    ) -> Reply:
        """Send a request: method, URI, next hop or `.`, socket or `.`, headers (To and From at least), body.

        Answers when the final reply has come: its status, target, next hop and Route of the dialog, and its headers.
        """
        return await send_request(
            self._server, self._requests, (method, uri, next_hop, socket), headers, body
        )

    @mi_command("t_uac_cancel")
    def t_uac_cancel(self, call_id: str, cseq: str) -> None:
        """Take back an INVITE that t_uac_dlg has sent: its Call-ID and CSeq."""
        if not (cseq.isascii() and cseq.isdigit()) or not self._requests.cancel(call_id, int(cseq)):
            raise MiError(481, "No such transaction")

    @mi_command("t_reply")
    def mi_reply(
        self, code: str, reason: str, trans_id: str, to_tag: str, headers: str, body: str = ""
    ) -> None:
        """Answer what t_write_fifo or t_write_unix has written: code, reason, `hash:label`, To tag, headers or `.`."""
        parts = code, reason, trans_id, to_tag
        reply_for_application(self._server, self._relaying, self._applications.written, parts, headers, body)

    @mi_command("t_hash")
    def t_hash(self) -> Reply:
        """How many server transactions there are, and were: one line, since they are in one table."""
        reply = Reply()
        transactions = self.services.transactions
        reply.add(
            "0", None, Current=str(transactions.servers_in_use), Total=str(self.layer_counts.server_created)
        )
        return reply


def _refuse_overloaded(run: Run) -> int:
    run.reply(503, "Server overloaded", "Retry-After: 2\r\n")
    return 0
