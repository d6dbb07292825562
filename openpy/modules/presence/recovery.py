"""The start: everything that the database has becomes state again.

Rules:
1. Reading changes no row. What has expired meanwhile is taken in like the rest, found by its deadline at once, ended,
   and told to its watchers.
2. Rows that cannot be understood (an event nobody registered, a body that is no document) are left alone until
   they expire.
3. Rows are read in a thread and taken in slices, between which messages are read.
4. Where several servers share the database, each takes the subscriptions that came by its own sockets.
5. After a restart every dialog first reserves new CSeqs: none that may have been used is used again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from sys import intern
from typing import TYPE_CHECKING, Any

from openpy.db.statements import TableSql
from openpy.modules.presence.authorization import Decision
from openpy.modules.presence.deciding import keep
from openpy.modules.presence.dialog import ACTIVE, PENDING, TERMINATED, Dialog, Subscription
from openpy.modules.presence.eventstate import EventState, LastState
from openpy.modules.presence.publications import Publication
from openpy.modules.presence.store import canonical, join_uri, octets
from openpy.sip.errors import RemoteError
from openpy.sip.uri import parse_uri

if TYPE_CHECKING:
    from openpy.modules.presence.agent import PresenceAgent


SLICE = 128
"""Rows that are taken in before messages are read again: under 10 ms."""

Load = Callable[["PresenceAgent", dict[str, Any]], bool]
"""Takes in a row by column name; False: it could not be understood."""


async def recover(agent: PresenceAgent, wanted: Callable[[], bool]) -> int:
    """Take in all rows; return how many could not be understood. Raises DatabaseError.

    Ends early once it is no longer `wanted`.
    """
    store = agent.store
    skipped = 0
    loads: dict[TableSql, Load] = {
        store.publications: load_publication,
        store.last_states: load_last_state,
        store.decisions: load_decision,
        store.subscriptions: _load_own_subscription if store.shared else load_subscription,
    }
    for table, load in loads.items():
        rows = store.rows(table)
        while wanted() and (some := await agent.services.run_blocking(_next, rows)):
            skipped += sum(not load(agent, row) for row in some)
        rows.close()
    for package in agent.registry.authorized():
        agent.look_again(package)
    return skipped


def _next(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(islice(rows, SLICE))


def is_local(agent: PresenceAgent, socket: str) -> bool:
    """Whether a row's `socket_info` names a socket of this server."""
    host, _, port = socket.partition(":")[2].rpartition(":")
    return port.isdecimal() and agent.services.is_myself(host, int(port))


def _state(agent: PresenceAgent, uri: str, event: str) -> EventState | None:
    package = agent.registry.named(event)
    return None if package is None else agent.presentity(uri).event(package)


def load_publication(agent: PresenceAgent, row: dict[str, Any]) -> bool:
    """A row becomes a publication; False: it could not be understood."""
    package = agent.registry.named(row["event"])
    if package is None:
        return False
    body = octets(row["body"])
    try:
        document = None if package.read_body is None else package.read_body(body)
    except RemoteError:
        return False
    state = agent.presentity(canonical(join_uri(row["username"], row["domain"]))).event(package)
    etag, received = row["etag"], row["received_time"]
    publication = Publication(state, row["id"], etag, row["expires"], received, body, document)
    state.publications[etag] = publication
    state.newest = max(state.newest, received)
    agent.published(publication)
    return True


def load_last_state(agent: PresenceAgent, row: dict[str, Any]) -> bool:
    """A row becomes a last state, unless a later one is known; False: it could not be understood."""
    state = _state(agent, join_uri(row["username"], row["domain"]), row["event"])
    if state is None:
        return False
    if state.last is None or state.last.ended <= row["ended"]:
        agent.keep_last_state(LastState(state, row["id"], row["ended"], octets(row["body"])))
    return True


def load_decision(agent: PresenceAgent, row: dict[str, Any]) -> bool:
    """A row becomes a decision, or what is known of it. Where nothing is authorized, rows are left alone."""
    package = agent.registry.named(row["event"])
    if package is None or not package.req_auth:
        return True
    state = agent.presentity(canonical(row["presentity_uri"])).event(package)
    watcher = canonical(join_uri(row["watcher_username"], row["watcher_domain"]))
    if state.access is None:
        return True
    known = state.access.decisions.get(watcher)
    if known is not None:
        known.status, known.reason = _judged(row)
        return True
    decision = Decision(state, watcher, row["id"], *_judged(row), row["inserted_time"])
    state.access.decisions[watcher] = decision
    keep(agent, decision)
    return True


def _load_own_subscription(agent: PresenceAgent, row: dict[str, Any]) -> bool:
    return not is_local(agent, row["socket_info"]) or load_subscription(agent, row)


def load_subscription(agent: PresenceAgent, row: dict[str, Any]) -> bool:
    """A row becomes a subscription in its dialog; False: it could not be understood."""
    uri = canonical(row["presentity_uri"])
    state = _state(agent, uri, row["event"])
    if state is None:
        return False
    dialog = agent.dialogs.get(row["to_tag"]) or _dialog(agent, uri, row)
    if (dialog.call_id, dialog.from_tag) != (row["callid"], row["from_tag"]):
        return False  # another server gave the same tag to another dialog
    if row["remote_cseq"] >= dialog.remote_cseq:
        dialog.remote_cseq = row["remote_cseq"]
        dialog.target = row["contact"]
    dialog.cseq = dialog.limit = dialog.reserved = max(dialog.cseq, row["local_cseq"])
    subscription = Subscription(dialog, state, row["event_id"] or None, row["id"], row["expires"])
    if state.access is not None:
        subscription.status, subscription.reason = _judged(row)
    subscription.version = row["local_cseq"]  # each document took a CSeq: this is more than were counted
    is_rejected = row["status"] == TERMINATED  # OpenSER keeps such rows
    if is_rejected or not _has_way(dialog):
        subscription.dead = True
        subscription.expires = 0.0
    agent.subscribed(subscription)
    state.told = b""  # what they were told before the restart is not known
    return True


def _judged(row: dict[str, Any]) -> tuple[int, str]:
    """Status and reason in a row; what waits for a decision in the words of OpenSER's descendants is pending here."""
    status = row["status"]
    return status if status in (ACTIVE, TERMINATED) else PENDING, row["reason"] or ""


def _has_way(dialog: Dialog) -> bool:
    try:
        parse_uri(dialog.path()[2])
    except RemoteError:
        return False
    return True


def _dialog(agent: PresenceAgent, uri: str, row: dict[str, Any]) -> Dialog:
    return Dialog(
        agent.notifier,
        agent.presentity(uri),
        call_id=row["callid"],
        from_tag=row["from_tag"],
        to_tag=row["to_tag"],
        watcher_uri=canonical(join_uri(row["watcher_username"], row["watcher_domain"])),
        to_uri=join_uri(row["to_user"], row["to_domain"]),
        target=row["contact"],
        local_contact=intern(row["local_contact"]),
        routes=row["record_route"] or "",
        socket=intern(row["socket_info"]),
        remote_cseq=row["remote_cseq"],
    )
