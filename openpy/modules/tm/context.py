"""The response context of a request that is forwarded (RFC 3261 section 16.7, openser 1.3 module tm).

It joins the server transaction towards the sender and the branches towards the targets: replies go up, a CANCEL goes
down, and when all branches have failed the script's failure route may open new ones.

Rules:
1. Replies are dealt with one after the other (turns.py).
2. A 2xx goes up at once, and so does each further one to an INVITE. A 6xx takes the other branches back. Everything
   else waits until all branches of this round have ended.
3. While branches are made, or a failure route runs, nothing is decided: `hold` and `release`.
4. A round is what was added until all of it has failed; what a failure route adds is the next one.
5. With the final reply upstream everything that was kept for further branches is let go.
6. With the end of the server transaction the branches are let go too: each knows its context, and the two would keep
   each other alive. A branch whose client transaction lives on still passes its 2xx up.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from openpy.engine.forward import without_top_via
from openpy.engine.module import RouteKind
from openpy.engine.routes import CompiledRoute, perform
from openpy.engine.run import Run
from openpy.engine.state import Branch
from openpy.engine.waiting import Stepper
from openpy.modules.tm.branch import ClientBranch
from openpy.modules.tm.counts import ReplyCounts
from openpy.modules.tm.listening import (
    Delays,
    Happening,
    Listeners,
    Outcome,
    outcome_of,
    tell,
)
from openpy.modules.tm.picking import CHALLENGING, add_challenges, best, passed_on
from openpy.modules.tm.turns import Turns, nothing_more
from openpy.sip.build import reason_phrase
from openpy.sip.build import reply as build_reply
from openpy.sip.edits import Edits
from openpy.sip.message import Response
from openpy.transaction.machines import State
from openpy.transaction.server import ServerTransaction

MOST = 12
"""Branches of one transaction in its whole life, and callees whose answers are told of."""


@dataclass(slots=True)
class Armed:
    """The routes that the script has armed."""

    failure: CompiledRoute | None
    reply: CompiledRoute | None
    branch: CompiledRoute | None


class ResponseContext:
    """One forwarded request; owner of its server transaction.

    `is_silent` says that nothing goes up (`t_replicate`), and so that it ends the transaction if the script does not,
    who may still wait: 64*T1 after the copy has got its answer. `winner` is the branch whose reply the failure route is
    about, `relayed` the one whose reply went up last.
    """

    __slots__ = (
        "_before",
        "_callees",
        "_counts",
        "_edits",
        "_held",
        "_late",
        "_listeners",
        "_round",
        "_turns",
        "armed",
        "branches",
        "cancelled",
        "is_silent",
        "relayed",
        "run",
        "server",
        "state",
        "winner",
    )

    def __init__(
        self,
        run: Run,
        counts: ReplyCounts,
        listeners: Listeners,
        *,
        delays: Delays | None = None,
        is_silent: bool = False,
        reply_avps: bool = False,
    ) -> None:
        """`run` is the route that forwards. `reply_avps`: whether reply routes see the AVPs of the transaction.

        Raises Overloaded.
        """
        state = run.state
        self.server: ServerTransaction = run.begin_transaction()
        if self.server.owner is None and self.server.state is not State.TERMINATED:
            self.server.owner = self  # a copy of what was relayed already does not get the CANCEL of it
        self.is_silent = is_silent
        self.branches: list[ClientBranch] = []
        self.cancelled = False
        self.relayed: ClientBranch | None = None
        self.winner: ClientBranch | None = None
        self.armed = Armed(state.on_failure, state.on_reply, state.on_branch)
        self.state = state
        """What the script has set: its flags and AVPs are the transaction's from now on."""
        self.run: Run | None = run
        """The route that forwards, until a final reply goes up."""
        self._late: Run | None = None  # the same after that, while another branch may still bring a 2xx
        self._callees: tuple[str, ...] = ()  # the tags of those who have answered
        self._edits = run.edits_made and run.edits_made.copy()
        self._counts = counts
        self._listeners = listeners
        self._turns = Turns(run, delays, with_avps=reply_avps)
        self._before = self._round = 0
        """Where the round before this one, and this one, begin among the branches."""
        self._held = 0

    # --- making branches ---------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether branches may be added: no final reply went up, and nobody took the request back, or sent a 6xx."""
        if self.run is None or self.cancelled:
            return False
        for branch in self.branches[self._round :]:  # noqa: SIM110 - each message pays for a generator
            if branch.status >= 600:
                return False
        return True

    @property
    def reply_route(self) -> CompiledRoute | None:
        """The route that sees each reply."""
        return self.armed.reply

    @property
    def room(self) -> int:
        """How many branches may still be added."""
        return MOST - len(self.branches)

    @property
    def breadth_taken(self) -> int:
        """The shares of the branches that are under way (`breadth`)."""
        return sum(branch.breadth for branch in self.branches if not branch.status)

    def hold(self) -> None:
        """Decide nothing until `release` (rule 3)."""
        self._held += 1

    def release(self) -> None:
        """Decide what has become ripe meanwhile."""
        self._held -= 1
        self._judge()
        self._let_branches_go()

    @property
    def failed(self) -> list[ClientBranch]:
        """In a failure route the branches of the round that has failed."""
        return self.branches[self._before : self._round]

    def has_tried(self, uri: str) -> bool:
        """Whether a branch went to a URI."""
        return any(branch.uri == uri for branch in self.branches)

    def withdraw(self) -> None:
        """Nothing could be sent: the transaction is the script's again, and ends with it if nobody answers."""
        if self.server.owner is self:
            self.server.owner = None
        self._let_go()
        self._let_branches_go()

    # --- asking -----------------------------------------------------------------------------------------------------

    def is_local(self, which: str, *, in_failure: bool) -> bool:
        """Whether replies were made here: of `all` branches of the round, of the winning `branch`, or the `last`."""
        if which == "all":
            this_round = self.failed if in_failure else self.branches[self._round :]
            return not any(branch.was_answered for branch in this_round)
        if which == "branch":
            return in_failure and self.winner is not None and not self.winner.was_answered
        if in_failure:
            return self.winner is not None and self.winner.response is None
        return self.relayed is None and self.server.status > 0

    # --- the sender -----------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """The sender takes the INVITE back."""
        self.cancelled = True
        self._take_back_others(None)
        self._judge()

    def answered(self) -> None:
        """The script has answered the request itself: the branches are not wanted any more."""
        self._take_back_others(None)
        self._let_go()

    def over(self) -> None:
        """The server transaction is over."""
        self._let_branches_go()

    # --- replies ----------------------------------------------------------------------------------------------------

    def replied(self, branch: ClientBranch, response: Response) -> None:
        """A reply came by a branch (rule 1). One that has lost the Vias below ours leads nowhere (16.7 step 3)."""
        self._counts.receive(response.status)
        if "Via" not in response.repeats() and len(response.values("Via")) < 2:
            if response.status >= 200:
                branch.end(502)
            return
        self._turns.came(self, branch, response)

    def ended(self, branch: ClientBranch) -> None:
        """A branch ended without a reply."""
        self._judge()

    def take(self, branch: ClientBranch, response: Response) -> None:
        """A reply whose turn it is (16.7 steps 3 to 10)."""
        status = response.status
        if status < 200:
            # Of another request there is only the 100 (RFC 4320 4.1), which nobody passes on.
            if status > 100 and self.server.is_invite and not branch.status and self.run is not None:
                self._pass_up(branch, response)
        elif status < 300:
            is_first = self.run is not None
            if is_first or self.server.is_invite:
                branch.conclude(status, response)
                self._pass_up(branch, response)
            if is_first:
                self._take_back_others(branch)
                self._let_go()
        elif not branch.status:
            branch.conclude(status, response)
            if status >= 600:
                self._take_back_others(branch)
            self._judge()

    def _take_back_others(self, chosen: ClientBranch | None) -> None:
        """CANCEL what is still under way of an INVITE; what has heard nothing yet counts as ended with 487."""
        for branch in self.branches if self.server.is_invite else ():
            if branch is not chosen and not branch.status:
                branch.cancel()
                if not branch.was_answered:
                    branch.conclude(487)

    # --- when all have failed -----------------------------------------------------------------------------------------

    def _judge(self) -> None:
        """Look whether this round is over, and what comes of it."""
        this_round = self.branches[self._round :]
        if self._held or self.run is None or not all(branch.status for branch in this_round):
            return
        if not this_round:
            if self.winner is not None:  # a failure route has opened nothing, or nothing that could be sent
                self._give_up(self.winner)
            return
        winner = best(this_round, is_invite=self.server.is_invite, cancelled=self.cancelled)
        if self._listeners and not self.is_silent:
            response = winner.response
            tell(
                self._listeners,
                Happening.FAILED,
                self.run,
                self._own_outcome(winner.status) if response is None else outcome_of(response),
            )
        route, self.armed.failure = self.armed.failure, None
        if route is None:
            self._give_up(winner)
        else:
            self._drive(self._fail(route, winner))

    async def _fail(self, route: CompiledRoute, winner: ClientBranch) -> None:
        """Run the failure route: it answers, or opens new branches, or leaves everything as it is."""
        self._held += 1
        self.winner = winner
        self._before, self._round = self._round, len(self.branches)
        run = self._failure_run(winner)
        before = run.flags
        await perform(route, run)
        self.state.take_flags(run.state, before)
        self._held -= 1
        self._let_branches_go()
        self._judge()

    def _failure_run(self, winner: ClientBranch) -> Run:
        kept = self.run
        assert kept is not None
        run = Run(kept.server, kept.message, kept.flow, self.server)
        run.program = kept.program
        run.kind = RouteKind.FAILURE
        run.number = kept.number
        run.hops = kept.hops
        run.edits_made = self._edits and self._edits.copy()
        state = self.state
        failed = Branch(winner.uri, flags=winner.flags, send_socket=state.send_socket)
        run.state = state.of_branch(failed)
        run.state.on_failure = None
        return run

    def _give_up(self, winner: ClientBranch) -> None:
        """The best of the failures goes up."""
        status = passed_on(winner.status)
        if winner.response is not None and status == winner.status:
            self._pass_up(winner, winner.response)
        elif self.is_silent:
            pass  # the script may still answer
        elif winner.status == 408 and not self.server.is_invite and self.winner is None:
            self.server.absorb()  # it is not told (RFC 4320 4.2), unless the script has looked at it
            self._tell_own(Happening.GIVEN_UP, status)
        else:
            self.relayed = None
            self._counts.answer(status)
            self._tell_own(Happening.REPLIED, status)
            self.server.reply(status, self._local_reply(status))
        self._let_go()

    def _tell_own(self, what: Happening, status: int) -> None:
        """Tell whoever listens of a status that no reply has brought."""
        if self._listeners and self.run is not None:
            tell(self._listeners, what, self.run, self._own_outcome(status))

    def _own_outcome(self, status: int) -> Outcome:
        run = self.run
        assert run is not None
        return Outcome(status, reason_phrase(status), run.request.to.tag or run.local_tag())

    def _local_reply(self, status: int) -> bytes:
        run = self.run
        assert run is not None
        return build_reply(
            run.request,
            status,
            reason_phrase(status),
            to_tag=run.local_tag(),
            headers=self.state.reply_headers + run.server.reply_headers,
        )

    # --- the way up ------------------------------------------------------------------------------------------------

    def _pass_up(self, branch: ClientBranch, response: Response) -> None:
        """A reply goes up, less our Via."""
        if self.is_silent:
            return
        edits = None
        changes = self.state.reply_changes
        if changes or response.status in CHALLENGING:
            edits = Edits(response)
            add_challenges(edits, response, self.branches)
            for change in changes:
                change(response, edits)
        data = without_top_via(response, edits)
        if self.server.reply(response.status, data):
            self.relayed = branch
            self._counts.relay(response.status, is_again=self.run is None)
            self._tell_passed(response)
        elif self.server.is_invite and 200 <= response.status < 300:
            # After another final reply, or after the end of the transaction (RFC 6026).
            self.server.flow.send(data)
            self._tell_passed(response)

    def _tell_passed(self, response: Response) -> None:
        """Tell whoever listens of a reply that went up; of a 2xx once for each callee."""
        run = self.run or self._late
        if not self._listeners or run is None:
            return
        if 200 <= response.status < 300:
            tag = response.to.tag
            if tag in self._callees or len(self._callees) >= MOST:
                return
            self._callees += (tag,)
        tell(self._listeners, Happening.REPLIED, run, outcome_of(response))

    def _let_go(self) -> None:
        if self.is_silent and self.run is not None and self.server.owner is self:
            engine = self.run.server
            engine.wheel.add(engine.transactions.longest, self.server.release)
        if self._listeners and self.server.is_invite and any(each.response is None for each in self.branches):
            self._late = self._late or self.run
        self.run = None
        self._edits = None

    def _let_branches_go(self) -> None:
        """Rule 6, unless somebody is still at work on them."""
        if self.server.owner is None and not self._held:
            self.branches.clear()
            self.relayed = self.winner = None

    def _drive(self, work: Coroutine[Any, None, None]) -> None:
        Stepper(work, nothing_more).step()
