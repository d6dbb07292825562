"""The start: everything that the database has becomes state again.

Rules:
1. Reading changes no row. What has expired meanwhile is taken in like the rest, found by its deadline at once, ended,
   and told to its watchers.
2. Rows that cannot be understood (an event nobody registered, a body that is no document) are left alone until
   they expire.
3. After a restart every dialog first reserves new CSeqs: none that may have been used is used again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpy.modules.presence.dialog import Dialog, Subscription
from openpy.modules.presence.eventstate import EventState, LastState
from openpy.modules.presence.publications import Publication
from openpy.modules.presence.store import join_uri
from openpy.sip.errors import RemoteError
from openpy.sip.uri import parse_uri

if TYPE_CHECKING:
    from openpy.modules.presence.agent import PresenceAgent


def recover(agent: PresenceAgent) -> int:
    """Load all rows, as a stream; return how many could not be understood. Blocks; raises DatabaseError."""
    store = agent.store
    skipped = 0
    for row in store.rows(store.publications):
        skipped += not _publication(agent, row)
    for row in store.rows(store.last_states):
        skipped += not _last_state(agent, row)
    for row in store.rows(store.subscriptions):
        skipped += not _subscription(agent, row)
    return skipped


def _state(agent: PresenceAgent, uri: str, event: str) -> EventState | None:
    package = agent.registry.named(event)
    return None if package is None else agent.presentity(uri).event(package)


def _publication(agent: PresenceAgent, row: dict[str, Any]) -> bool:
    package = agent.registry.named(row["event"])
    if package is None:
        return False
    body = bytes(row["body"])
    try:
        document = None if package.read_body is None else package.read_body(body)
    except RemoteError:
        return False
    state = agent.presentity(join_uri(row["username"], row["domain"])).event(package)
    etag, received = row["etag"], row["received_time"]
    publication = Publication(state, row["id"], etag, row["expires"], received, body, document)
    state.publications[etag] = publication
    state.newest = max(state.newest, received)
    agent.published(publication)
    return True


def _last_state(agent: PresenceAgent, row: dict[str, Any]) -> bool:
    state = _state(agent, join_uri(row["username"], row["domain"]), row["event"])
    if state is None:
        return False
    if state.last is None or state.last.ended <= row["ended"]:
        agent.keep_last_state(LastState(state, row["id"], row["ended"], bytes(row["body"])))
    return True


def _subscription(agent: PresenceAgent, row: dict[str, Any]) -> bool:
    uri = row["presentity_uri"]
    state = _state(agent, uri, row["event"])
    if state is None:
        return False
    dialog = agent.dialogs.get(row["to_tag"]) or _dialog(agent, row)
    if (dialog.call_id, dialog.from_tag) != (row["callid"], row["from_tag"]):
        return False  # another server gave the same tag to another dialog
    if row["remote_cseq"] >= dialog.remote_cseq:
        dialog.remote_cseq = row["remote_cseq"]
        dialog.target = row["contact"]
    dialog.cseq = dialog.limit = dialog.reserved = max(dialog.cseq, row["local_cseq"])
    subscription = Subscription(dialog, state, row["event_id"] or None, row["id"], row["expires"])
    try:
        _ = parse_uri(dialog.path()[2])
    except RemoteError:
        subscription.dead = True
        subscription.expires = 0.0
    agent.subscribed(subscription)
    state.told = b""  # what they were told before the restart is not known
    return True


def _dialog(agent: PresenceAgent, row: dict[str, Any]) -> Dialog:
    return Dialog(
        agent.notifier,
        agent.presentity(row["presentity_uri"]),
        call_id=row["callid"],
        from_tag=row["from_tag"],
        to_tag=row["to_tag"],
        watcher_uri=join_uri(row["watcher_username"], row["watcher_domain"]),
        to_uri=join_uri(row["to_user"], row["to_domain"]),
        target=row["contact"],
        local_contact=row["local_contact"],
        routes=row["record_route"] or "",
        socket=row["socket_info"],
        remote_cseq=row["remote_cseq"],
    )
