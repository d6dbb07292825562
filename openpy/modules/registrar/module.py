"""The declaration of the registrar module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

from openpy.db.errors import DatabaseError
from openpy.engine.checks import flag, not_negative, one_line, switch, token, token_or_none
from openpy.engine.merged import MergedRequests
from openpy.engine.module import (
    REQUEST,
    ArgumentError,
    Counter,
    Effect,
    Module,
    ModuleError,
    Param,
    RouteKind,
    Text,
    script_function,
)
from openpy.engine.named import avp_of, avp_written
from openpy.engine.run import Overloaded, Run
from openpy.engine.services import Services
from openpy.engine.sockets import bracketed
from openpy.modules.registrar import looking
from openpy.modules.registrar.addresses import AorRules
from openpy.modules.registrar.arguments import SaveFlagsKind, TableKind
from openpy.modules.registrar.failures import Failure
from openpy.modules.registrar.registering import Lifetimes
from openpy.modules.registrar.saving import NO_REPLY, PathRules, Saving, Settings
from openpy.modules.usrloc.api import UNSET_Q, Domain, UsrlocApi

REQUEST_OR_FAILURE = frozenset({RouteKind.REQUEST, RouteKind.FAILURE})

Table = Annotated[str, TableKind()]
SaveFlags = Annotated[int, SaveFlagsKind()]


def _thousandths(value: int) -> int:
    return value if value == UNSET_Q else min(max(value, 0), 1000)


def _path_mode(value: int) -> int:
    if value not in (0, 1, 2):
        raise ArgumentError(f"path_mode is 0 to 2, not {value}")
    return value


def _mask(flag: int) -> int:
    return 1 << flag if flag >= 0 else 0


class Registrar(Module):
    """REGISTER, and the way to those who registered (RFC 3261 section 10, RFC 3327).

    A REGISTER is done as a whole or not at all, and answered when usrloc has kept it. Its tables belong to usrloc.

        if (is_method("REGISTER")) { save("location"); exit; }
        if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
        t_relay();
    """

    name = "registrar"
    needs = ("sl", "usrloc")

    default_expires = Param(
        int,
        3600,
        "Lifetime in seconds of contacts that name none, or none that can be read",
        check=not_negative,
        reload=True,
    )
    min_expires = Param(
        int,
        60,
        "Shortest lifetime in seconds; a shorter one is made so long; 0: no limit",
        check=not_negative,
        reload=True,
    )
    max_expires = Param(
        int,
        0,
        "Longest lifetime in seconds; a longer one is made so short; 0: no limit",
        check=not_negative,
        limit=True,
        reload=True,
    )
    default_q = Param(
        int, UNSET_Q, "q of contacts without one, in thousandths; -1: none", check=_thousandths, reload=True
    )
    append_branches = Param(
        int, 1, "1: `lookup` appends the other contacts as branches", check=switch, reload=True
    )
    case_sensitive = Param(int, 0, "1: upper and lower case of users differ", check=switch, reload=True)
    tcp_persistent_flag = Param(
        int,
        -1,
        "Message flag: the connection of a REGISTER is kept 10 s longer than its contacts; -1: none",
        check=flag,
        reload=True,
    )
    realm_prefix = Param(str, "", "What is cut from the begin of the domain", reload=True, check=one_line)
    received_param = Param(
        str,
        "received",
        "Contact parameter of a 200 that tells where the REGISTER came from",
        reload=True,
        check=token,
    )
    received_avp = Param(
        str, "", "AVP with the URI from which the REGISTER came", check=avp_written, reload=True
    )
    aor_avp = Param(
        str, "", "AVP with the URI of the address-of-record, in place of To", check=avp_written, reload=True
    )
    max_contacts = Param(
        int,
        0,
        "Contacts of one address-of-record at most; 0: no limit",
        check=not_negative,
        limit=True,
        reload=True,
    )
    retry_after = Param(
        int,
        0,
        "Retry-After in seconds of 5xx replies; 0: only where it helps",
        check=not_negative,
        reload=True,
    )
    sock_flag = Param(
        int, -1, "Message flag: the socket stands in a header of the REGISTER", check=flag, reload=True
    )
    sock_hdr_name = Param(
        str, "", "Name of that header, `[proto:]host[:port]`", reload=True, check=token_or_none
    )
    method_filtering = Param(
        int,
        0,
        "1: `lookup` takes only contacts that allow the method of the request",
        check=switch,
        reload=True,
    )
    use_path = Param(int, 0, "1: Path is kept, and used by `lookup` (RFC 3327)", check=switch, reload=True)
    path_mode = Param(
        int,
        2,
        "Path in the 200: 0 never; 1 where the sender supports it; 2 as 1, who does not support it is refused with 420",
        check=_path_mode,
        reload=True,
    )
    path_use_received = Param(
        int,
        0,
        "1: `received` of the first URI of the Path is where the REGISTER came from",
        check=switch,
        reload=True,
    )

    max_expires_ = Counter("The parameter", name="max_expires", read=lambda module: module.max_expires)
    max_contacts_ = Counter("The parameter", name="max_contacts", read=lambda module: module.max_contacts)
    default_expire = Counter("The parameter default_expires", read=lambda module: module.default_expires)
    accepted_regs = Counter("REGISTERs that were answered 200")
    rejected_regs = Counter("REGISTERs that were refused")

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._settings = Settings()
        self._domains: dict[str, Domain] = {}

    # --- as configured ----------------------------------------------------------------------------------------------

    def functions(self) -> Iterator[Any]:
        """The script functions; the tables that they name become known to usrloc."""
        for function in super().functions():
            parameters = tuple(
                replace(parameter, kind=type(parameter.kind)(self._usrloc))
                if isinstance(parameter.kind, TableKind | SaveFlagsKind)
                else parameter
                for parameter in function.parameters
            )
            yield replace(function, parameters=parameters)

    def _usrloc(self) -> UsrlocApi | None:
        usrloc = self.services.module("usrloc")
        api: UsrlocApi | None = None if usrloc is None else usrloc.bind()
        return api

    async def start(self) -> None:
        """Read the parameters once."""
        self._merged = MergedRequests(self.services.wheel, self.services.transactions.longest)
        self.reconfigured(self)

    def reconfigured(self, configured: Module) -> None:
        """What comes from now on is served by the parameters as they are."""
        api = self._api
        has_both = self.sock_flag >= 0 and bool(self.sock_hdr_name)
        if (self.sock_flag >= 0 or self.sock_hdr_name) and not has_both:
            self.services.log.warning(
                "registrar", "sock_flag and sock_hdr_name have no effect without each other"
            )
        path = PathRules(bool(self.use_path), self.path_mode, bool(self.path_use_received), api.nat_flag)
        self._settings = Settings(
            Lifetimes(self.default_expires, self.min_expires, self.max_expires, self.default_q),
            path,
            AorRules(api.use_domain, bool(self.case_sensitive), self.realm_prefix),
            self.received_param,
            avp_of(self.received_avp),
            avp_of(self.aor_avp),
            self.max_contacts,
            self.retry_after,
            _mask(self.tcp_persistent_flag),
            _mask(self.sock_flag) if has_both else 0,
            self.sock_hdr_name,
        )

    @property
    def _api(self) -> UsrlocApi:
        api = self._usrloc()
        if api is None:
            raise ModuleError("registrar needs usrloc", 'add: loadmodule "usrloc.so"')
        return api

    # --- script functions -------------------------------------------------------------------------------------------

    @script_function(routes=REQUEST, effect=Effect.REPLIES)
    async def save(self, run: Run, table: Table, flags: SaveFlags = 0) -> int:
        """Do what a REGISTER asks for, and answer it: 1; where it was refused the script ends.

        Flags: 0x1 keep it in memory only, 0x2 send no reply; 0x3 both. A copy that came another way is refused (482).
        """
        if run.request.method != "REGISTER":
            run.warn(f"save: {run.request.method} is no REGISTER")
        if self._merged.holds(run.request):
            self.rejected_regs.value += 1
            if not flags & NO_REPLY:
                run.reply(482, "Loop Detected")
            return 0
        saving = Saving(run, self._settings, self._domain(table))
        try:
            contacts = await saving.save(flags)
        except Failure as failure:
            self.rejected_regs.value += 1
            if not flags & NO_REPLY:
                saving.refuse(failure, self._random_delay)
            return 0
        except Overloaded:
            self.rejected_regs.value += 1
            run.reply(503, "Service Unavailable", f"Retry-After: {self._random_delay()}\r\n")
            return 0
        self.accepted_regs.value += 1
        if flags & NO_REPLY:
            return 1
        return 1 if saving.accept(contacts) else -1

    @script_function(routes=REQUEST_OR_FAILURE, effect=Effect.NONE)
    async def lookup(self, run: Run, table: Table) -> int:
        """Go to the contacts of whom the Request-URI means.

        1: the first is the Request-URI, with its Path, next hop, q, branch flags and socket, the others are branches;
        -1: there are none; -2: none takes the method (`method_filtering`); -3: an error.
        """
        domain = self._domain(table)
        by_method, branches = bool(self.method_filtering), bool(self.append_branches)
        return await looking.lookup(run, domain, self._settings, by_method=by_method, branches=branches)

    @script_function(routes=REQUEST_OR_FAILURE, effect=Effect.NONE)
    async def registered(self, run: Run, table: Table) -> int:
        """Whether whom the Request-URI means has a contact."""
        try:
            contacts = await looking.registered(run, self._domain(table), self._settings)
        except (Failure, DatabaseError) as error:
            run.warn(f"registered: {error}")
            return -1
        return 1 if contacts else -1

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def add_sock_hdr(self, run: Run, name: Text) -> int:
        """Add a header that names the receiving socket, for the registrar to which this REGISTER goes."""
        flow = run.flow
        run.edits.append_header(
            f"{name}: {flow.transport}:{bracketed(flow.local_host)}:{flow.local_port}\r\n"
        )
        return 1

    def _domain(self, table: str) -> Domain:
        domain = self._domains.get(table)
        if domain is None:
            domain = self._domains[table] = self._api.domain(table)
        return domain

    def _random_delay(self) -> int:
        """Seconds: those who were refused must not come back all at once."""
        return self.services.random.randint(1, 5)
