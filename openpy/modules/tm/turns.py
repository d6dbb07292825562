"""The order in which the replies of one forwarded request are dealt with, and who sees them before that.

Rules:
1. One after the other: a reply that comes while a route looks at the one before, or while a 2xx waits, has its turn
   after it.
2. The reply route sees each reply. One below 200 that it drops is dealt with no further; what it changes goes on, and
   its flags are those of the transaction.
3. Where no route looks, and nothing has to be waited for, a reply is dealt with at once.
4. A reply that cannot be dealt with, by an error of ours, does not keep back those behind it.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from openpy.engine.forward import changed_reply
from openpy.engine.module import RouteKind
from openpy.engine.routes import CompiledRoute, perform
from openpy.engine.run import Run
from openpy.engine.state import State
from openpy.engine.waiting import Stepper
from openpy.modules.tm.branch import ClientBranch
from openpy.modules.tm.listening import Delays, delayed
from openpy.sip.message import Response
from openpy.transaction.flow import Flow
from openpy.transaction.server import ServerTransaction


class Taker(Protocol):
    """Who deals with the replies: `server` is the transaction of the request, `state` what the script set for it."""

    server: ServerTransaction
    state: State

    @property
    def reply_route(self) -> CompiledRoute | None:
        """The route that sees each reply."""
        ...

    @property
    def run(self) -> Run | None:
        """The route that forwards, until a final reply goes up."""
        ...

    def take(self, branch: ClientBranch, response: Response) -> None:
        """Deal with a reply."""
        ...


class Turns:
    """The replies that have not been dealt with, to the request that a run of a route forwards.

    `with_avps`: whether reply routes see the AVPs of the transaction. Who deals with the replies is told with each: the
    two would keep each other alive.
    """

    __slots__ = ("_delays", "_engine", "_program", "_waiting", "_with_avps")

    def __init__(self, run: Run, delays: Delays | None, *, with_avps: bool) -> None:
        self._engine = run.server
        self._program = run.program
        self._delays = delays
        self._with_avps = with_avps
        self._waiting: deque[tuple[ClientBranch, Response]] = deque()

    def came(self, taker: Taker, branch: ClientBranch, response: Response) -> None:
        """A reply came by a branch."""
        self._waiting.append((branch, response))
        if len(self._waiting) > 1:
            return
        if taker.reply_route is not None or self._is_delayed(taker, response):
            self._begin(taker)
            return
        try:
            taker.take(branch, response)
        finally:
            self._waiting.popleft()
            if self._waiting:
                self._begin(taker)

    def _begin(self, taker: Taker) -> None:
        Stepper(self._serve(taker), nothing_more).step()

    async def _serve(self, taker: Taker) -> None:
        """Deal with what waits, in order; each stays in the queue until it was dealt with."""
        while self._waiting:
            branch, response = self._waiting[0]
            try:
                await self._deal(taker, branch, response)
            except Exception as error:  # noqa: BLE001 - rule 4
                self._engine.report(error)
            self._waiting.popleft()

    async def _deal(self, taker: Taker, branch: ClientBranch, response: Response) -> None:
        seen = await self._shown(taker, branch, response)
        if seen is not None:
            await self._ready(taker, branch, seen)
            taker.take(branch, seen)

    async def _shown(self, taker: Taker, branch: ClientBranch, response: Response) -> Response | None:
        """Let the reply route see a reply; None where it drops a provisional one."""
        route = taker.reply_route
        if route is None:
            return response
        run = Run(self._engine, response, self._came_by(branch, response), taker.server)
        run.program = self._program
        run.kind = RouteKind.ONREPLY
        run.state = State(flags=taker.state.flags, branch_flags=branch.flags)
        if self._with_avps:
            run.state.avps = taker.state.avps
        before = run.flags
        await perform(route, run)
        taker.state.take_flags(run.state, before)
        branch.flags = run.state.branch_flags
        if run.dropped and response.status < 200:
            return None
        return changed_reply(response, run.edits_made)

    def _came_by(self, branch: ClientBranch, response: Response) -> Flow:
        """The way by which a reply came: that of its request, mostly, though a datagram may come from elsewhere."""
        assert branch.client is not None
        flow = branch.client.flow
        if flow.transport == "udp" and response.source not in (None, (flow.host, flow.port)):
            assert response.source is not None
            return self._engine.flow("udp", *response.source, (flow.local_host, flow.local_port)) or flow
        return flow

    def _is_delayed(self, taker: Taker, response: Response) -> bool:
        return bool(self._delays) and taker.server.is_invite and 200 <= response.status < 300

    async def _ready(self, taker: Taker, branch: ClientBranch, response: Response) -> None:
        """Wait until a 2xx may go up."""
        run = taker.run
        if (
            run is not None
            and self._delays
            and branch.client is not None
            and self._is_delayed(taker, response)
        ):
            await delayed(self._delays, run, response, branch.client.flow)


def nothing_more(_: Any, error: BaseException | None) -> None:
    """What is left to do at the end of a coroutine that nobody waits for."""
    if error is not None:
        raise error
