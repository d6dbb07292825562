"""permissions: its declaration."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

from openpy.db.tables import reading
from openpy.engine.checks import identifier, one_line, switch
from openpy.engine.lookups import DatabaseError, Lookups
from openpy.engine.mi import MiError, Reply
from openpy.engine.module import (
    Effect,
    Environment,
    Function,
    Module,
    Param,
    PseudoVariable,
    Refusal,
    RouteKind,
    mi_command,
    script_function,
)
from openpy.engine.named import NamedAvp, avp_written
from openpy.engine.run import Run
from openpy.modules.permissions.groups import Group, number_in
from openpy.modules.permissions.kept import KeptTable, tell_problems
from openpy.modules.permissions.networks import Entry, Networks
from openpy.modules.permissions.rulefiles import BaseKind, FileKind, FilePair, RuleBook
from openpy.modules.permissions.tables import Address, Trusted
from openpy.modules.permissions.trusted import Peers, first_of, peers_of
from openpy.modules.permissions.verdicts import may_reach, may_register, may_route
from openpy.sip.errors import RemoteError

ROUTES = frozenset({RouteKind.REQUEST, RouteKind.FAILURE})

YES, NO = 1, -1

GROUP_NOTE = "permissions.group"
LONGEST_NAME = 127
LONGEST_URI = 1024

NO_DATABASE = Refusal("permissions has no db_url", 'add: modparam("permissions", "db_url", "...")')
BY_TABLE = frozenset({"allow_trusted", "allow_address", "allow_source_address"})


Base = Annotated[FilePair, BaseKind()]
File = Annotated[str, FileKind()]


class Permissions(Module):
    """Tells who may do what: by files of rules, by the address a request comes from, by a table of trusted peers.

    A file of rules has a rule a line, about who asks and what for; what `.allow` allows is allowed, else what `.deny`
    denies is not, and the rest is allowed. Expressions are POSIX extended ones, and letter case does not count:

        # who [EXCEPT who] : what [EXCEPT what]
        "^sip:[0-9]+@example\\.com$" : ALL EXCEPT "^sip:0900", "^sip:00"

    Files stand beside the script, unless a path says where; they are checked with it, and read again at a reload. The
    tables need `db_url`, and a database module loaded before; they are read at the start, and by `trusted_reload` and
    `address_reload`.

        modparam("permissions", "db_url", "mysql://openserro:openserro@localhost/openser")
        modparam("permissions", "db_mode", 1)
        route {
            if (is_method("REGISTER") && !allow_register("register")) { sl_send_reply("403", "Forbidden"); exit; }
            if (!allow_trusted() && !allow_source_address("1") && !allow_routing()) {
                sl_send_reply("403", "Forbidden");
                exit;
            }
            t_relay();
        }
    """

    name = "permissions"

    default_allow_file = Param(
        str, "permissions.allow", "Rules of allow_routing() that allow", reload=True, check=one_line
    )
    default_deny_file = Param(
        str, "permissions.deny", "Rules of allow_routing() that deny", reload=True, check=one_line
    )
    check_all_branches = Param(
        int, 1, "0: allow_routing looks at the Request-URI only", check=switch, reload=True
    )
    allow_suffix = Param(str, ".allow", "What the names of files end with that allow", check=one_line)
    deny_suffix = Param(str, ".deny", "What the names of files end with that deny", check=one_line)
    db_url = Param(str, "", "Database of the tables; unset: only files are used")
    db_mode = Param(
        int, 0, "Of the trusted peers. 1: they are kept in memory; 0: a query a call", check=switch
    )
    trusted_table = Param(str, "trusted", "Table of trusted peers", check=identifier)
    source_col = Param(str, "src_ip", "Its column of the address", check=identifier)
    proto_col = Param(str, "proto", "Its column of the transport: any, udp, tcp, tls", check=identifier)
    from_col = Param(
        str,
        "from_pattern",
        "Its column of the expression for From: a POSIX basic one, or NULL",
        check=identifier,
    )
    tag_col = Param(str, "tag", "Its column of the tag", check=identifier)
    peer_tag_avp = Param(
        str, "", "AVP that gets the tag of a trusted peer; unset: none", check=avp_written, reload=True
    )
    address_table = Param(str, "address", "Table of addresses and networks", check=identifier)
    grp_col = Param(str, "grp", "Its column of the group", check=identifier)
    ip_addr_col = Param(str, "ip_addr", "Its column of the address", check=identifier)
    mask_col = Param(str, "mask", "Its column of the number of bits that count", check=identifier)
    port_col = Param(str, "port", "Its column of the port; 0: any", check=identifier)

    _lookups: Lookups
    _default: FilePair
    _peer_tag: NamedAvp | None = None
    _trusted: KeptTable[Peers]
    _addresses: KeptTable[Networks] | None = None  # None: there is no db_url

    # --- as configured ------------------------------------------------------------------------------------------

    @property
    def _book(self) -> RuleBook:
        """The rules of all files that the script names."""
        book: RuleBook = self.__dict__.setdefault("book", RuleBook())
        return book

    def requirements(self) -> tuple[str, ...]:
        """A database, where there is an URL of one."""
        return ("database",) if self.db_url else ()

    def files(self) -> Mapping[str, Hashable]:
        """The files of rules."""
        return self._book.texts

    def functions(self) -> Iterator[Function]:
        """All script functions: the files that they name are read; those that need tables need db_url."""
        kinds: dict[type, Any] = {
            BaseKind: BaseKind(self._book, self._suffixes),
            FileKind: FileKind(self._book),
        }
        for function in super().functions():
            if function.name in BY_TABLE and not self.db_url:
                function = replace(function, refusal=NO_DATABASE)
            parameters = tuple(
                replace(parameter, kind=kinds.get(type(parameter.kind), parameter.kind))
                for parameter in function.parameters
            )
            yield replace(function, parameters=parameters)

    @property
    def _suffixes(self) -> tuple[str, str]:
        return self.allow_suffix, self.deny_suffix

    # --- life ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Find the database; raises ModuleError."""
        if self.db_url:
            self._lookups = Lookups(self.services, self.name, self.db_url)

    def prepare(self, environment: Environment) -> None:
        """Read the default files; raises ArgumentError."""
        self._folder = environment.folder
        names = self.default_allow_file, self.default_deny_file
        self._default = FilePair(*(self._book.read(self._folder / name) for name in names))
        self._peer_tag = NamedAvp(self.peer_tag_avp) if self.peer_tag_avp else None

    async def start(self) -> None:
        """Open the database and read the tables; raises ModuleError."""
        self._tell_absent(self)
        if not self.db_url:
            return
        trusted = [self.source_col, self.proto_col, self.from_col, self.tag_col]
        addresses = [self.grp_col, self.ip_addr_col, self.mask_col, self.port_col]
        self._one_trusted = self._lookups.select(self.trusted_table, trusted, [self.source_col])
        self._lookups.open(
            [reading(Trusted, trusted, self.trusted_table), reading(Address, addresses, self.address_table)]
        )
        self._addresses = KeptTable(self.services, self._lookups, self.address_table, addresses, Networks)
        self._addresses.read()
        self._trusted = KeptTable(self.services, self._lookups, self.trusted_table, trusted, Peers)
        if self.db_mode:
            self._trusted.read()

    def reconfigured(self, configured: Module) -> None:
        """Take over what the files hold now."""
        assert isinstance(configured, Permissions)
        self._tell_absent(configured)
        self._book.take(configured._book)
        self._folder = configured._folder
        self._default = configured._default
        self._peer_tag = configured._peer_tag

    def _tell_absent(self, configured: Permissions) -> None:
        for path in configured._book.absent:
            if path not in configured._default:
                self.services.log.warning(self.name, f"{path} is not there: it allows and denies nothing")

    # --- files of rules -----------------------------------------------------------------------------------------

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def allow_routing(self, run: Run) -> int:
        """Whether the default files allow From to reach the Request-URI and the branches."""
        return self._may_route(run, self._default)

    @script_function(routes=ROUTES, name="allow_routing", effect=Effect.NONE)
    def allow_routing_by(self, run: Run, base: Base) -> int:
        """The same by two files."""
        return self._may_route(run, base)

    @script_function(routes=ROUTES, name="allow_routing", effect=Effect.NONE)
    def allow_routing_by_files(self, run: Run, allow: File, deny: File) -> int:
        """The same by two files of any name."""
        return self._may_route(run, FilePair(allow, deny))

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def allow_register(self, run: Run, base: Base) -> int:
        """Whether two files allow To to register each Contact; 1 where there is none, or `*`."""
        return YES if may_register(self._book, base, run) else NO

    @script_function(routes=ROUTES, name="allow_register", effect=Effect.NONE)
    def allow_register_by_files(self, run: Run, allow: File, deny: File) -> int:
        """The same by two files of any name."""
        return YES if may_register(self._book, FilePair(allow, deny), run) else NO

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def allow_uri(self, run: Run, base: Base, uri: PseudoVariable) -> int:
        """Whether two files allow From to reach the URI in a pseudo-variable; -1 where it holds none."""
        return YES if may_reach(self._book, base, run, uri(run)) else NO

    def _may_route(self, run: Run, files: FilePair) -> int:
        return YES if may_route(self._book, files, run, every=bool(self.check_all_branches)) else NO

    # --- the table of trusted peers -----------------------------------------------------------------------------

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def allow_trusted(self, run: Run) -> int:
        """Whether a row trusts who sent the request: by address, transport and From. Its tag goes to `peer_tag_avp`."""
        source = run.flow.host
        if not self.db_mode:
            try:
                rows = await self._lookups.ask(run, self._one_trusted, source)
            except DatabaseError:
                return NO
            problems: list[str] = []
            peers = list(peers_of(rows, problems.append))
            tell_problems(self.services.log, self.trusted_table, problems)
        elif self._trusted.content is None:
            return self._lookups.not_yet(run)
        else:
            peers = self._trusted.content.at(source)
        try:
            peer = first_of(peers, run.flow.transport, run.message.from_.uri_text)
        except RemoteError:
            return NO
        if peer is None:
            return NO
        if peer.tag is not None and self._peer_tag is not None:
            self._peer_tag.add(run, peer.tag)
        return YES

    # --- the table of addresses ---------------------------------------------------------------------------------

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def set_address_group(self, run: Run, group: Group) -> int:
        """Name the group for `allow_address`, for this message; -1 if a pseudo-variable holds no number."""
        number = number_in(run, group)
        if number is None:
            return NO
        run.state.notes[GROUP_NOTE] = number
        return YES

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def allow_address(self, run: Run, address: PseudoVariable, port: PseudoVariable) -> int:
        """Whether the address and port in two pseudo-variables are in the group of `set_address_group`, or in 0."""
        number, host = number_in(run, port), address(run)
        if number is None or not isinstance(host, str):
            return NO
        return self._allows_address(run, run.state.notes.get(GROUP_NOTE, 0), host, number)

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def allow_source_address(self, run: Run, group: Group) -> int:
        """Whether the address and port that the request came from are in a group."""
        number = number_in(run, group)
        return NO if number is None else self._allows_address(run, number, run.flow.host, run.flow.port)

    def _allows_address(self, run: Run, group: int, host: str, port: int) -> int:
        networks = None if self._addresses is None else self._addresses.content
        if networks is None:
            return self._lookups.not_yet(run)
        return YES if networks.has(group, host, port) else NO

    # --- management commands ------------------------------------------------------------------------------------

    @mi_command("trusted_reload")
    async def trusted_reload(self) -> None:
        """Read the trusted peers again, if they are kept; what was kept stays where that fails."""
        if self.db_url and self.db_mode:
            await self._trusted.read_again("Trusted table reload failed")

    @mi_command("trusted_dump")
    def trusted_dump(self) -> Reply:
        """The trusted peers that are kept: address, transport (0 any, 1 udp, 2 tcp, 3 tls), expression, tag."""
        if not self.db_url or not self.db_mode:
            raise MiError(500, "Trusted-module not in use")
        return _listed(self._trusted.content or ())

    @mi_command("address_reload")
    async def address_reload(self) -> None:
        """Read the addresses again; what was kept stays where that fails."""
        failure = "Address table reload failed"
        if self._addresses is None:
            raise MiError(400, failure)
        await self._addresses.read_again(failure)

    @mi_command("address_dump")
    def address_dump(self) -> Reply:
        """The addresses: group, address, port."""
        return _listed(entry for entry in self._entries if entry.is_host)

    @mi_command("subnet_dump")
    def subnet_dump(self) -> Reply:
        """The networks: group, network, bits of its mask, port."""
        return _listed(entry for entry in self._entries if not entry.is_host)

    @mi_command("allow_uri")
    def ask_files(self, basename: str, uri: str, contact: str) -> None:
        """Whether two files, which the script names, allow a URI to reach or register another: 200, or 403."""
        if len(basename) + len(self.allow_suffix) > LONGEST_NAME:
            raise MiError(404, "Basename is too long")
        for name, text in (("URI", uri), ("Contact", contact)):
            if len(text) > LONGEST_URI:
                raise MiError(404, f"{name} is too long")
        files = self._book.pair_of(self._folder / (basename + self.allow_suffix))
        if files is None or not self._book.allows(files, uri, contact):
            raise MiError(403, "Forbidden")

    @property
    def _entries(self) -> list[Entry]:
        networks = None if self._addresses is None else self._addresses.content
        return [] if networks is None else networks.entries


def _listed(items: Iterable[object]) -> Reply:
    reply = Reply()
    for number, item in enumerate(items):
        reply.add("", f"{number:4} {item}")
    return reply
