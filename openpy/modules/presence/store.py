"""Rows and state: which columns hold what, and the operations that write them.

Rules:
1. A row is addressed by the id that memory keeps. A refresh writes only the columns that change.
2. Values from outside are checked against the real widths before a row is submitted, so that the refusal can
   name the field.
3. Where several servers share the database, a row is updated only if it is as this server knows it: a publication
   by its entity-tag, a subscription by its reserved CSeq. One that was changed by another server counts as gone.
4. The presentity of a row is user and host of its canonical URI; a URI of another scheme stands whole in the
   user column, with an empty domain.
"""

from __future__ import annotations

from collections.abc import Generator
from math import ceil
from typing import TYPE_CHECKING, Any

from openpy.db.database import Database
from openpy.db.dialect import Row
from openpy.db.statements import Delete, FixedUpdate, TableSql, Update, Upsert
from openpy.modules.presence.tables import ActiveWatchers, LastStates, Presentity, Watchers
from openpy.sip.errors import RemoteError
from openpy.sip.uri import aor_of

if TYPE_CHECKING:
    from openpy.modules.presence.authorization import Decision
    from openpy.modules.presence.dialog import Subscription
    from openpy.modules.presence.eventstate import LastState
    from openpy.modules.presence.publications import Standing

FIELDS = {
    "username": "Request-URI user",
    "domain": "Request-URI host",
    "presentity_uri": "Request-URI",
    "watcher_username": "From user",
    "watcher_domain": "From host",
    "to_user": "To user",
    "to_domain": "To host",
    "event_id": "Event id",
    "from_tag": "From tag",
    "callid": "Call-ID",
    "contact": "Contact",
    "record_route": "Record-Route",
    "socket_info": "Receiving socket",
    "local_contact": "Contact of this server",
}
"""What the columns are called in a refusal."""

MAX_ROUTE = 8_000
"""Characters of a route set: TEXT has no width that a database would tell."""


class Store:
    """The tables of presence in one database."""

    def __init__(
        self,
        database: Database,
        presentity: str,
        active_watchers: str,
        watchers: str,
        *,
        shared: bool = False,
    ) -> None:
        """Check (or make) the tables under these names; raises DatabaseError.

        `shared`: other servers write to them.
        """
        self.database = database
        self.shared = shared
        if shared:
            database.share()
        self.writer = database.writer
        self.publications = database.use(Presentity, presentity)
        self.subscriptions = database.use(ActiveWatchers, active_watchers)
        self.decisions = database.use(Watchers, watchers)
        self.last_states = database.use(LastStates)
        place = ("socket_info", "local_contact") if shared else ()
        self._refresh = self._update(self.publications, "etag", "etag", "expires")
        self._modify = self._update(self.publications, "etag", "etag", "expires", "received_time", "body")
        self._resubscribe = self._update(
            self.subscriptions, "local_cseq", "expires", "remote_cseq", "contact", "local_cseq", *place
        )
        self._reserve = self._update(self.subscriptions, "local_cseq", "local_cseq")
        self._judge = self.subscriptions.update("status", "reason")
        self._decide = self.decisions.update("status", "reason")

    def _update(self, table: TableSql, guard: str, *columns: str) -> FixedUpdate:
        return table.guarded_update(guard, *columns) if self.shared else table.update(*columns)

    # --- ids ----------------------------------------------------------------------------------------------------

    def publication_id(self) -> int:
        """The id of a new publication."""
        return self.database.next_id(self.publications)

    def subscription_id(self) -> int:
        """The id of a new subscription."""
        return self.database.next_id(self.subscriptions)

    def decision_id(self) -> int:
        """The id of a new decision about a watcher."""
        return self.database.next_id(self.decisions)

    def last_state_id(self) -> int:
        """The id of a new last state."""
        return self.database.next_id(self.last_states)

    # --- publications -------------------------------------------------------------------------------------------

    def insert_publication(self, uri: str, event: str, id_: int, standing: Standing) -> Upsert:
        """The whole row; raises RemoteError (400) for a value that does not fit."""
        user, domain = split_uri(uri)
        values = (
            user,
            domain,
            event,
            standing.etag,
            ceil(standing.expires),
            standing.received,
            standing.body,
        )
        return Upsert(self.publications, id_, _fitting(self.publications, values))

    def refresh_publication(self, id_: int, standing: Standing, old_etag: str) -> Update:
        """New entity-tag and lifetime."""
        values: Row = (standing.etag, ceil(standing.expires))
        return Update(self._refresh, id_, (*values, old_etag) if self.shared else values)

    def modify_publication(self, id_: int, standing: Standing, old_etag: str) -> Update:
        """New entity-tag, lifetime, place and body."""
        values: Row = (standing.etag, ceil(standing.expires), standing.received, standing.body)
        return Update(self._modify, id_, (*values, old_etag) if self.shared else values)

    def delete_publication(self, id_: int) -> Delete:
        """No more row."""
        return Delete(self.publications, id_)

    # --- what is told after the last publication --------------------------------------------------------------

    def keep_last_state(self, last: LastState) -> Upsert:
        """The whole row."""
        user, domain = split_uri(last.state.presentity.uri)
        return Upsert(
            self.last_states, last.id, (user, domain, last.state.package.name, int(last.ended), last.body)
        )

    def delete_last_state(self, id_: int) -> Delete:
        """No more row."""
        return Delete(self.last_states, id_)

    # --- subscriptions --------------------------------------------------------------------------------------------

    def insert_subscription(
        self, subscription: Subscription, remote_cseq: int, target: str, reserved: int
    ) -> Upsert:
        """The whole row; raises RemoteError (400) for a value that does not fit."""
        dialog = subscription.dialog
        values = (
            dialog.presentity.uri,
            *split_uri(dialog.watcher_uri),
            *split_uri(dialog.to_uri),
            subscription.state.package.name,
            subscription.event_id,
            dialog.to_tag,
            dialog.from_tag,
            dialog.call_id,
            reserved,
            remote_cseq,
            target,
            dialog.routes,
            ceil(subscription.expires),
            subscription.status,
            subscription.reason,
            0,
            dialog.socket,
            dialog.local_contact,
        )
        if len(dialog.routes) > MAX_ROUTE:
            raise RemoteError(400, "Record-Route too long")
        return Upsert(self.subscriptions, subscription.id, _fitting(self.subscriptions, values))

    def refresh_subscription(
        self, subscription: Subscription, expires: float, remote_cseq: int, target: str, reserved: int
    ) -> Update:
        """New lifetime, target and CSeqs; raises RemoteError (400) for a target that does not fit."""
        values: Row = (ceil(expires), remote_cseq, target, reserved)
        if self.shared:
            dialog = subscription.dialog
            values = (*values, dialog.socket, dialog.local_contact, dialog.reserved)
        if target != subscription.dialog.target:
            values = _fitting(self._resubscribe, values)
        return Update(self._resubscribe, subscription.id, values)

    def reserve_cseq(self, subscription: Subscription, reserved: int) -> Update:
        """A new upper bound for the CSeq of NOTIFYs."""
        values = (reserved, subscription.dialog.reserved) if self.shared else (reserved,)
        return Update(self._reserve, subscription.id, values)

    def delete_subscription(self, id_: int) -> Delete:
        """No more row."""
        return Delete(self.subscriptions, id_)

    def judge_subscription(self, id_: int, status: int, reason: str) -> Update:
        """A new status."""
        return Update(self._judge, id_, (status, reason))

    # --- decisions about watchers -------------------------------------------------------------------------------

    def keep_decision(self, uri: str, decision: Decision) -> Upsert:
        """The whole row; raises RemoteError (400) for a value that does not fit."""
        assert decision.state is not None
        event = decision.state.package.name
        watcher = split_uri(decision.watcher_uri)
        values = (uri, *watcher, event, decision.status, decision.reason, decision.inserted)
        return Upsert(self.decisions, decision.id, _fitting(self.decisions, values))

    def change_decision(self, id_: int, status: int, reason: str) -> Update:
        """It was decided otherwise."""
        return Update(self._decide, id_, (status, reason))

    def delete_decision(self, id_: int) -> Delete:
        """No more row."""
        return Delete(self.decisions, id_)

    # --- reading -----------------------------------------------------------------------------------------------

    def rows(self, table: TableSql) -> Generator[dict[str, Any], None, None]:
        """All rows of a table by column name, streamed. Blocks; may be called in any thread. Raises DatabaseError."""
        names = ("id", *table.columns)
        for row in self.database.rows(table):
            yield dict(zip(names, row, strict=True))


def split_uri(uri: str) -> tuple[str, str]:
    """The columns of a canonical URI: user and host."""
    if uri[:4] != "sip:":
        return uri, ""
    user, _, host = uri[4:].rpartition("@")
    return user, host


def join_uri(user: str, host: str) -> str:
    """The canonical URI that two columns mean."""
    if not host:
        return user
    return f"sip:{user}@{host}" if user else f"sip:{host}"


def canonical(uri: str) -> str:
    """The URI of a row as we would write it: OpenSER keeps the host as it was sent."""
    try:
        return aor_of(uri)
    except RemoteError:
        return uri


def octets(content: Any) -> bytes:
    """A body as a column has it; what another hand wrote may be a text."""
    return content.encode() if isinstance(content, str) else bytes(content)


def _fitting(statement: TableSql | FixedUpdate, values: Row) -> Row:
    column = statement.misfit(values)
    if column is None:
        return values
    table = statement.table if isinstance(statement, FixedUpdate) else statement
    value = values[statement.columns.index(column)]
    width = table.widths.get(column)
    fault = "too long" if width is not None and len(value) > width else "is not UTF-8"
    raise RemoteError(400, f"{FIELDS.get(column, column)} {fault}")
