"""What other modules get from `presence.bind()`: 1.3's `bind_presence`, every member of its `presence_api_t`.

Rules:
1. Functions keep the names of 1.3. What was passed by reference there is returned here, and errors are raised.
2. In a library (no `db_url`) all works but `update_watchers_status`, which finds nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from openpy.db.database import Database
from openpy.db.errors import DatabaseError
from openpy.db.statements import TableSql
from openpy.modules.presence import mi, requests
from openpy.modules.presence.authorization import AuthStatus
from openpy.modules.presence.dialog import ACTIVE, PENDING, TERMINATED
from openpy.modules.presence.events import Documents, EventPackage, EventRegistry
from openpy.modules.presence.requests import Limits
from openpy.modules.presence.shtable import Key, SubscriptionTable, key_of
from openpy.modules.presence.store import split_uri
from openpy.modules.presence.subs import LOCAL_TYPE, REMOTE_TYPE, Subs
from openpy.modules.presence.subscribing import route_set, socket_info
from openpy.sip.errors import RemoteError
from openpy.sip.headers import Event, parse_event
from openpy.sip.message import Request
from openpy.sip.uri import aor_of
from openpy.transaction.flow import Flow

if TYPE_CHECKING:
    from openpy.engine.services import Services
    from openpy.modules.presence.agent import PresenceAgent

__all__ = [
    "ACTIVE",
    "LOCAL_TYPE",
    "PENDING",
    "REMOTE_TYPE",
    "TERMINATED",
    "AuthStatus",
    "Documents",
    "EventPackage",
    "Key",
    "PresenceApi",
    "Subs",
    "SubscriptionTable",
    "key_of",
]


@dataclass(slots=True)
class PresenceApi:
    """Registers events and looks them up; keeps subscriptions for other modules.

    `agent` gives what this server knows of presence: None in a library, and before the rows are loaded.
    """

    registry: EventRegistry
    services: Services
    agent: Callable[[], PresenceAgent | None]
    server_address: str = ""
    to_tag_pref: str = "10"

    # --- events -----------------------------------------------------------------------------------------------------

    def add_event(self, package: EventPackage) -> None:
        """Serve an event; one of that name which is served already stays. To be called before the server starts.

        Raises ModuleError for `req_auth` without its callbacks, and for watchers of watchers.
        """
        self.registry.add(package)

    def contains_event(self, name: str) -> EventPackage | None:
        """The package that an Event header with this text would mean; None also if it cannot be parsed."""
        try:
            event = parse_event(name)
        except RemoteError:
            return None
        return self.registry.search(event)

    def search_event(self, event: Event) -> EventPackage | None:
        """The package that a parsed Event header means."""
        return self.registry.search(event)

    def get_event_list(self) -> str:
        """The value of Allow-Events."""
        return self.registry.allow_events()

    # --- authorization ----------------------------------------------------------------------------------------------

    async def update_watchers_status(
        self, pres_uri: str, package: EventPackage, rules_doc: Any = None
    ) -> int:
        """The rules of a presentity have changed: judge its watchers anew; return how many were told.

        `rules_doc` is taken for 1.3's sake: what counts is what `get_rules_doc` gives from now on. Raises RemoteError
        (400) for what is no URI, and DatabaseError if the decisions cannot be kept.
        """
        agent = self.agent()
        return 0 if agent is None else await mi.rules_changed(agent, aor_of(pres_uri), package)

    def documents_loaded(self, package: EventPackage) -> None:
        """`get_rules_doc` and `hard_state` give something else for everybody: look at all subscriptions again."""
        agent = self.agent()
        if agent is not None:
            agent.look_again(package)

    # --- tables of subscriptions ------------------------------------------------------------------------------------

    def new_shtable(self, size: int = 512) -> SubscriptionTable:
        """A table for subscriptions; the size is a hint without effect."""
        return SubscriptionTable()

    def destroy_shtable(self, table: SubscriptionTable, size: int = 512) -> None:
        """Forget all entries."""
        table.clear()

    def insert_shtable(self, table: SubscriptionTable, key: Key, subs: Subs) -> Subs:
        """Keep a copy of a subscription, whose lifetime (`expires` seconds) begins now; return the entry."""
        return table.insert(key, subs, self._now())

    def search_shtable(
        self, table: SubscriptionTable, callid: str, to_tag: str, from_tag: str, key: Key
    ) -> Subs | None:
        """The entry of a dialog, not a copy."""
        return table.search(key, callid, to_tag, from_tag)

    def delete_shtable(
        self, table: SubscriptionTable, key: Key, callid: str, to_tag: str, from_tag: str
    ) -> int:
        """Remove the entry of a dialog; its last CSeq, or -1. (1.3 went by the To-tag alone, which is not enough.)"""
        return table.delete(key, callid, to_tag, from_tag)

    def update_shtable(self, table: SubscriptionTable, key: Key, subs: Subs, type_: int) -> bool:
        """Change an entry as a SUBSCRIBE (REMOTE_TYPE) or a NOTIFY (LOCAL_TYPE) does; False if there is none."""
        return table.update(key, subs, type_, self._now())

    def mem_copy_subs(self, subs: Subs) -> Subs:
        """A copy that shares nothing that can change."""
        return replace(subs)

    async def update_db_subs(
        self,
        database: Database,
        sql: TableSql,
        table: SubscriptionTable,
        expired: Callable[[Subs], None] | None = None,
    ) -> None:
        """Write what changed to a table with the columns of `active_watchers`; raises DatabaseError.

        What has expired is removed and told to `expired` one by one; entries that are not written stay to be.
        """
        error: DatabaseError | None = await table.sync(database, sql, self._now(), expired)
        if error is not None:
            raise error

    # --- requests ---------------------------------------------------------------------------------------------------

    def extract_sdialog_info(
        self, request: Request, flow: Flow, package: EventPackage, max_expires: int, min_expires: int = 0
    ) -> tuple[Subs, bool]:
        """What a SUBSCRIBE says of its dialog, and whether the To-tag was made here; `expires` is what is granted.

        Raises RemoteError with the status to answer. Nothing is sent.
        """
        to_tag = request.to.tag
        to_user, to_domain = split_uri(aor_of(request.to.uri_text))
        from_user, from_domain = split_uri(aor_of(request.from_.uri_text))
        host, port = self.services.advertised(flow)
        subs = Subs(
            pres_uri=aor_of(request.to.uri_text if to_tag else request.uri),
            event=package,
            to_user=to_user,
            to_domain=to_domain,
            from_user=from_user,
            from_domain=from_domain,
            event_id=parse_event(request.get("Event") or package.name).id,
            to_tag=to_tag or f"{self.to_tag_pref}.{self.services.token()}",
            from_tag=request.from_.tag,
            callid=request.call_id,
            remote_cseq=request.cseq.number,
            contact=requests.watcher_contact(request).uri_text,
            local_contact=self.server_address or requests.contact_uri(flow.transport, host, port, request),
            record_route=route_set(request),
            sockinfo_str=socket_info(flow),
            expires=requests.granted_expires(request, package, Limits(min_expires, max_expires)),
        )
        return subs, not to_tag

    def _now(self) -> float:
        return self.services.clock.wall()
