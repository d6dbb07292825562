"""The declaration of the usrloc module."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from openpy.db.database import Database
from openpy.db.errors import DatabaseError
from openpy.db.tables import with_columns
from openpy.engine.checks import flag, identifier, not_negative, positive, switch
from openpy.engine.mi import Reply
from openpy.engine.module import ArgumentError, Counter, Module, ModuleError, Param, Source, mi_command
from openpy.engine.services import Services
from openpy.engine.waiting import Stepper
from openpy.modules.usrloc import commands
from openpy.modules.usrloc.api import UsrlocApi
from openpy.modules.usrloc.contacts import Rules
from openpy.modules.usrloc.domain import Domain, Watcher
from openpy.modules.usrloc.loading import load
from openpy.modules.usrloc.modes import InMemory, WriteThrough
from openpy.modules.usrloc.remote import RemoteDomain
from openpy.modules.usrloc.rows import Rows
from openpy.modules.usrloc.tables import COLUMNS, Location
from openpy.modules.usrloc.writeback import WriteBack

MEMORY, WRITE_THROUGH, WRITE_BACK, DATABASE_ONLY = range(4)

RELOAD_PAUSE = 1.0
"""Seconds after which a load that failed is tried again."""

DEFAULT_DB_URL = "mysql://openser:openserrw@localhost/openser"


def _mode(value: int) -> int:
    if value not in range(4):
        raise ArgumentError(f"db_mode is 0 to 3, not {value}")
    return value


class Usrloc(Module):
    """Where users can be reached: tables of contacts, in memory and in a database.

    A table is used by being named in the script, as by `save("location")` of registrar. With `db_mode` 1 and 3 a change
    holds when it is committed, and is acknowledged then; with 2 it is written every `timer_interval` seconds and when
    the server stops, and what was not yet written is lost if it is killed.

        modparam("usrloc", "db_url", "sqlite:////var/lib/openpy/openpy.db")
        modparam("usrloc", "db_mode", 1)
        route { if (is_method("REGISTER")) save("location"); else sl_send_reply("405", "Method Not Allowed"); }
    """

    name = "usrloc"
    needs = ("database",)

    db_mode = Param(
        int,
        MEMORY,
        "0: memory only; 1: memory, and written before it counts; 2: memory, and written later; 3: database only",
        check=_mode,
    )
    db_url = Param(str, DEFAULT_DB_URL, "URL of the database, unless `db_mode` is 0")
    use_domain = Param(int, 0, "1: an address-of-record is user@domain; 0: the user alone", check=switch)
    timer_interval = Param(
        int,
        60,
        "Seconds between two writes (`db_mode` 2), or sweeps of what has expired (3)",
        check=positive,
    )
    desc_time_order = Param(int, 0, "1: the newest contact first; 0: by q, the highest first", check=switch)
    matching_mode = Param(int, 0, "0: a contact is known by its URI; 1: by its URI and Call-ID", check=switch)
    cseq_delay = Param(
        int,
        20,
        "Seconds in which a REGISTER of the same Call-ID and CSeq is a retransmission, which is answered; 0: never",
        check=not_negative,
    )
    hash_size = Param(int, 9, "A hint, without effect: a power of two")
    fetch_rows = Param(int, 2000, "A hint, without effect: rows are read in slices", check=positive)
    nat_bflag = Param(int, -1, "Branch flag that marks contacts behind a NAT, 0 to 31; -1: none", check=flag)
    user_column = Param(str, "username", "Name of the column for the user", check=identifier)
    domain_column = Param(str, "domain", "Name of the column for the domain", check=identifier)
    contact_column = Param(str, "contact", "Name of the column for the Contact URI", check=identifier)
    expires_column = Param(str, "expires", "Name of the column for the end of a contact", check=identifier)
    q_column = Param(str, "q", "Name of the column for q", check=identifier)
    callid_column = Param(str, "callid", "Name of the column for the Call-ID", check=identifier)
    cseq_column = Param(str, "cseq", "Name of the column for the CSeq number", check=identifier)
    flags_column = Param(str, "flags", "Name of the column for the flags of a contact", check=identifier)
    cflags_column = Param(str, "cflags", "Name of the column for its branch flags", check=identifier)
    user_agent_column = Param(str, "user_agent", "Name of the column for the User-Agent", check=identifier)
    received_column = Param(
        str, "received", "Name of the column for where the REGISTER came from", check=identifier
    )
    path_column = Param(str, "path", "Name of the column for the Path", check=identifier)
    socket_column = Param(
        str, "socket", "Name of the column for the socket by which it came", check=identifier
    )
    methods_column = Param(
        str, "methods", "Name of the column for the methods of a contact", check=identifier
    )

    registered_users = Counter(
        "Addresses-of-record with contacts, in all tables", read=lambda usrloc: usrloc.count_users()
    )

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.tables: dict[str, None] = {}
        """The tables that the script names."""
        self.domains: dict[str, Domain] = {}
        self.watchers: list[Watcher] = []
        self._unloaded = 0
        self._draining = False

    # --- as configured ----------------------------------------------------------------------------------------------

    def requirements(self) -> tuple[str, ...]:
        """Memory needs no database."""
        return self.needs if self.db_mode else ()

    @property
    def rules(self) -> Rules:
        """How contacts are found and ordered."""
        return Rules(bool(self.desc_time_order), bool(self.matching_mode), self.cseq_delay)

    @property
    def slots(self) -> int:
        """The size of 1.3's table."""
        return 1 << self.hash_size if 1 < self.hash_size < 31 else 512

    def columns(self) -> dict[str, str]:
        """1.3's name of each column -> its name in the tables."""
        parameters = {"username": "user"}
        return {
            column: getattr(self, f"{parameters.get(column, column)}_column", column) for column in COLUMNS
        }

    def statistics(self) -> Iterator[tuple[str, str, Source]]:
        """Those declared, and three of each table."""
        yield from super().statistics()
        for table in self.tables:
            yield self.name, f"{table}-users", partial(self._figure, table, "users")
            yield self.name, f"{table}-contacts", partial(self._figure, table, "contacts")
            yield self.name, f"{table}-expires", partial(self._figure, table, "expired")

    def count_users(self) -> int:
        """The addresses-of-record that have contacts."""
        return sum(domain.users for domain in self.domains.values())

    def _figure(self, table: str, what: str) -> int:
        domain = self.domains.get(table)
        return 0 if domain is None else int(getattr(domain, what))

    def bind(self) -> UsrlocApi:
        """The API for registrar and others."""
        return UsrlocApi(self)

    # --- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the tables that the script names, and read them; raises ModuleError."""
        if self.db_mode == MEMORY:
            for table in self.tables:
                domain = self.domains[table] = Domain(self.services, table, self.rules, self.watchers)
                domain.mode = InMemory(domain.apply)
                self._serve(domain)
            return
        if not self.tables:
            return
        database = self.services.database(self.db_url)
        try:
            database.open()
            if self.db_mode == DATABASE_ONLY:
                database.share()
            for table in self.tables:
                self._open(database, table)
        except DatabaseError as error:
            raise ModuleError(f"usrloc cannot use its database {database.url}: {error}") from error

    def _open(self, database: Database, table: str) -> None:
        rows = Rows(database, with_columns(Location, table, self.columns()), use_domain=bool(self.use_domain))
        services = self.services
        if self.db_mode == DATABASE_ONLY:
            domain: Domain = RemoteDomain(
                services, table, self.rules, self.watchers, rows, self.timer_interval
            )
            begin = partial(self._serve, domain)
        else:
            domain = Domain(services, table, self.rules, self.watchers)
            begin = partial(self._load, domain, rows)
        if self.db_mode == WRITE_BACK:
            warn = partial(services.log.warning, "usrloc")
            domain.mode = WriteBack(rows, domain.apply, services.soon, warn)
        else:
            domain.mode = WriteThrough(rows, domain.apply, domain.let_go, services.wheel.add)
        self.domains[table] = domain
        if database.ready:
            begin()
        else:
            database.when_ready(begin)

    def _load(self, domain: Domain, rows: Rows) -> None:
        """Read what a table has, while nothing is saved or looked up there."""
        self._unloaded += 1
        self.loading = True
        reading = load(self.services, domain, rows, lambda: not self._draining)
        Stepper(reading, partial(self._loaded, domain, rows)).step()

    def _loaded(self, domain: Domain, rows: Rows, skipped: int | None, error: BaseException | None) -> None:
        self._unloaded -= 1
        self.loading = self._unloaded > 0
        if self._draining:
            return
        if error is not None:
            domain.forget()
            text = f"the rows of {domain.name} cannot be loaded, trying again: {error}"
            self.services.log.warning("usrloc", text)
            self.services.wheel.add(RELOAD_PAUSE, partial(self._load, domain, rows))
            return
        if skipped:
            self.services.log.warning("usrloc", f"{skipped} rows of {domain.name} could not be understood")
        self._serve(domain)

    def _serve(self, domain: Domain) -> None:
        domain.ready = True
        domain.run()
        if isinstance(domain.mode, WriteBack):
            self.services.wheel.add(self.timer_interval, self._write, domain.mode)

    def _write(self, mode: WriteBack) -> None:
        if not self._draining:
            mode.write()
            self.services.wheel.add(self.timer_interval, self._write, mode)

    async def drain(self) -> None:
        """End nothing any more, and write what is only in memory."""
        self._draining = True
        for domain in self.domains.values():
            domain.halt()
            if isinstance(domain.mode, WriteBack):
                domain.mode.hand_over()

    # --- management commands ----------------------------------------------------------------------------------------

    @mi_command("ul_rm")
    async def ul_rm(self, table: str, aor: str) -> None:
        """Remove an address-of-record with all its contacts."""
        await commands.remove(self, table, aor)

    @mi_command("ul_rm_contact")
    async def ul_rm_contact(self, table: str, aor: str, contact: str) -> None:
        """Remove one contact of an address-of-record."""
        await commands.remove_contact(self, table, aor, contact)

    @mi_command("ul_dump")
    async def ul_dump(self, brief: str = "") -> Reply:
        """Everything in memory; with the word `brief` without the contacts."""
        return await commands.dump(self, brief=brief.lower() == "brief")

    @mi_command("ul_flush")
    async def ul_flush(self) -> None:
        """Write what is only in memory (`db_mode` 2)."""
        await commands.flush(self)

    @mi_command("ul_add")
    async def ul_add(
        self,
        table: str,
        aor: str,
        contact: str,
        expires: int,
        q: str,
        unused: str,
        flags: int,
        cflags: int,
        methods: int,
    ) -> None:
        """Add or change a contact; `expires` is in seconds from now, 0 for ever."""
        await commands.add(self, table, aor, contact, expires, q, flags, cflags, methods)

    @mi_command("ul_show_contact")
    async def ul_show_contact(self, table: str, aor: str) -> Reply:
        """The contacts of an address-of-record, a line each."""
        return await commands.show(self, table, aor)
