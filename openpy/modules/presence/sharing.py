"""Several servers on one database (`fallback2db`): what others wrote is taken in before it counts.

Rules:
1. A publication belongs to no server. Before a PUBLISH or a new SUBSCRIBE is decided, the publications of its
   presentity are read; before a SUBSCRIBE in a dialog, the rows of the dialog too.
2. A subscription lives at the server that had its last SUBSCRIBE: `socket_info` names it. That one alone sends its
   NOTIFYs and ends it. Another one that gets a SUBSCRIBE in the dialog takes it over, with CSeqs of its own.
3. What other servers publish is looked for every POLL seconds, and told to the watchers here. What is kept in memory
   is compared with its rows in turn, SLICE presentities a time.
4. Nothing runs out before it was compared with its row.
5. What was read counts only where nothing of the presentity was written here meanwhile: it may be older than that.
   A write that another server's came before fails, and is answered 503: see store.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, Any

from openpy.db.dialect import Row
from openpy.db.errors import DatabaseError
from openpy.db.statements import TableSql
from openpy.engine.waiting import Stepper, Wait
from openpy.modules.presence.dialog import Dialog, Subscription
from openpy.modules.presence.eventstate import EventState
from openpy.modules.presence.presentity import Presentity
from openpy.modules.presence.publications import Publication
from openpy.modules.presence.recovery import (
    is_local,
    load_decision,
    load_last_state,
    load_publication,
    load_subscription,
)
from openpy.modules.presence.requests import presentity_uri
from openpy.modules.presence.store import join_uri, octets, split_uri
from openpy.modules.presence.subscribing import socket_info
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from openpy.sip.uri import aor_of
from openpy.transaction.flow import Flow

if TYPE_CHECKING:
    from openpy.modules.presence.agent import Mortal, PresenceAgent

POLL = 1.0
"""Seconds between two looks at what others published."""

WINDOW = 10
"""Seconds by which the clocks of the servers may differ, together with the time that a commit takes."""

SLICE = 500
"""Presentities that are compared with their rows at each look."""

AT_ONCE = 500
"""Ids in one query."""

ATTEMPTS = 3
"""Reads of a presentity that is being written here all the time."""

_Columns = dict[str, Any]
_Mark = tuple[Presentity | None, int]


class Sharing:
    """Keeps what one server knows in step with a database that others write to."""

    def __init__(self, agent: PresenceAgent) -> None:
        store = agent.store
        self._agent = agent
        self._running = False
        self._round: Iterator[Presentity] = iter(())
        mark, quote = store.database.dialect.placeholder, store.database.dialect.quote
        self._placeholder = mark
        by_user = f" WHERE username = {mark} AND domain = {mark}"
        self._publications_of = store.publications.select + by_user
        self._last_states_of = store.last_states.select + by_user
        self._decisions_of = store.decisions.select + f" WHERE presentity_uri = {mark}"
        self._dialog_of = store.subscriptions.select + (
            f" WHERE presentity_uri = {mark} AND callid = {mark} AND to_tag = {mark} AND from_tag = {mark}"
        )
        self._news = (
            f"SELECT username, domain, event, etag, received_time FROM {quote(store.publications.name)} "
            f"WHERE received_time >= {mark}"
        )
        self._publications_by_id = (
            f"SELECT id, etag, expires, received_time FROM {quote(store.publications.name)} WHERE id IN "
        )
        self._subscriptions_by_id = (
            f"SELECT id, local_cseq, socket_info FROM {quote(store.subscriptions.name)} WHERE id IN "
        )

    def run(self) -> None:
        """Begin to look for what others do."""
        self._running = True
        self._agent.services.wheel.add(POLL, self._look)

    def halt(self) -> None:
        """Look no more."""
        self._running = False

    # --- requests ---------------------------------------------------------------------------------------------------

    async def prepare(self, request: Request, flow: Flow, resource: str) -> None:
        """Know what the database knows of what a request is about; raises DatabaseError.

        `resource` is the Request-URI as the script left it.
        """
        if request.method == "SUBSCRIBE" and request.to.tag:
            dialog = await self._read_dialog(request)
            if dialog is not None:
                # From here on it lives at this server.
                dialog.socket = socket_info(flow)
                dialog.local_contact = self._agent.contact(flow, request)
                dialog.head = b""
                await self.read(dialog.presentity.uri)
            return
        try:
            uri = presentity_uri(resource)
        except RemoteError:
            return  # whoever decides about the request will refuse it
        await self.read(uri)

    async def read(self, uri: str) -> None:
        """Take in the publications of a presentity as the database has them; raises DatabaseError."""
        agent = self._agent
        store = agent.store
        for _ in range(ATTEMPTS):
            before = self._mark(agent.presentities.get(uri))
            if before is None:
                return
            last_states = await self._rows(store.last_states, self._last_states_of, split_uri(uri))
            publications = await self._rows(store.publications, self._publications_of, split_uri(uri))
            decisions = []
            if agent.registry.authorized():
                decisions = await self._rows(store.decisions, self._decisions_of, (uri,))
            if self._mark(agent.presentities.get(uri)) == before:
                self._take(uri, publications, last_states)
                for row in decisions:
                    load_decision(agent, row)
                return

    async def _read_dialog(self, request: Request) -> Dialog | None:
        """The dialog of a SUBSCRIBE as the database has it; None if there is none. Raises DatabaseError."""
        agent = self._agent
        to_tag = request.to.tag
        dialog = agent.dialogs.get(to_tag)
        if dialog is not None and (dialog.call_id, dialog.from_tag) != (request.call_id, request.from_.tag):
            return None  # the request is of no dialog
        for _ in range(ATTEMPTS):
            uri = aor_of(request.to.uri_text) if dialog is None else dialog.presentity.uri
            before = self._mark(agent.presentities.get(uri))
            if before is None:
                break
            names = (uri, request.call_id, to_tag, request.from_.tag)
            rows = await self._rows(agent.store.subscriptions, self._dialog_of, names)
            dialog = agent.dialogs.get(to_tag)
            if self._mark(agent.presentities.get(uri)) == before:
                self._take_dialog(dialog, rows)
                break
        return agent.dialogs.get(to_tag)

    # --- what others do ---------------------------------------------------------------------------------------------

    def _look(self) -> None:
        if self._running:
            Stepper(self._look_once(), self._looked).step()

    def _looked(self, _: None, error: BaseException | None) -> None:
        if error is not None:
            self._agent.services.log.warning(
                "presence", f"what other servers published is not known: {error}"
            )
        self._agent.services.wheel.add(POLL, self._look)

    async def _look_once(self) -> None:
        agent = self._agent
        news = await self._query(self._news, (int(agent.now()) - WINDOW,))
        for uri in dict.fromkeys(join_uri(row[0], row[1]) for row in news if self._is_news(*row)):
            await self.read(uri)
        presentities = list(islice(self._round, SLICE))
        if not presentities:
            self._round = iter(list(agent.presentities.values()))
            presentities = list(islice(self._round, SLICE))
        watched = [state for item in presentities for state in item.events.values() if state.subscriptions]
        await self._compare(
            [publication for state in watched for publication in state.publications.values()],
            [subscription for state in watched for subscription in state.subscriptions.values()],
        )

    def _is_news(self, user: str, domain: str, event: str, etag: str, received: int) -> bool:
        """Whether a publication is not known that somebody here watches."""
        presentity = self._agent.presentities.get(join_uri(user, domain))
        state = None if presentity is None else presentity.events.get(event)
        if state is None or not state.subscriptions:
            return False
        known = state.publications.get(etag)
        return known is None or known.received != received

    def confirm(self, due: list[Mortal], end: Callable[[list[Mortal]], None]) -> None:
        """Compare what runs out with its rows, then `end` it; while the database is away it is put back."""

        def compared(_: None, error: BaseException | None) -> None:
            if error is None:
                end(due)
                return
            agent = self._agent
            for record in due:
                agent.deadlines.put(record, agent.now() + POLL)
            end([])

        publications = [record for record in due if isinstance(record, Publication)]
        subscriptions = [record for record in due if isinstance(record, Subscription) and not record.dead]
        Stepper(self._compare(publications, subscriptions), compared).step()

    async def _compare(
        self, publications: Sequence[Publication], subscriptions: Sequence[Subscription]
    ) -> None:
        """Find out what of this is not as the database has it, and put it right; raises DatabaseError."""
        found = await self._by_id(self._publications_by_id, [item.id for item in publications])
        changed = [item for item in publications if found.get(item.id) != _columns(item)]
        for uri in dict.fromkeys(item.state.presentity.uri for item in changed if item.state is not None):
            await self.read(uri)
        marks = [self._mark(item.dialog.presentity) for item in subscriptions]
        found = await self._by_id(self._subscriptions_by_id, [item.id for item in subscriptions])
        for subscription, before in zip(subscriptions, marks, strict=True):
            if before is not None and self._mark(subscription.dialog.presentity) == before:
                self._match(subscription, found.get(subscription.id))

    def _match(self, subscription: Subscription, row: Row | None) -> None:
        if subscription.id not in subscription.state.subscriptions:
            return
        if row is None or not is_local(self._agent, row[1]):
            self._drop(subscription)
        elif row[0] != subscription.dialog.reserved:
            _skip_to(subscription.dialog, row[0])

    # --- taking in --------------------------------------------------------------------------------------------------

    def _mark(self, presentity: Presentity | None) -> _Mark | None:
        """What stays the same while nothing of a presentity is written here; None while something is."""
        if presentity is None:
            return None, 0
        return None if presentity.outstanding else (presentity, presentity.changes)

    def _take(self, uri: str, publications: Iterable[_Columns], last_states: Iterable[_Columns]) -> None:
        agent = self._agent
        presentity = agent.presentity(uri)
        changed: dict[EventState, None] = {}
        known = {
            item.id: (item, state)
            for state in presentity.events.values()
            for item in state.publications.values()
        }
        for row in last_states:
            if self._is_newer(presentity, row):
                load_last_state(agent, row)
        for row in publications:
            publication, state = known.pop(row["id"], (None, None))
            if publication is None or state is None:
                if row["expires"] > agent.now() and load_publication(agent, row):
                    package = agent.registry.named(row["event"])
                    assert package is not None
                    changed[presentity.event(package)] = None
            elif _columns(publication) != (row["etag"], row["expires"], row["received_time"]):
                self._change(state, publication, row)
                changed[state] = None
        for publication, state in known.values():
            del state.publications[publication.etag]
            agent.unpublished(publication)
            changed[state] = None
        for state in changed:
            state.changed()
            agent.show(state)
        agent.let_go(presentity)

    def _is_newer(self, presentity: Presentity, row: _Columns) -> bool:
        state = presentity.events.get(row["event"])
        return state is None or state.last is None or int(state.last.ended) < row["ended"]

    def _change(self, state: EventState, publication: Publication, row: _Columns) -> None:
        """A publication becomes what another server made of it."""
        body = octets(row["body"])
        read = state.package.read_body
        if body != publication.body and read is not None:
            try:
                publication.document = read(body)
            except RemoteError:
                return  # it cannot be understood here, and is left alone until it runs out
        publication.body = body
        del state.publications[publication.etag]
        publication.etag = row["etag"]
        state.publications[publication.etag] = publication
        publication.received = row["received_time"]
        state.newest = max(state.newest, publication.received)
        publication.expires = row["expires"]
        self._agent.deadlines.put(publication)

    def _take_dialog(self, dialog: Dialog | None, rows: Sequence[_Columns]) -> None:
        usages = () if dialog is None else dialog.usages
        if dialog is not None and {item.id for item in usages} == {row["id"] for row in rows}:
            as_known = (dialog.reserved, dialog.socket)
            if all((row["local_cseq"], row["socket_info"]) == as_known for row in rows):
                return
        for subscription in usages:
            self._drop(subscription)
        for row in rows:
            load_subscription(self._agent, row)

    def _drop(self, subscription: Subscription) -> None:
        """Forget a subscription that lives elsewhere, or nowhere any more; nothing is said about it."""
        subscription.dead = True
        subscription.dialog.waiting = ()
        self._agent.unsubscribed(subscription)
        self._agent.let_go(subscription.dialog.presentity)

    # --- queries ----------------------------------------------------------------------------------------------------

    async def _rows(self, table: TableSql, sql: str, parameters: Sequence[Any]) -> list[_Columns]:
        names = ("id", *table.columns)
        rows = await self._query(sql, parameters)
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def _by_id(self, sql: str, ids: Sequence[int]) -> dict[int, Row]:
        """The rows with these ids, without the ids."""
        found: dict[int, Row] = {}
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            marks = ", ".join([self._placeholder] * len(some))
            for id_, *values in await self._query(f"{sql}({marks})", some):
                found[id_] = tuple(values)
        return found

    def _query(self, sql: str, parameters: Sequence[Any]) -> Wait[list[Row]]:
        wait: Wait[list[Row]] = Wait()

        def done(rows: list[Row], error: DatabaseError | None) -> None:
            if error is None:
                wait.resolve(rows)
            else:
                wait.fail(error)
            self._agent.store.writer.flush()  # what was decided meanwhile is not of any burst of datagrams

        try:
            self._agent.store.database.reader.query(sql, parameters, done)
        except DatabaseError as error:
            wait.fail(error)
        return wait


def _columns(publication: Publication) -> Row:
    """What its row says if it is as this server knows it."""
    return publication.etag, ceil(publication.expires), publication.received


def _skip_to(dialog: Dialog, cseq: int) -> None:
    """Use no CSeq up to this one: nobody knows which of them were used."""
    dialog.cseq = dialog.limit = dialog.reserved = cseq
