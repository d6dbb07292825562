"""What `refreshWatchers` does: somebody else has changed rules or published state, and says so.

Rules:
1. Everything of the presentity passes its queue; what is read was not changed by us since, or is read again.
2. Rows that were changed by another hand count as they are; memory follows.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from openpy.db.dialect import Row
from openpy.db.errors import DatabaseError, Unavailable
from openpy.engine.mi import CommandFailed, MiError
from openpy.engine.waiting import Wait
from openpy.modules.presence.deciding import decide_anew
from openpy.modules.presence.dialog import ACTIVE
from openpy.modules.presence.presentity import Presentity, Undone
from openpy.modules.presence.publications import Publication
from openpy.modules.presence.store import octets, split_uri
from openpy.sip.errors import RemoteError
from openpy.sip.headers import parse_event
from openpy.sip.uri import aor_of

if TYPE_CHECKING:
    from openpy.modules.presence.agent import PresenceAgent
    from openpy.modules.presence.events import EventPackage
    from openpy.modules.presence.eventstate import EventState

ATTEMPTS = 20
"""How often a presentity that changes all the time is read."""

PAUSE = 0.1
"""Seconds between two attempts."""


async def refresh_watchers(agent: PresenceAgent, presentity_uri: str, event: str, refresh_type: str) -> None:
    """The command; raises MiError and CommandFailed."""
    if not presentity_uri:
        raise MiError(404, "Empty presentity URI")
    if not event or not refresh_type:
        raise MiError(400, "Empty event parameter")
    try:
        package = agent.registry.search(parse_event(event))
        uri = aor_of(presentity_uri)
        by_rules = int(refresh_type) == 0
    except (RemoteError, ValueError) as error:
        raise CommandFailed(str(error)) from error
    if package is None:
        raise CommandFailed(f"no event {event}")
    if by_rules and package.get_rules_doc is None:
        raise CommandFailed(f"event {event} has no rules")
    try:
        if package.reread is not None:
            await package.reread(*split_uri(uri))
        if by_rules:
            await rules_changed(agent, uri, package)
        else:
            await state_changed(agent, uri, package)
    except DatabaseError as error:
        raise CommandFailed(str(error)) from error


async def rules_changed(agent: PresenceAgent, uri: str, package: EventPackage) -> int:
    """Judge all watchers of a presentity by its rules as they are; return how many were told.

    Raises DatabaseError.
    """
    while True:
        state = known_state(agent, uri, package)
        if state is None:
            return 0
        try:
            decided = decide_anew(agent, state, anew=True)
        except RemoteError as error:
            raise Unavailable(str(error)) from error
        if decided is None:
            return 0
        change, committed = decided
        agent.store.writer.flush()
        refused = await committed
        if refused is None:
            return await change.told
        if not isinstance(refused, Undone):
            raise refused


async def state_changed(agent: PresenceAgent, uri: str, package: EventPackage) -> None:
    """Read the publications of an event again, and tell all active watchers; raises DatabaseError."""
    for _ in range(ATTEMPTS):
        before = _mark(agent.presentities.get(uri))
        if before is not None:
            rows = await _read(agent, uri, package)
            if _mark(agent.presentities.get(uri)) == before:
                break
        await _pause(agent)
    else:
        raise Unavailable(f"{uri} changes all the time")
    presentity = agent.presentity(uri)
    state = presentity.event(package)
    _take(agent, state, rows)
    state.changed()
    state.told = state.tail(agent.now())
    agent.notifier.fan_out([item for item in state.subscriptions.values() if item.status == ACTIVE])
    agent.decide_by_state(state)
    agent.let_go(presentity)


def known_state(agent: PresenceAgent, uri: str, package: EventPackage) -> EventState | None:
    """The state of an event, if there is any."""
    presentity = agent.presentities.get(uri)
    return None if presentity is None else presentity.events.get(package.name)


def _mark(presentity: Presentity | None) -> tuple[Presentity | None, int] | None:
    """What stays the same while nothing of a presentity is decided; None while something is."""
    if presentity is None:
        return None, 0
    return None if presentity.outstanding or presentity.broken else (presentity, presentity.changes)


async def _read(agent: PresenceAgent, uri: str, package: EventPackage) -> list[Row]:
    store = agent.store
    dialect = store.database.dialect
    quote, mark = dialect.quote, dialect.placeholder
    columns = ", ".join(quote(name) for name in ("id", "etag", "expires", "received_time", "body"))
    names = " AND ".join(f"{quote(name)} = {mark}" for name in ("username", "domain", "event"))
    answer: Wait[list[Row]] = Wait()
    sql = f"SELECT {columns} FROM {quote(store.publications.name)} WHERE {names}"
    store.database.reader.query(sql, (*split_uri(uri), package.name), partial(_answered, answer))
    return await answer


def _answered(answer: Wait[list[Row]], rows: list[Row], error: DatabaseError | None) -> None:
    if error is None:
        answer.resolve(rows)
    else:
        answer.fail(error)


async def _pause(agent: PresenceAgent) -> None:
    over: Wait[None] = Wait()
    agent.services.wheel.add(PAUSE, partial(over.resolve, None))
    await over


def _take(agent: PresenceAgent, state: EventState, rows: list[Row]) -> None:
    """Make the publications in memory those of the rows."""
    known = {item.id: item for item in state.publications.values()}
    state.publications.clear()
    for id_, etag, expires, received, content in rows:
        body = octets(content)
        publication = known.pop(id_, None)
        if publication is None:
            agent.store.database.skip_id(agent.store.publications, id_)
        try:
            document = _document(state.package, publication, body)
        except RemoteError as error:
            agent.services.log.warning("presence", f"row {id_} of {state.presentity.uri}: {error}")
            document = None
        if document is None and state.package.read_body is not None:
            if publication is not None:
                agent.unpublished(publication)
            continue
        if publication is None:
            publication = Publication(state, id_, etag, expires, received, body, document)
            agent.published(publication)
        else:
            _renew(publication, etag, expires, received, body, document)
            agent.deadlines.put(publication)
        state.publications[etag] = publication
        state.newest = max(state.newest, received)
    for publication in known.values():
        agent.unpublished(publication)


def _document(package: EventPackage, publication: Publication | None, body: bytes) -> object:
    if publication is not None and publication.body == body:
        return publication.document
    return None if package.read_body is None else package.read_body(body)


def _renew(
    publication: Publication, etag: str, expires: float, received: int, body: bytes, document: object
) -> None:
    publication.etag = etag
    publication.expires = expires
    publication.received = received
    publication.body = body
    publication.document = document
