"""From the destination set of a route to branches that are sent (openser 1.3 module tm, RFC 3261 section 16.6)."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from openpy.engine.destinations import E_NO_DESTINATION, Destination, DestinationError, current_destination
from openpy.engine.module import RouteKind
from openpy.engine.routes import perform
from openpy.engine.run import Run
from openpy.engine.state import Branch
from openpy.engine.waiting import Stepper, Wait
from openpy.modules.tm.branch import ClientBranch, Patience, relayed
from openpy.modules.tm.breadth import UNSAID, shares_of, write_breadth
from openpy.modules.tm.context import ResponseContext
from openpy.modules.tm.errors import E_BREADTH


def targets_of(run: Run) -> list[Branch]:
    """Take the targets of a route from it: the Request-URI with its next hop, then what was appended.

    In a failure route the Request-URI is the one that has failed: it counts only if the script has written another,
    and has appended nothing.
    """
    state = run.state
    current = state.first_branch(run.uri)
    appended, state.branches = state.branches, []
    if run.kind is not RouteKind.FAILURE:
        return _once([current, *appended]) if appended else [current]
    context = run.transaction and run.transaction.owner
    is_new = state.destination_uri or not (
        isinstance(context, ResponseContext) and context.has_tried(run.uri)
    )
    return _once(appended) or ([current] if is_new else [])


def _once(targets: list[Branch]) -> list[Branch]:
    """Each target once (RFC 3261 section 16.5): the same URI by another way is another."""
    ways: dict[tuple[object, ...], Branch] = {}
    for target in targets:
        ways.setdefault((target.uri, target.destination_uri, target.send_socket, target.path), target)
    return list(ways.values())


async def send_branches(
    run: Run, context: ResponseContext, destination: Destination | None, patience: Patience
) -> None:
    """Send the request to all targets of the route, or to one destination with the URI of each.

    None waits for the name or the connection of another. Raises DestinationError where not one branch could be sent:
    that of the last attempt.
    """
    targets = targets_of(run)[: context.room]
    taken = context.breadth_taken if context.branches else 0
    shares = shares_of(run.request, taken, len(targets))
    if taken and targets and not shares:
        return  # they are too many: the first ones are under way
    route = context.armed.branch
    error, sent = E_NO_DESTINATION if shares or not targets else E_BREADTH, 0
    waiting: list[tuple[ClientBranch, Wait[int]]] = []
    context.hold()
    try:
        for target, share in zip(targets, shares, strict=False):
            if not context.is_open:
                break
            plain = route is None and share == UNSAID and target.uri == run.uri
            own = run if plain else _branch_run(run, context, target)
            if share != UNSAID:
                write_breadth(own, share)
            if route is not None:
                before = own.flags
                await perform(route, own)
                run.state.take_flags(own.state, before)
                if own.dropped or not context.is_open:
                    continue
            try:
                there = destination or current_destination(own)
                if own is run and there.is_name:  # the next address may be tried when the route has gone on
                    own = _branch_run(run, context, target)
                branch = _branch(own, context, there, patience, share)
            except DestinationError as failure:
                error = failure.code
                continue
            if branch.send_at_once():
                sent += 1
            else:
                waiting.append((branch, _begun(branch.send())))
        for branch, wait in waiting:
            code = await wait
            if not code:
                sent += 1
                continue
            error = code
            if branch in context.branches:  # unless the transaction ended meanwhile, and has let all go
                context.branches.remove(branch)
    finally:
        context.release()
    if not sent:
        raise DestinationError(error)


def _begun(work: Coroutine[Any, None, None]) -> Wait[int]:
    """Begin to send what may have to wait; the result is the code of the error, or 0."""
    wait: Wait[int] = Wait()

    def ended(_: None, error: BaseException | None) -> None:
        if error is None:
            wait.resolve(0)
        elif isinstance(error, DestinationError):
            wait.resolve(error.code)  # to keep the error itself would keep it and this alive
        else:
            wait.fail(error)

    Stepper(work, ended).step()
    return wait


def _branch(
    run: Run, context: ResponseContext, destination: Destination, patience: Patience, share: int
) -> ClientBranch:
    branch = ClientBranch(relayed(run), destination, context, patience)
    branch.breadth = share or 1
    context.branches.append(branch)  # it may be cancelled, or even answered, before it is sent
    return branch


def _branch_run(run: Run, context: ResponseContext, target: Branch) -> Run:
    """The message as one branch sees and changes it."""
    own = Run(run.server, run.message, run.flow, context.server)
    own.program = run.program
    own.kind = RouteKind.BRANCH
    own.number = run.number
    own.hops = run.hops
    own.edits_made = run.edits_made and run.edits_made.copy()
    own.state = run.state.of_branch(target)
    if run.state.uri is None and target.uri == run.request.uri:
        own.state.uri = None
    own.state.branch_number = len(context.branches) + 1
    return own
