"""How the functions of tm relay, answer and cancel (openser 1.3 module tm)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from openpy.engine.destinations import Destination, DestinationError, Ways, current_destination
from openpy.engine.events import EventRoute
from openpy.engine.forward import request_to_send
from openpy.engine.module import RouteKind
from openpy.engine.named import NamedAvp
from openpy.engine.run import Run
from openpy.engine.services import Services
from openpy.modules.tm.api import context_of
from openpy.modules.tm.arguments import seconds_in
from openpy.modules.tm.branch import ClientBranch, Patience, relayed
from openpy.modules.tm.context import ResponseContext
from openpy.modules.tm.counts import ReplyCounts
from openpy.modules.tm.errors import ERRORS, RELAY_CODES
from openpy.modules.tm.listening import NOTHING_YET, Delays, Happening, Listeners, Outcome, tell
from openpy.modules.tm.sending import send_branches
from openpy.sip.build import reason_phrase
from openpy.sip.message import Request
from openpy.transaction.flow import Flow
from openpy.transaction.server import ServerTransaction

if TYPE_CHECKING:
    from openpy.engine.server import Server

NO_AUTOMATIC_100, NO_ERROR_REPLY, NO_FAILOVER = 0x01, 0x02, 0x04


class Settings(NamedTuple):
    """What the parameters say about waiting, and about what reply routes see."""

    fr_timer: int
    fr_inv_timer: int
    fr_timer_avp: NamedAvp | None
    fr_inv_timer_avp: NamedAvp | None
    restart: bool
    reply_avps: bool


class Relaying:
    """Relays the requests of routes. `local_response` gives the event route about replies made here, if any."""

    def __init__(
        self,
        services: Services,
        settings: Settings,
        replies: ReplyCounts,
        listeners: Listeners,
        delays: Delays,
        local_response: Callable[[], EventRoute | None],
    ) -> None:
        self._services = services
        self.settings = settings
        self._replies = replies
        self._listeners = listeners
        self._delays = delays
        self._local_response = local_response

    async def relay(self, run: Run, destination: Destination | None, flags: int) -> int:
        """`t_relay`; raises Overloaded."""
        try:
            if run.request.method == "ACK":
                ways = _ways_of_ack(run, destination or current_destination(run))
                flow, data = ways.at_once() or await ways.next()
                self._acknowledge(run, flow, data)
                return 1
        except DestinationError as error:
            return self._failed(run, error.code, flags)
        context = context_of(run)
        if context is None:
            ended = run.transaction is not None and run.transaction.finished and run.transaction.is_invite
            if ended:
                return 0  # by a CANCEL while the route waited, or by the script itself
            context = self._context(run)
            self.begun(run)
            if run.request.method == "INVITE" and not flags & NO_AUTOMATIC_100:
                self.answer(run, 100, "Giving a try")
        is_first = not context.branches
        try:
            await send_branches(run, context, destination, self.patience(run, flags))
        except DestinationError as error:
            if not is_first:  # what is under way may still be answered
                return self._failed(run, error.code, flags | NO_ERROR_REPLY)
            context.withdraw()
            if context.cancelled:
                self.answer(run, 487, reason_phrase(487))
                return 0
            return self._failed(run, error.code, flags)
        return 1

    async def replicate(self, run: Run, flags: int) -> int:
        """`t_replicate`, whose target the run has; raises Overloaded."""
        context = ResponseContext(run, self._replies, self._listeners, is_silent=True)
        try:
            await send_branches(run, context, None, self.patience(run, flags))
        except DestinationError as error:
            if run.kind is RouteKind.REQUEST:
                context.withdraw()
            return self._failed(run, error.code, flags | NO_ERROR_REPLY)
        return 1

    def _acknowledge(self, run: Run, flow: Flow, data: bytes) -> None:
        """The ACK of a 2xx goes on, which is no transaction (RFC 3261 17.1.1.3)."""
        flow.send(data)
        if self._listeners:
            tell(self._listeners, Happening.ACKNOWLEDGED, run, Outcome(0, "", run.request.to.tag))

    def begun(self, run: Run) -> None:
        """Tell who listens that the script has begun a transaction."""
        if self._listeners:
            tell(self._listeners, Happening.BEGUN, run, NOTHING_YET)

    def _context(self, run: Run) -> ResponseContext:
        return ResponseContext(
            run,
            self._replies,
            self._listeners,
            delays=self._delays,
            reply_avps=self.settings.reply_avps,
        )

    def patience(self, run: Run, flags: int = 0) -> Patience:
        """How long a request of a run waits."""
        settings = self.settings
        first = seconds_in(run, settings.fr_timer_avp) if settings.fr_timer_avp else None
        answer = seconds_in(run, settings.fr_inv_timer_avp) if settings.fr_inv_timer_avp else None
        return Patience(
            first or settings.fr_timer,
            answer or settings.fr_inv_timer,
            restart=settings.restart,
            only_first=bool(flags & NO_FAILOVER or run.server.config.number("disable_dns_failover")),
        )

    def cancel(self, run: Run) -> bool:
        """Answer a CANCEL of a known INVITE and pass it on along the branches; raises Overloaded.

        Where the route of the INVITE still waits there are none, and the INVITE is answered.
        """
        invite = self._services.transactions.find_invite(run.request)
        if invite is None or not _takes_back(run.request, invite):
            return False
        run.begin_transaction()
        self.answer(run, 200, "canceling")
        if isinstance(invite.owner, ResponseContext):
            invite.owner.cancel()
        else:
            self.answer_outside(run.server, invite, 487, reason_phrase(487), ("", "", b""))
        return True

    def wait_for_application(self, run: Run) -> None:
        """Let somebody outside answer, as long as a branch would be waited for."""
        context = context_of(run) or self._context(run)
        branch = ClientBranch(relayed(run), None, context, self.patience(run))
        context.branches.append(branch)
        branch.wait()

    def answer_outside(
        self,
        server: Server,
        transaction: ServerTransaction,
        code: int,
        reason: str,
        parts: tuple[str, str, bytes],
    ) -> bool:
        """Answer in place of a route; `parts` are To tag, header lines and body. False if it was answered already."""
        if transaction.finished:
            return False
        run = Run(server, transaction.request, transaction.flow, transaction)
        context = context_of(run)
        if context is not None:
            run.state = context.state
        to_tag, headers, body = parts
        return self.answer(run, code, reason, headers, body, to_tag)

    def _failed(self, run: Run, code: int, flags: int) -> int:
        run.error = code
        if flags & NO_ERROR_REPLY or run.request.method == "ACK" or run.kind is not RouteKind.REQUEST:
            return RELAY_CODES[code]
        status, reason = ERRORS[code]
        run.begin_transaction()
        self.answer(run, status, f"{reason} ({-code}/TM)")
        return 0

    def answer(
        self, run: Run, status: int, reason: str, headers: str = "", body: bytes = b"", to_tag: str = ""
    ) -> bool:
        """Answer through the transaction; what is under way is not wanted any more then.

        False where nothing leaves: a final reply did already, or it is an ACK.
        """
        if not run.reply(status, reason, headers, body, to_tag=to_tag, record_route=180 <= status < 300):
            return False
        self._replies.answer(status)
        if self._listeners:
            tag = "" if status == 100 else run.request.to.tag or to_tag or run.local_tag()
            tell(self._listeners, Happening.REPLIED, run, Outcome(status, reason, tag))
        context = context_of(run)
        if status >= 200 and context is not None:
            context.answered()
        event = self._local_response()
        if event is not None:
            event(run.message, run.flow, run.transaction)
        return True


def _ways_of_ack(run: Run, destination: Destination) -> Ways:
    branch = run.server.transactions.next_branch()
    return Ways(run.server, run.state, destination, partial(request_to_send, run, branch=branch))


def _takes_back(cancel: Request, invite: ServerTransaction) -> bool:
    """Whether a CANCEL is about the INVITE whose branch it has: so who guesses a branch hangs up for nobody (9.1)."""
    if invite.finished:
        return True  # nothing is left to take back
    sent = invite.request
    return (cancel.call_id, cancel.cseq.number, cancel.from_.tag) == (
        sent.call_id,
        sent.cseq.number,
        sent.from_.tag,
    )
