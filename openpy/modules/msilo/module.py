"""msilo: its declaration."""

from __future__ import annotations

from typing import Any

from openpy.db.errors import DatabaseError
from openpy.engine.checks import identifier, not_negative, positive, switch
from openpy.engine.lookups import Lookups
from openpy.engine.merged import MergedRequests
from openpy.engine.module import (
    REQUEST,
    ArgumentError,
    Counter,
    Effect,
    Module,
    ModuleError,
    Param,
    PseudoVariable,
    RouteKind,
    script_function,
)
from openpy.engine.named import avp_of, avp_written
from openpy.engine.run import Run
from openpy.engine.services import Services
from openpy.modules.msilo.delivery import Delivery, Kind
from openpy.modules.msilo.keeping import Keeping
from openpy.modules.msilo.messages import (
    Message,
    NotKept,
    Owner,
    Stored,
    due_time,
    owner_of,
    read,
    sent_later,
)
from openpy.modules.msilo.notices import Notices
from openpy.modules.msilo.receivers import takes_messages
from openpy.modules.msilo.store import Store
from openpy.modules.msilo.tables import COLUMNS
from openpy.modules.registrar.module import Registrar
from openpy.modules.tm.api import OwnRequest, TmApi
from openpy.sip.errors import RemoteError
from openpy.sip.uri import cached_uri

DEFAULT_DB_URL = "mysql://openser:openserrw@localhost/openser"

NO_PLACE = "reminders are never sent without both of reminder and send_time: m_dump sends them"


def _address(text: str) -> str:
    try:
        if text and not cached_uri(text).is_sip:
            raise ArgumentError(f'"{text}" is no SIP URI')
    except RemoteError as error:
        raise ArgumentError(f'"{text}" is no SIP URI: {error.reason}') from None
    return text


def _id_column(text: str) -> str:
    if text != "id":
        raise ArgumentError(f'the column of the number is "id", as in every table; rename "{text}"')
    return text


class Msilo(Module):
    """Keeps MESSAGEs for users who are away, and sends them when they come back.

    `m_store` returns when the message is committed, so that a 202 is true; a message is deleted when its owner has
    answered it with a 2xx, or when it has expired. A server that is killed between the two sends it once more.

        route {
            if (is_method("REGISTER")) { save("location"); m_dump(); exit; }
            if (is_method("MESSAGE") && !lookup("location")) {
                t_newtran();
                if (m_store()) t_reply("202", "Accepted"); else t_reply("503", "Service Unavailable");
                exit;
            }
            t_relay();
        }
    """

    name = "msilo"
    needs = ("tm", "database")

    db_url = Param(str, DEFAULT_DB_URL, "URL of the database")
    db_table = Param(str, "silo", "Table of the messages", check=identifier)
    registrar = Param(
        str,
        "",
        "The address that tells senders that their message waits; unset: nobody tells them",
        check=_address,
        reload=True,
    )
    reminder = Param(str, "", "The address that reminders come from", check=_address, reload=True)
    outbound_proxy = Param(str, "", "Where all messages are sent to", check=_address, reload=True)
    expire_time = Param(
        int,
        259200,
        "Seconds that a message is kept at most; its Expires may say less",
        check=positive,
        reload=True,
    )
    check_time = Param(
        int,
        30,
        "Seconds after which a row that could not be deleted is tried again",
        check=positive,
        reload=True,
    )
    send_time = Param(
        int, 0, "Seconds between two looks for reminders that are due; 0: none are sent", check=not_negative
    )
    clean_period = Param(
        int,
        5,
        "Messages that have expired are deleted every so many check_times",
        check=positive,
        reload=True,
    )
    use_contact = Param(
        int,
        1,
        "1: a sender is told at the Contact of the message, if it has one; 0: at its From",
        check=switch,
        reload=True,
    )
    add_date = Param(
        int, 1, "1: plain text begins with when it was stored; Date says so too", check=switch, reload=True
    )
    max_messages = Param(
        int, 0, "Messages of one user at most; 0: no limit", check=not_negative, limit=True, reload=True
    )
    snd_time_avp = Param(
        str,
        "",
        "An AVP with when to send a message as a reminder: `YYYYMMDDHHMMSS`, local time",
        check=avp_written,
    )
    sc_mid = Param(str, "id", "Column of the number; it has no other name", check=_id_column)
    sc_from = Param(str, "src_addr", "Column of the sender", check=identifier)
    sc_to = Param(str, "dst_addr", "Column of To", check=identifier)
    sc_uri_user = Param(str, "username", "Column of the owner's user", check=identifier)
    sc_uri_host = Param(str, "domain", "Column of the owner's domain", check=identifier)
    sc_body = Param(str, "body", "Column of the body", check=identifier)
    sc_ctype = Param(str, "ctype", "Column of the Content-Type", check=identifier)
    sc_exp_time = Param(str, "exp_time", "Column of when a message expires", check=identifier)
    sc_inc_time = Param(str, "inc_time", "Column of when it came", check=identifier)
    sc_snd_time = Param(str, "snd_time", "Column of when a reminder is due", check=identifier)

    stored_messages = Counter("Messages that were stored")
    dumped_messages = Counter("Messages that were sent, and answered with 2xx")
    failed_messages = Counter("Messages that were sent, and not answered with 2xx: they stay")
    dumped_reminders = Counter("Reminders that were sent, and answered with 2xx")
    failed_reminders = Counter("Reminders that were sent, and not answered with 2xx: they stay")

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._checks = 0
        self._running = False

    # --- life ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Find tm and the database; raises ModuleError."""
        tm = self.services.module("tm")
        assert tm is not None
        self._tm: TmApi = tm.bind()
        self._lookups = Lookups(self.services, self.name, self.db_url)
        self._due_avp = avp_of(self.snd_time_avp)
        self._notices = Notices(self.services, self._tm)

    async def start(self) -> None:
        """Open the database, and begin to look for what has expired, and for reminders; raises ModuleError."""
        services, database = self.services, self.services.database(self.db_url)
        self._lookups.open(())
        try:
            self._store = Store(database, self._lookups, self.db_table, self._columns())
        except DatabaseError as error:
            raise ModuleError(f"msilo cannot use its database {database.url}: {error}") from error
        self._keeping = Keeping(self._store, MergedRequests(services.wheel, services.transactions.longest))
        if self._due_avp is not None and not self._reminds:
            services.log.warning(self.name, NO_PLACE)
        self._delivery = Delivery(
            services,
            self._store,
            self._lookups,
            self._tm,
            Kind(self._written, self.dumped_messages, self.failed_messages),
            Kind(self._reminding, self.dumped_reminders, self.failed_reminders),
        )
        self._running = True
        services.wheel.add(self.check_time, self._check)
        if self.send_time:
            services.wheel.add(self.send_time, self._remind)

    def _columns(self) -> dict[str, str]:
        """1.3's name of each column -> its name in the table."""
        given = (
            *(self.sc_from, self.sc_to, self.sc_uri_user, self.sc_uri_host),
            *(self.sc_inc_time, self.sc_exp_time, self.sc_snd_time, self.sc_ctype, self.sc_body),
        )
        return dict(zip(COLUMNS, given, strict=True))

    async def drain(self) -> None:
        """Send nothing any more; what is on its way may still be answered."""
        self._running = False
        self._delivery.halt()

    def _check(self) -> None:
        if self._running:
            self.services.wheel.add(self.check_time, self._check)
            self._delivery.check()
            self._checks += 1
            if self._checks >= self.clean_period:
                self._checks = 0
                self._delivery.sweep()

    def _remind(self) -> None:
        if self._running:
            self.services.wheel.add(self.send_time, self._remind)
            if self.reminder:
                self._delivery.remind()

    @property
    def _reminds(self) -> bool:
        return bool(self.send_time and self.reminder)

    # --- functions ------------------------------------------------------------------------------------------------

    @script_function(routes=frozenset({RouteKind.REQUEST, RouteKind.FAILURE}), effect=Effect.NONE)
    async def m_store(self, run: Run, owner: PseudoVariable | None = None) -> int:
        """Keep a message for its owner (a URI; by default the Request-URI): 1 when it is committed.

        -1: it cannot be kept (no body, no Content-Type, expired, too long), its owner has too many, it is from or to
        `registrar`, it is kept already (a copy that came another way), or the database did not take it.
        """
        try:
            message = self._message(run, owner)
            await self._keeping.keep(run, message, self.max_messages)
        except NotKept as reason:
            run.warn(f"m_store: {reason}")
            return -1
        except DatabaseError as error:
            self._lookups.complain(error)
            return -1
        self.stored_messages.value += 1
        if self.registrar:
            self._notices.tell(
                run.request, message, self.registrar, self.outbound_proxy, at_contact=bool(self.use_contact)
            )
        return 1

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def m_dump(self, run: Run, owner: PseudoVariable | None = None) -> int:
        """At a REGISTER of who takes messages: send what is kept for its owner (a URI; by default that of To).

        1 when they are on their way; -1 for any other request, and where too much is under way.
        """
        request = run.request
        if request.method != "REGISTER" or not takes_messages(request):
            return -1
        try:
            whose = self._owner(request.to.uri_text if owner is None else owner(run))
        except NotKept as reason:
            run.warn(f"m_dump: {reason}")
            return -1
        return 1 if self._delivery.begin(whose, with_reminders=not self._reminds) else -1

    # --- storing --------------------------------------------------------------------------------------------------

    def _message(self, run: Run, owner: PseudoVariable | None) -> Message:
        """What is to be kept; raises NotKept."""
        whose = self._owner(run.uri if owner is None else owner(run))
        message = read(run.request, whose, int(run.wall), self.expire_time, self._due(run))
        if self.registrar:
            registrar = cached_uri(self.registrar).aor()
            if registrar in (cached_uri(uri).aor() for uri in (message.sender, message.recipient)):
                raise NotKept("it is one that tells a sender that a message waits")
        if self._delivery.carries(run.request.call_id):
            raise NotKept("it is kept already: it was sent from here")
        return message

    def _owner(self, uri: Any) -> Owner:
        """Whose messages; a user is found as registrar finds it. Raises NotKept."""
        registrar = self.services.module("registrar")
        return owner_of(str(uri), fold=isinstance(registrar, Registrar) and not registrar.case_sensitive)

    def _due(self, run: Run) -> int:
        value = None if self._due_avp is None else self._due_avp.read(run)
        if value is None:
            return 0
        try:
            return due_time(str(value))
        except (ValueError, OverflowError):
            run.warn(f'm_store: "{value}" is no time: write YYYYMMDDHHMMSS')
            return 0

    # --- what is sent -----------------------------------------------------------------------------------------------

    def _written(self, stored: Stored) -> OwnRequest:
        return self._request(stored, "Offline", stored.message.sender)

    def _reminding(self, stored: Stored) -> OwnRequest:
        return self._request(stored, "Reminder", self.reminder)

    def _request(self, stored: Stored, label: str, sender: str) -> OwnRequest:
        return sent_later(
            stored,
            label,
            sender,
            self.services.token(),
            next_hop=self.outbound_proxy,
            dated=bool(self.add_date),
        )
