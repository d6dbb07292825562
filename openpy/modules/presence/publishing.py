"""How a PUBLISH is handled (RFC 3903 section 6)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from openpy.modules.presence import requests
from openpy.modules.presence.changes import End, Publish
from openpy.modules.presence.events import EventPackage
from openpy.modules.presence.presentity import Committed
from openpy.modules.presence.publications import (
    Action,
    Publication,
    Revision,
    Standing,
    decide,
    next_place,
    state_of,
)
from openpy.modules.presence.retransmissions import made_by
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from openpy.sip.uri import Uri
from openpy.transaction.flow import Flow

if TYPE_CHECKING:
    from openpy.modules.presence.agent import PresenceAgent


Answer = tuple[str, Committed | None]
"""The headers of a 200, and what it has to wait for (None: nothing)."""


def publish(agent: PresenceAgent, request: Request, flow: Flow, resource: str, sender: str = "") -> Answer:
    """Decide about a PUBLISH; raises RemoteError to refuse it.

    `resource` is the Request-URI as the script left it. `sender` is the argument of handle_publish: the watcher with
    this Contact is not told.
    """
    requests.check_extensions(request)
    uri = requests.presentity_uri(resource)
    package, _ = requests.event_package(request, agent.registry)
    if package.type == "winfo":
        raise requests.bad_event(agent.registry)
    etag = requests.entity_tag(request)
    now = agent.now()
    current = None if etag is None else agent.standing(uri, package, etag)
    if current is None and now < agent.young_until:
        known = agent.presentities.get(uri)
        done = made_by(request, None if known is None else known.events.get(package.name), now)
        if done is not None:
            return _answered_late(agent, done, flow, now), None
    settings = agent.settings
    lifetime = requests.granted_expires(request, package, settings.limits)
    body = request.body
    action = decide(current, lifetime, bool(body), conditional=etag is not None, now=now)
    silenced = requests.sender_uri(sender) if sender else None
    document = None
    if body and action is not Action.REMOVE:
        requests.check_body(request, package, settings.limits)
        if package.evs_publ_handl is not None:
            package.evs_publ_handl(request)
        if current is not None and current.body == body:
            document = current.document
        elif package.read_body is not None:
            document = package.read_body(body)
    expires = now + lifetime
    committed = None
    if current is None:
        etag = agent.new_etag(request)
        if action is Action.CREATE:
            committed = _create(agent, uri, package, etag, expires, now, body, document, silenced)
    elif action is Action.REMOVE:
        etag = current.etag
        committed = state_of(current).presentity.submit(End(agent, (current,), silenced=silenced))
    else:
        etag = current.etag if package.etag_not_new else agent.new_etag(request)
        if action is Action.REFRESH:
            committed = _refresh(agent, current, etag, expires)
        else:
            committed = _modify(agent, current, etag, expires, now, body, document, silenced)
    return _headers(agent, lifetime, etag, flow), committed


def _headers(agent: PresenceAgent, lifetime: int, etag: str, flow: Flow) -> str:
    told = max(lifetime - agent.settings.expires_offset, 0)
    return f"Expires: {told}\r\nSIP-ETag: {etag}\r\nContact: <{agent.contact(flow)}>\r\n"


def _answered_late(agent: PresenceAgent, done: Publication, flow: Flow, now: float) -> str:
    """What a life before this one should have answered; it may not have told the watchers either."""
    agent.services.soon(partial(agent.show, state_of(done)))
    return _headers(agent, int(done.expires - now), done.etag, flow)


def _create(
    agent: PresenceAgent,
    uri: str,
    package: EventPackage,
    etag: str,
    expires: float,
    now: float,
    body: bytes,
    document: Any,
    silenced: Uri | None,
) -> Committed:
    presentity = agent.presentity(uri)
    state = presentity.event(package)
    agent.budgets.check_publication(state)
    id_ = agent.store.publication_id()
    place = next_place(state.newest, None, now)
    publication = Publication(state, id_, etag, expires, place, body, document)
    revision = Revision(publication, etag, expires, place, body, document)
    try:
        operation = agent.store.insert_publication(uri, package.name, id_, revision)
    except RemoteError:
        agent.let_go(presentity)
        raise
    return presentity.submit(Publish(agent, state, revision, (operation,), silenced=silenced))


def _refresh(agent: PresenceAgent, current: Standing, etag: str, expires: float) -> Committed:
    publication = current.publication
    state = state_of(publication)
    revision = Revision(publication, etag, expires, current.received, current.body, current.document)
    operation = agent.store.refresh_publication(publication.id, revision, current.etag)
    change = Publish(agent, state, revision, (operation,), old_etag=current.etag, visible=False)
    return state.presentity.submit(change)


def _modify(
    agent: PresenceAgent,
    current: Standing,
    etag: str,
    expires: float,
    now: float,
    body: bytes,
    document: Any,
    silenced: Uri | None,
) -> Committed:
    publication = current.publication
    state = state_of(publication)
    place = next_place(state.newest, current.received, now)
    revision = Revision(publication, etag, expires, place, body, document)
    operation = agent.store.modify_publication(publication.id, revision, current.etag)
    change = Publish(agent, state, revision, (operation,), old_etag=current.etag, silenced=silenced)
    return state.presentity.submit(change)
