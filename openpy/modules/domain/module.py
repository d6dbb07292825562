"""domain: the domains that are served, as a table says."""

from __future__ import annotations

from openpy.db.tables import reading
from openpy.engine.checks import identifier
from openpy.engine.lookups import READ_ONLY_URL, DatabaseError, Lookups, Row, spellings
from openpy.engine.mi import MiError, Reply
from openpy.engine.module import (
    ArgumentError,
    Effect,
    Module,
    Param,
    PseudoVariable,
    RouteKind,
    mi_command,
    script_function,
)
from openpy.engine.run import Run
from openpy.modules.domain.tables import Domain as DomainTable
from openpy.sip.errors import RemoteError
from openpy.sip.uri import cached_uri

ROUTES = frozenset({RouteKind.REQUEST, RouteKind.BRANCH, RouteKind.FAILURE})

YES, NO, BAD_FROM = 1, -1, -2

NOT_ACTIVATED = (500, "command not activated")


def _mode(value: int) -> int:
    if value not in (0, 1):
        raise ArgumentError(f"0 (a query a call) or 1 (all in memory) expected, not {value}")
    return value


class Domain(Module):
    """Tells whether a domain is one of those that are served, which are the rows of a table.

    With `db_mode` 1 all are in memory, until `domain_reload` reads them again, and are compared without case. With 0
    each call is a query, and the database compares; it is asked for the name in lower case too.

        modparam("domain", "db_mode", 1)
        route {
            if (!is_from_local() && !is_uri_host_local()) { sl_send_reply("403", "Relaying Forbidden"); exit; }
            t_relay();
        }
    """

    name = "domain"
    needs = ("database",)

    db_url = Param(str, READ_ONLY_URL, "Database of the domains")
    db_mode = Param(int, 0, "1: all are kept in memory; 0: each call is a query", check=_mode)
    domain_table = Param(str, "domain", "Table of the domains", check=identifier)
    domain_col = Param(str, "domain", "Its column of the name", check=identifier)

    def check(self) -> None:
        """Find the database; raises ModuleError."""
        self._lookups = Lookups(self.services, self.name, self.db_url)
        self._kept: dict[str, str] | None = None  # by name in lower case; None: not read yet

    async def start(self) -> None:
        """Open the database, and read the domains if they are kept; raises ModuleError."""
        select = self._lookups.select
        self._all = select(self.domain_table, [self.domain_col])
        self._one = select(self.domain_table, [self.domain_col], hosts=[self.domain_col])
        self._lookups.open([reading(DomainTable, [self.domain_col], self.domain_table)])
        if self.db_mode:
            self._lookups.keep(self._all, self._keep)

    def _keep(self, rows: list[Row]) -> None:
        self._kept = {str(name).lower(): str(name) for (name,) in rows if name}

    # --- functions ----------------------------------------------------------------------------------------------

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def is_from_local(self, run: Run) -> int:
        """Whether the domain of From is served; -2 if From has none."""
        try:
            uri = run.message.from_.uri
        except RemoteError:
            return BAD_FROM
        return await self._is_local(run, uri.host) if uri.is_sip else BAD_FROM

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def is_uri_host_local(self, run: Run) -> int:
        """Whether the domain of the Request-URI is served, in a branch_route that of the branch."""
        try:
            uri = cached_uri(run.uri)
        except RemoteError:
            return NO
        return await self._is_local(run, uri.host) if uri.is_sip else NO

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def is_domain_local(self, run: Run, domain: PseudoVariable) -> int:
        """Whether the domain in a pseudo-variable is served."""
        name = domain(run)
        return await self._is_local(run, name) if isinstance(name, str) and name else NO

    async def _is_local(self, run: Run, name: str) -> int:
        if self.db_mode:
            if self._kept is None:
                return self._lookups.not_yet(run)
            return YES if name.lower() in self._kept else NO
        try:
            return YES if await self._lookups.ask(run, self._one, *spellings(name)) else NO
        except DatabaseError:
            return NO

    # --- management commands ------------------------------------------------------------------------------------

    @mi_command("domain_reload")
    async def domain_reload(self) -> None:
        """Read the domains again; what was kept stays where that fails."""
        if not self.db_mode:
            raise MiError(*NOT_ACTIVATED)
        try:
            self._keep(await self._lookups.rows(self._all))
        except DatabaseError as error:
            self.services.log.error(self.name, f"the domains cannot be read: {error}")
            raise MiError(500, "Domain table reload failed") from None

    @mi_command("domain_dump")
    def domain_dump(self) -> Reply:
        """The domains that are kept, a node each."""
        if not self.db_mode:
            raise MiError(*NOT_ACTIVATED)
        reply = Reply()
        for name in (self._kept or {}).values():
            reply.add("", name)
        return reply
