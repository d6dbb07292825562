"""The declaration of the presence module."""

from __future__ import annotations

from functools import partial

from openpy.db.errors import DatabaseError
from openpy.engine.checks import identifier
from openpy.engine.merged import MergedRequests
from openpy.engine.mi import FAILED, CommandFailed
from openpy.engine.module import (
    REQUEST,
    Counter,
    Effect,
    Format,
    Module,
    ModuleError,
    Param,
    Refusal,
    mi_command,
    script_function,
)
from openpy.engine.run import Overloaded, Run
from openpy.engine.services import Services
from openpy.engine.waiting import Stepper
from openpy.modules.presence import mi
from openpy.modules.presence.agent import PresenceAgent
from openpy.modules.presence.api import PresenceApi
from openpy.modules.presence.budgets import OverBudget, Shares
from openpy.modules.presence.counts import Counts
from openpy.modules.presence.events import EventRegistry
from openpy.modules.presence.expiry import Expiry
from openpy.modules.presence.presentity import Undone
from openpy.modules.presence.publishing import publish
from openpy.modules.presence.recovery import recover
from openpy.modules.presence.requests import Limits
from openpy.modules.presence.settings import (
    ENDING_CODES,
    Settings,
    codes,
    not_negative,
    owner_or_anyone,
    parse_codes,
    period,
    positive_or,
    sip_uri,
    switch,
    table_size,
    tag_prefix,
)
from openpy.modules.presence.sharing import Sharing
from openpy.modules.presence.store import Store
from openpy.modules.presence.subscribing import subscribe
from openpy.modules.presence.sweep import Sweep
from openpy.sip.errors import RemoteError

RELOAD_PAUSE = 1.0
"""Seconds after which a load that failed is tried again."""

DECISIONS = range(8)
"""How often a request is decided at most, each time but the last behind one more row that the database refused: else a
flood of such rows of one presentity would cost the square of its number."""


class Presence(Module):
    """SIP event state: PUBLISH, SUBSCRIBE and NOTIFY (RFC 3903, RFC 6665).

    Which events are served is said by further modules, such as presence_xml. Without `db_url` it is a library for
    such modules: it keeps nothing, and its script functions cannot be used.

        modparam("presence", "db_url", "sqlite:////var/lib/openpy/openpy.db")
        route {
            if (is_method("PUBLISH")) handle_publish();
            else if (is_method("SUBSCRIBE")) handle_subscribe();
            else sl_send_reply("405", "Method Not Allowed");
        }
    """

    name = "presence"
    needs = ("database", "sl", "tm")
    works_uncalled = True  # others find it and build on it

    db_url = Param(
        str,
        "",
        "URL of the database that keeps publications and subscriptions; unset: nothing is kept or served",
    )
    presentity_table = Param(str, "presentity", "Table of publications", check=identifier)
    active_watchers_table = Param(str, "active_watchers", "Table of subscriptions", check=identifier)
    watchers_table = Param(
        str, "watchers", "Table of what presentities decided about watchers", check=identifier
    )
    clean_period = Param(
        int, 100, "Seconds between sweeps of the database for what has expired", check=period, reload=True
    )
    to_tag_pref = Param(
        str, "10", "What the To-tags of answers to SUBSCRIBE begin with", check=tag_prefix, reload=True
    )
    totag_avpid = Param(int, 25, "Without effect, as in 1.3", hidden=True, reload=True)
    expires_offset = Param(
        int,
        0,
        "Seconds by which the Expires of a 200 to PUBLISH is shorter than the time kept",
        check=not_negative,
        reload=True,
    )
    max_expires = Param(
        int,
        3600,
        "Longest lifetime of publications and subscriptions, in seconds",
        check=positive_or(3600),
        limit=True,
        reload=True,
    )
    min_expires = Param(
        int, 0, "Shortest lifetime in seconds; a shorter one is answered 423", check=not_negative, reload=True
    )
    max_body = Param(
        int,
        65_535,
        "Largest body of a PUBLISH in octets; a larger one is answered 413",
        check=positive_or(65_535),
        limit=True,
        reload=True,
    )
    server_address = Param(
        str,
        "",
        "Contact URI of 2xx and NOTIFY; unset: the address of the receiving socket",
        check=sip_uri,
        reload=True,
    )
    subs_respond_200 = Param(
        int, 1, "Answer SUBSCRIBE with 200; 0: with 202, as 1.3 did", check=switch, reload=True
    )
    notify_ending_codes = Param(
        str,
        ENDING_CODES,
        "Replies to NOTIFY that end the subscription: numbers and ranges",
        check=codes,
        reload=True,
    )
    max_notify_refusals = Param(
        int,
        10,
        "NOTIFYs that a watcher may refuse in a row by other replies; then it ends too; 0: no limit",
        check=not_negative,
        reload=True,
    )
    winfo_watchers = Param(
        str,
        "owner",
        'Who may see who watches a presentity: itself ("owner"), or "anyone", as in 1.3',
        check=owner_or_anyone,
        reload=True,
    )
    max_watcher_subscriptions = Param(
        int,
        1000,
        "Subscriptions that one watcher may have; 0: no limit",
        check=not_negative,
        limit=True,
        reload=True,
    )
    max_watcher_rate = Param(
        int,
        100,
        "SUBSCRIBEs a second of one watcher, ten seconds' worth of them in one go; 0: no limit",
        check=not_negative,
        limit=True,
        reload=True,
    )
    max_presentity_subscriptions = Param(
        int,
        10_000,
        "Subscriptions that one event of one presentity may have, and decisions about its watchers that are kept; "
        "0: no limit",
        check=not_negative,
        limit=True,
        reload=True,
    )
    max_presentity_publications = Param(
        int,
        50,
        "Publications that one event of one presentity may have; 0: no limit",
        check=not_negative,
        limit=True,
        reload=True,
    )
    max_last_states = Param(
        int,
        100_000,
        "Presentities whose last state is kept for a day, told closed to who comes later; 0: no limit",
        check=not_negative,
        limit=True,
        reload=True,
    )
    fallback2db = Param(
        int,
        0,
        "1: other servers write to the same database; what they did is read before it counts",
        check=switch,
    )
    subs_htable_size = Param(int, 9, "A hint, without effect: a power of two", check=table_size, reload=True)
    pres_htable_size = Param(int, 9, "A hint, without effect: a power of two", check=table_size, reload=True)

    publications = Counter("Publications that are kept now")
    subscriptions = Counter("Subscriptions that are kept now")
    notifies_sent = Counter("NOTIFYs sent, without retransmissions")
    notifies_failed = Counter("NOTIFYs that were refused or not answered")
    over_budget = Counter("Requests that were refused because somebody had, or asked for, too much")

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.registry = EventRegistry()
        self._agent: PresenceAgent | None = None
        self._expiry: Expiry | None = None
        self._sweep: Sweep | None = None
        self._sharing: Sharing | None = None
        self._api: PresenceApi | None = None
        self._draining = False

    # --- as configured ----------------------------------------------------------------------------------------------

    def requirements(self) -> tuple[str, ...]:
        """A library needs nothing."""
        return self.needs if self.db_url else ()

    def refusal(self) -> Refusal | None:
        """A library handles no requests."""
        if self.db_url:
            return None
        return Refusal(
            "presence has no database",
            'add: modparam("presence", "db_url", "sqlite:////var/lib/openpy/openpy.db")',
        )

    # --- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the database and load what it has, or as soon as it comes; raises ModuleError."""
        if not self.db_url:
            return
        database = self.services.database(self.db_url)
        try:
            database.open()
            store = Store(
                database,
                self.presentity_table,
                self.active_watchers_table,
                self.watchers_table,
                shared=bool(self.fallback2db),
            )
            if database.ready:
                self._load(store)
            else:
                database.when_ready(partial(self._load, store))
        except DatabaseError as error:
            raise ModuleError(f"presence cannot use its database {database.url}: {error}") from error

    def _load(self, store: Store) -> None:
        """Read what the database has, while requests are still refused."""
        self.loading = True
        Stepper(self._read(store), partial(self._loaded, store)).step()

    async def _read(self, store: Store) -> None:
        """Make state of the rows, and serve from then on; raises DatabaseError."""
        agent = PresenceAgent(self.services, self.registry, store, self._settings(), self._counts())
        skipped = await recover(agent, lambda: not self._draining)
        if self._draining:
            return
        if skipped:
            text = f"{skipped} rows of {store.database.url} could not be understood"
            self.services.log.warning("presence", text)
        self._serve(agent)

    def _loaded(self, store: Store, _: None, error: BaseException | None) -> None:
        self.loading = False
        if error is not None:
            self.publications.value = self.subscriptions.value = 0
            text = f"the rows of {store.database.url} cannot be loaded, trying again: {error}"
            self.services.log.warning("presence", text)
            self.services.wheel.add(RELOAD_PAUSE, self._load, store)

    def _serve(self, agent: PresenceAgent) -> None:
        self._agent = agent
        agent.go_by(self._settings())  # they may have changed while the rows were read
        self._merged = MergedRequests(self.services.wheel, self.services.transactions.longest)
        if agent.store.shared:
            self._sharing = Sharing(agent)
            self._sharing.run()
        self._expiry = Expiry(agent, None if self._sharing is None else self._sharing.confirm)
        self._expiry.run()
        self._sweep = Sweep(agent)
        self._sweep.run()

    def reconfigured(self, configured: Module) -> None:
        """Requests and NOTIFYs go by the new values from now on. What is kept stays, though it were too much now."""
        if self._agent is not None:
            self._agent.go_by(self._settings())
        if self._api is not None:
            self._api.server_address, self._api.to_tag_pref = self.server_address, self.to_tag_pref

    async def drain(self) -> None:
        """End nothing any more: what expires now is found at the next start."""
        self._draining = True
        if self._expiry is not None and self._sweep is not None:
            self._expiry.halt()
            self._sweep.halt()
        if self._sharing is not None:
            self._sharing.halt()

    def bind(self) -> PresenceApi:
        """The API for modules that register events."""
        if self._api is None:
            self._api = PresenceApi(
                self.registry, self.services, lambda: self._agent, self.server_address, self.to_tag_pref
            )
        return self._api

    def _settings(self) -> Settings:
        return Settings(
            Limits(self.min_expires, self.max_expires, self.max_body),
            self.expires_offset,
            self.server_address,
            self.to_tag_pref,
            self.clean_period,
            parse_codes(self.notify_ending_codes),
            self.max_notify_refusals,
            self.winfo_watchers == "anyone",
            Shares(
                self.max_watcher_subscriptions,
                self.max_watcher_rate,
                self.max_presentity_subscriptions,
                self.max_presentity_publications,
                self.max_last_states,
            ),
        )

    def _counts(self) -> Counts:
        return Counts(self.publications, self.subscriptions, self.notifies_sent, self.notifies_failed)

    # --- script functions -------------------------------------------------------------------------------------------

    @script_function(routes=REQUEST, effect=Effect.ANSWERS)
    async def handle_publish(self, run: Run, sender: Format | None = None) -> int:
        """Handle a PUBLISH and answer it; 1 if it was accepted, -1 if not.

        `sender` is a URI, usually "$hdr(Sender)": the watcher with this Contact is not told of the change.
        """
        agent = self._ready(run)
        if agent is None:
            return -1
        if not run.request.has("SIP-If-Match") and self._is_merged(
            run
        ):  # a refresh tells itself by its entity-tag
            return -1
        text = "" if sender is None else sender(run)
        for _ in DECISIONS:
            try:
                if self._sharing is not None:
                    await self._sharing.prepare(run.request, run.flow, run.uri)
                headers, committed = publish(agent, run.request, run.flow, run.uri, text)
            except RemoteError as error:
                return self._refuse(run, error)
            except DatabaseError:
                return self._unavailable(run)
            refused = None if committed is None else await committed
            if refused is None:
                run.reply(200, "OK", headers)
                return 1
            if not isinstance(refused, Undone):
                break
        return self._unavailable(run)

    @script_function(routes=REQUEST, effect=Effect.ANSWERS)
    async def handle_subscribe(self, run: Run) -> int:
        """Handle a SUBSCRIBE, answer it, and send the NOTIFY; 1 if it was accepted, -1 if not."""
        agent = self._ready(run)
        if agent is None or self._is_merged(run):
            return -1
        for number in DECISIONS:
            try:
                if self._sharing is not None:
                    await self._sharing.prepare(run.request, run.flow, run.uri)
                headers, to_tag, committed, fetch = subscribe(
                    agent, run.request, run.flow, run.uri, number > 0
                )
            except RemoteError as error:
                return self._refuse(run, error)
            except DatabaseError:
                return self._unavailable(run)
            refused = None if committed is None else await committed
            if refused is None:
                status = 200 if self.subs_respond_200 else 202
                run.reply(status, "OK", headers, to_tag=to_tag, record_route=True)
                if fetch is not None:
                    agent.notifier.notify(fetch)
                return 1
            if not isinstance(refused, Undone):
                break
        return self._unavailable(run)

    # --- management commands ----------------------------------------------------------------------------------------

    @mi_command("refreshWatchers", too_few=FAILED, too_many=(400, "Too many parameters"))
    async def refresh_watchers(self, presentity_uri: str, event: str, refresh_type: str) -> None:
        """Rules (type 0) or published state (any other type) were changed in the database: tell the watchers."""
        if self._agent is None:
            raise CommandFailed("the rows of presence are not loaded")
        await mi.refresh_watchers(self._agent, presentity_uri, event, refresh_type)

    @property
    def agent(self) -> PresenceAgent:
        """What this server knows of presence; there is one once the rows are loaded."""
        assert self._agent is not None
        return self._agent

    def _ready(self, run: Run) -> PresenceAgent | None:
        """Who handles the request; None: the rows are not loaded yet, or too much is going on, which was answered.

        The transaction is made before the first wait, so that retransmissions are absorbed.
        """
        if run.transaction is None:
            try:
                run.begin_transaction()
            except Overloaded:
                self._unavailable(run)
                return None
        if self._agent is None:
            self._unavailable(run)
        return self._agent

    def _is_merged(self, run: Run) -> bool:
        """Whether it is a copy of a request that is handled already, which was answered."""
        if not self._merged.holds(run.request):
            return False
        run.reply(482, "Loop Detected")
        return True

    def _refuse(self, run: Run, error: RemoteError) -> int:
        headers = "".join(f"{name}: {value}\r\n" for name, value in error.headers)
        if isinstance(error, OverBudget):
            self.over_budget.value += 1
            run.reply_stateless(error.status, error.reason, headers)
            self.services.transactions.release(run.begin_transaction())
        else:
            run.reply(error.status, error.reason, headers)
        return -1

    def _unavailable(self, run: Run) -> int:
        """Nothing was kept: try again later, not all at once."""
        run.reply(503, "Service Unavailable", f"Retry-After: {self.services.random.randint(1, 5)}\r\n")
        return -1
