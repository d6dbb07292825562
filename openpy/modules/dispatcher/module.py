"""dispatcher: its declaration."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from openpy.db.tables import reading
from openpy.engine.checks import identifier, not_negative, one_line, own_method, positive, switch, uri
from openpy.engine.lookups import DatabaseError, Lookups, Row
from openpy.engine.mi import MiError, Reply
from openpy.engine.module import (
    REQUEST,
    ArgumentError,
    Effect,
    Module,
    ModuleError,
    NumberKind,
    Param,
    RouteKind,
    mi_command,
    script_function,
)
from openpy.engine.named import avp_written
from openpy.engine.requesturi import change
from openpy.engine.run import Run
from openpy.engine.services import Services
from openpy.modules.dispatcher import failover
from openpy.modules.dispatcher.arguments import STATES, NumberOrVariable, StateName
from openpy.modules.dispatcher.choosing import number_for
from openpy.modules.dispatcher.failover import Names, names_of
from openpy.modules.dispatcher.lists import BadList, Entry, read_file, read_rows
from openpy.modules.dispatcher.naming import Naming
from openpy.modules.dispatcher.probing import Probe, Prober
from openpy.modules.dispatcher.sets import Destination, Sets, State
from openpy.modules.dispatcher.tables import Dispatcher as DispatcherTable
from openpy.modules.tm.api import Happening, Outcome, TmApi
from openpy.sip.uri import Uri, cached_uri

FAILURE = frozenset({RouteKind.FAILURE})
ANYWHERE = frozenset({RouteKind.REQUEST, RouteKind.FAILURE, RouteKind.ONREPLY, RouteKind.BRANCH})

YES, NO = 1, -1

USER_ONLY, FAILOVER = 1, 2
"""Bits of `flags`."""

DEFAULT_LIST = "/usr/local/etc/openser/dispatcher.list"


def _flags(value: int) -> int:
    if value not in range(4):
        raise ArgumentError(f"flags is 0 to 3, not {value}", "1: hash over the user only; 2: fail-over")
    return value


class Dispatcher(Module):
    """Sends requests to one of several gateways, and to the next one where that fails.

        modparam("dispatcher", "list_file", "/etc/openser/dispatcher.list")
        modparam("dispatcher", "flags", 2)
        modparam("dispatcher", "dst_avp", "$avp(i:271)")
        modparam("dispatcher", "grp_avp", "$avp(i:272)")
        modparam("dispatcher", "cnt_avp", "$avp(i:273)")
        route {
            if (!ds_select_dst("2", "0")) { sl_send_reply("500", "No destination"); exit; }
            t_on_failure("1");
            t_relay();
        }
        failure_route[1] {
            if (!t_check_status("408|5[0-9][0-9]")) exit;
            ds_mark_dst("p");
            if (ds_next_dst()) { t_on_failure("1"); t_relay(); }
        }

    A line of the list is `<set> <uri>`, such as `2 sip:192.0.2.1:5060`; `#` begins a comment. With `db_url` the list is
    a table. `ds_reload` reads it again between two requests; what is known of destinations that stay is kept, and of a
    list with a mistake nothing is taken.

    Algorithms: 0 hash of Call-ID, 1 of From, 2 of To, 3 of the Request-URI; 4 round robin; 5 hash of the user who
    authenticates himself, or round robin; 6 by chance; any other number: the first of the set. A destination that is
    inactive or probed is passed over. One that stands in the list twice gets twice its share.
    """

    name = "dispatcher"

    list_file = Param(str, DEFAULT_LIST, "The list, unless `db_url` is set", check=one_line)
    db_url = Param(str, "", "Database of the list; unset: it is a file")
    table_name = Param(str, "dispatcher", "Table of the list", check=identifier)
    setid_col = Param(str, "setid", "Its column of the set", check=identifier)
    destination_col = Param(str, "destination", "Its column of the URI", check=identifier)
    force_dst = Param(
        int,
        0,
        "1: `ds_select_dst` replaces a next hop that is set; 0: it is -1 then",
        check=switch,
        reload=True,
    )
    flags = Param(int, 0, "1: hash over the user only; 2: fail-over; 3: both", check=_flags, reload=True)
    use_default = Param(
        int,
        0,
        "1: the last destination of a set is its last resort, and else not chosen",
        check=switch,
        reload=True,
    )
    dst_avp = Param(str, "", "AVP of the destinations to try, which fail-over needs", check=avp_written)
    grp_avp = Param(str, "", "AVP of the set, which `ds_mark_dst` needs", check=avp_written)
    cnt_avp = Param(str, "", "AVP of how many destinations there were to try", check=avp_written)
    ds_ping_method = Param(str, "OPTIONS", "The method of probes", check=own_method, reload=True)
    ds_ping_from = Param(str, "sip:dispatcher@localhost", "From of probes", check=uri, reload=True)
    ds_ping_interval = Param(
        int,
        0,
        "Seconds between two probes of a destination; 0: none; needs tm",
        check=not_negative,
        reload=True,
    )
    ds_probing_threshhold = Param(
        int,
        3,
        'How often `ds_mark_dst("p")` finds a destination failing, and no request succeeds there, until it is probed',
        check=positive,
        reload=True,
    )

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._sets: Sets | None = None  # not read yet
        self._names = Names()
        self._lookups: Lookups | None = None
        self._prober: Prober | None = None
        self._naming = Naming(services, lambda: self._sets or Sets())

    # --- life -------------------------------------------------------------------------------------------------

    def requirements(self) -> tuple[str, ...]:
        """A database, where that has the list."""
        return ("database",) if self.db_url else ()

    def check(self) -> None:
        """Find the database and tm; raises ModuleError."""
        if self.db_url:
            self._lookups = Lookups(self.services, self.name, self.db_url)
        tm = self.services.module("tm")
        if tm is not None:
            api: TmApi = tm.bind()
            self._prober = Prober(self.services, api, self._destinations, self._is_back)
            if self.dst_avp and self.grp_avp:
                api.listeners.append(self._heard)

    async def start(self) -> None:
        """Read the list; raises ModuleError."""
        self._names = names_of(self.dst_avp, self.grp_avp, self.cnt_avp)
        warn = partial(self.services.log.warning, self.name)
        if self.flags & FAILOVER and not self.dst_avp:
            warn("flags 2 asks for fail-over, which needs dst_avp: ds_next_dst finds nothing")
        if self.ds_ping_interval and self._prober is None:
            warn('ds_ping_interval has no effect without tm: put this line above: loadmodule "tm.so"')
        if self._lookups is None:
            try:
                self._take(read_file(self.list_file))
            except BadList as error:
                raise ModuleError(f"no dispatching list loaded from file: {error}") from error
        else:
            columns = self._columns
            self._query = self._lookups.select(self.table_name, columns)
            self._lookups.open([reading(DispatcherTable, columns[1:], self.table_name)])
            self._lookups.keep(self._query, self._take_first_rows)
        self.reconfigured(self)

    @property
    def _columns(self) -> list[str]:
        return ["id", self.setid_col, self.destination_col]

    def reconfigured(self, configured: Module) -> None:
        """Probe as the parameters say now."""
        if self._prober is not None:
            self._prober.use(Probe(self.ds_ping_method, self.ds_ping_from, self.ds_ping_interval))

    async def drain(self) -> None:
        """Ask nobody any more."""
        self._naming.stop()
        if self._prober is not None:
            self._prober.stop()

    # --- the list ---------------------------------------------------------------------------------------------

    def _take(self, entries: list[Entry]) -> None:
        """Go by another list from now on."""
        self._sets = Sets(entries, self._sets)
        if not len(self._sets):
            self.services.log.warning(self.name, "the list of destinations is empty")
        self.loading = True
        self._naming.begin(self._loaded)

    def _loaded(self) -> None:
        self.loading = False

    def _take_first_rows(self, rows: list[Row]) -> None:
        """Raises ModuleError."""
        try:
            self._take(read_rows(self.table_name, rows))
        except BadList as error:
            raise ModuleError(f"the destinations cannot be used: {error}") from error

    def _destinations(self) -> list[Destination]:
        return list(self._sets.destinations) if self._sets is not None else []

    # --- choosing ---------------------------------------------------------------------------------------------

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def ds_select_dst(self, run: Run, set_id: NumberOrVariable, algorithm: NumberOrVariable) -> int:
        """Make a destination of a set the next hop; -1: none can be had, or a next hop is set (`force_dst`)."""
        if run.state.destination_uri and not self.force_dst:
            return NO
        return self._select(run, set_id(run), algorithm(run), _go_to)

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def ds_select_domain(self, run: Run, set_id: NumberOrVariable, algorithm: NumberOrVariable) -> int:
        """Put host, port and transport of a destination of a set into the Request-URI; -1: none can be had."""
        return self._select(run, set_id(run), algorithm(run), _rewrite)

    def _select(self, run: Run, set_id: int | None, algorithm: int | None, use: Any) -> int:
        if self._sets is None:
            return self._not_yet(run)
        chosen = self._sets.get(set_id) if set_id is not None else None
        if chosen is None or algorithm is None:
            run.warn(f"dispatcher: there is no set {set_id}, or no algorithm {algorithm}")
            return NO
        user_only, use_default = bool(self.flags & USER_ONLY), bool(self.use_default)
        number = number_for(run, algorithm, chosen, self.services.random, user_only=user_only)
        place = None if number is None else chosen.chosen(number, use_default=use_default)
        if place is None or not use(run, chosen.places[place].uri_text):
            return NO
        if self.flags & FAILOVER and self._names.destinations is not None:
            alternatives = chosen.alternatives(place, use_default=use_default)
            failover.keep(run, self._names, chosen.id, alternatives)
        return YES

    @script_function(routes=FAILURE, effect=Effect.NONE)
    def ds_next_dst(self, run: Run) -> int:
        """Make the next destination of the set the next hop; -1: none is left."""
        return self._next(run, _go_to)

    @script_function(routes=FAILURE, effect=Effect.NONE)
    def ds_next_domain(self, run: Run) -> int:
        """Put host, port and transport of the next destination into the Request-URI; -1: none is left."""
        return self._next(run, _rewrite)

    def _next(self, run: Run, use: Any) -> int:
        uri = failover.take_next(run, self._names)
        return YES if uri and use(run, uri) else NO

    def _not_yet(self, run: Run) -> int:
        return NO if self._lookups is None else self._lookups.not_yet(run)

    # --- states -----------------------------------------------------------------------------------------------

    @script_function(routes=FAILURE, effect=Effect.NONE)
    def ds_mark_dst(self, run: Run, state: StateName = State.INACTIVE) -> int:
        """Say of the destination that dst_avp has now that it is inactive, active, or has failed (`p`).

        The last of `ds_probing_threshhold` failures takes it out until a probe finds it. -1: the AVPs name none.
        """
        destination = failover.current(run, self._names, self._sets or Sets())
        if destination is None:
            return NO
        if state is State.PROBING:
            if destination.fail(self.ds_probing_threshhold):
                self._log_state(destination)
        else:
            self._set_state(destination, state)
        return YES

    def _heard(self, what: Happening, run: Run, outcome: Outcome) -> None:
        """A request had its answer: where that is good, its destination works."""
        if what is Happening.REPLIED and 200 <= outcome.status < 300 and outcome.response is not None:
            destination = failover.current(run, self._names, self._sets or Sets())
            if destination is not None:
                destination.succeed()

    def _set_state(self, destination: Destination, state: State) -> None:
        if destination.set_state(state):
            self._log_state(destination)

    def _is_back(self, destination: Destination) -> None:
        """A probe was answered."""
        self._log_state(destination)

    def _log_state(self, destination: Destination) -> None:
        state = destination.state
        text = f"{destination.uri_text} of set {destination.set_id} is {state.name.lower()}"
        if state is State.PROBING and not (self.ds_ping_interval and self._prober):
            text += ", and nobody probes it: ds_ping_interval, or the command ds_set_state, brings it back"
        self.services.log.notice(self.name, text)

    # --- asking -----------------------------------------------------------------------------------------------

    @script_function(routes=ANYWHERE, effect=Effect.NONE)
    def ds_is_from_list(self, run: Run, set_id: Annotated[int, NumberKind(-1)] = -1) -> int:
        """Whether a message came from the address and port of a destination: of a set, or of any."""
        if self._sets is None:
            return self._not_yet(run)
        host, port = run.message.source or (run.flow.host, run.flow.port)
        return YES if self._sets.has_source(host, port, None if set_id < 0 else set_id) else NO

    # --- management commands ----------------------------------------------------------------------------------

    @mi_command("ds_set_state")
    def ds_set_state(self, state: str, group: str, address: str) -> None:
        """Let a destination be active (`a`), inactive (`i`) or probed (`p`): state, set, URI as the list has it."""
        wanted = STATES.get(state[:1])
        if wanted is None:
            raise MiError(500, "bad state value")
        if not (group.isascii() and group.isdigit() and len(group) < 10):
            raise MiError(500, "bad group value")
        destination = None if self._sets is None else self._sets.find(int(group), address)
        if destination is None:
            raise MiError(404, "destination not found")
        self._set_state(destination, wanted)

    @mi_command("ds_list")
    def ds_list(self) -> Reply:
        """All sets with their destinations; flag: A active, I inactive, P probed."""
        reply = Reply()
        sets = self._sets or Sets()
        if len(sets):
            reply.add("SET_NO", str(len(sets)))
        for each in sets:
            node = reply.add("SET", str(each.id))
            for destination in each.places:
                node.add("URI", destination.uri_text, flag=destination.state.value)
        return reply

    @mi_command("ds_reload")
    async def ds_reload(self) -> None:
        """Read the list again; where that fails, or it has a mistake, the one that there is stays."""
        try:
            if self._lookups is not None:
                rows = await self._lookups.rows(self._query)
                entries = read_rows(self.table_name, rows)
            else:
                entries = await self.services.run_blocking(read_file, self.list_file)
        except (BadList, DatabaseError) as error:
            self.services.log.error(self.name, f"the old destinations stay: {error}")
            raise MiError(500, "ERROR Reloading data") from None
        self._take(entries)


def _go_to(run: Run, uri: str) -> bool:
    run.state.destination_uri = uri
    return True


def _rewrite(run: Run, text: str) -> bool:
    """Put the place that a destination is into the Request-URI."""
    there = cached_uri(text)

    def moved(uri: Uri) -> Uri:
        params = [param for param in uri.params if param[0].lower() != "transport"]
        params += [param for param in there.params if param[0].lower() == "transport"]
        return uri.with_host(there.host, there.port).with_params(params)

    return change(run, moved)
