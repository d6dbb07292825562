"""How a PUBLISH is handled (RFC 3903 section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from openpy.modules.presence import requests
from openpy.modules.presence.changes import End, Publish
from openpy.modules.presence.events import EventPackage
from openpy.modules.presence.presentity import Committed, Presentity
from openpy.modules.presence.publications import Action, Publication, Revision, Standing, decide, next_place
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from openpy.sip.uri import Uri
from openpy.transaction.flow import Flow

if TYPE_CHECKING:
    from openpy.modules.presence.agent import PresenceAgent


class Answer(NamedTuple):
    """The headers of a 200 that may leave once `committed` has come (None: at once)."""

    headers: str
    committed: Committed | None


class _Publish(NamedTuple):
    """A PUBLISH that is accepted: what it publishes, for how long (seconds), and who need not be told."""

    uri: str
    package: EventPackage
    body: bytes
    document: Any
    lifetime: int
    now: float
    silenced: Uri | None


def publish(agent: PresenceAgent, request: Request, flow: Flow, sender: str = "") -> Answer:
    """Decide about a PUBLISH; raises RemoteError to refuse it.

    `sender` is the argument of handle_publish: the watcher with this Contact is not told.
    """
    requests.check_extensions(request)
    uri = requests.presentity_uri(request)
    package, _ = requests.event_package(request, agent.registry)
    etag = requests.entity_tag(request)
    now = agent.now()
    current = _current(agent, uri, package, etag)
    limits = agent.settings.limits
    lifetime = requests.granted_expires(request, package, limits)
    body = request.body
    action = decide(current, lifetime, bool(body), conditional=etag is not None, now=now)
    silenced = requests.sender_uri(sender) if sender else None
    document = None
    if body and action is not Action.REMOVE:
        requests.check_body(request, package, limits)
        if package.evs_publ_handl is not None:
            package.evs_publ_handl(request)
        if current is not None and current.body == body:
            document = current.document
        elif package.read_body is not None:
            document = package.read_body(body)
    accepted = _Publish(uri, package, body, document, lifetime, now, silenced)
    if current is None:
        etag = agent.new_etag()
        committed = _create(agent, accepted, etag) if action is Action.CREATE else None
    elif action is Action.REMOVE:
        etag = current.etag
        committed = _presentity(current).submit(End(agent, (current,), silenced=silenced))
    else:
        etag = current.etag if package.etag_not_new else agent.new_etag()
        committed = _revise(agent, accepted, etag, current, action)
    return Answer(_headers(agent, etag, lifetime, flow), committed)


def _current(agent: PresenceAgent, uri: str, package: EventPackage, etag: str | None) -> Standing | None:
    """What the entity-tag names, as the presentity will be once everything outstanding is committed."""
    if etag is None:
        return None
    presentity = agent.presentities.get(uri)
    return None if presentity is None else presentity.publication(package, etag)


def _create(agent: PresenceAgent, accepted: _Publish, etag: str) -> Committed:
    uri, package, body, document, lifetime, now, silenced = accepted
    presentity = agent.presentity(uri)
    state = presentity.event(package)
    id_ = agent.store.publication_id()
    place = next_place(state.newest, None, now)
    publication = Publication(state, id_, etag, now + lifetime, place, body, document)
    revision = Revision(publication, etag, publication.expires, publication.received, body, document)
    try:
        operation = agent.store.insert_publication(uri, package.name, id_, revision)
    except RemoteError:
        agent.let_go(presentity)
        raise
    return presentity.submit(Publish(agent, state, revision, (operation,), silenced=silenced))


def _revise(
    agent: PresenceAgent, accepted: _Publish, etag: str, current: Standing, action: Action
) -> Committed:
    publication = current if isinstance(current, Publication) else current.publication
    state = publication.state
    assert state is not None
    expires = accepted.now + accepted.lifetime
    if action is Action.REFRESH:
        revision = Revision(publication, etag, expires, current.received, current.body, current.document)
        operation = agent.store.refresh_publication(publication.id, revision)
    else:
        place = next_place(state.newest, current.received, accepted.now)
        revision = Revision(publication, etag, expires, place, accepted.body, accepted.document)
        operation = agent.store.modify_publication(publication.id, revision)
    change = Publish(
        agent,
        state,
        revision,
        (operation,),
        old_etag=current.etag,
        visible=action is Action.MODIFY,
        silenced=accepted.silenced,
    )
    return state.presentity.submit(change)


def _presentity(standing: Standing) -> Presentity:
    state = standing.state
    assert state is not None
    return state.presentity


def _headers(agent: PresenceAgent, etag: str, lifetime: int, flow: Flow) -> str:
    expires = max(lifetime - agent.settings.expires_offset, 0)
    return f"Expires: {expires}\r\nSIP-ETag: {etag}\r\nContact: <{agent.contact(flow)}>\r\n"
