"""What tm offers to other modules: requests of their own, what becomes of those of the script, and its failures."""

from __future__ import annotations

from collections.abc import Sequence

from openpy.engine.module import RouteKind
from openpy.engine.run import Run
from openpy.engine.waiting import Wait
from openpy.modules.tm.branch import ClientBranch
from openpy.modules.tm.context import ResponseContext
from openpy.modules.tm.listening import Delays, Happening, Listeners, Outcome
from openpy.modules.tm.requests import Answer, OwnRequest, Requests, in_dialog
from openpy.sip.message import Response

__all__ = [
    "Answer",
    "ClientBranch",
    "Happening",
    "Outcome",
    "OwnRequest",
    "TmApi",
    "context_of",
    "in_dialog",
    "status_of",
]


class TmApi:
    """The API, from `bind()` of the module. `listeners` are told, and `delays` asked, what `listening` says."""

    def __init__(self, requests: Requests, listeners: Listeners, delays: Delays) -> None:
        self._requests = requests
        self.listeners = listeners
        self.delays = delays

    def request(self, request: OwnRequest) -> Wait[Answer]:
        """Send a request, whose CSeq and tags are those that it says; `in_dialog` makes those of a dialog.

        Fails with DestinationError where it cannot be sent, or LocalError for a line end in a header value.
        """
        return self._requests.send(request)

    def cancel(self, call_id: str, cseq: int) -> bool:
        """Take an INVITE back that `request` sent; False if none is under way."""
        return self._requests.cancel(call_id, cseq)

    def winner(self, run: Run) -> ClientBranch | None:
        """In a failure_route the branch whose reply goes up if nobody does anything."""
        context = context_of(run)
        return context.winner if context is not None and run.kind is RouteKind.FAILURE else None

    def failed(self, run: Run) -> Sequence[ClientBranch]:
        """In a failure_route the branches that have failed since the last one."""
        context = context_of(run)
        return context.failed if context is not None and run.kind is RouteKind.FAILURE else ()


def context_of(run: Run) -> ResponseContext | None:
    """The response context of a run's transaction, once there is one."""
    owner = run.transaction and run.transaction.owner
    return owner if isinstance(owner, ResponseContext) else None


def status_of(run: Run) -> int:
    """The status that a run of a route is about; 0 where there is none."""
    if isinstance(run.message, Response):
        return run.message.status
    context = context_of(run)
    if run.kind is RouteKind.FAILURE and context is not None and context.winner is not None:
        return context.winner.status
    return run.transaction.status if run.transaction is not None else 0
