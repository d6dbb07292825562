"""The declaration of avpops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

from openpy.db.database import Database
from openpy.db.errors import DatabaseError
from openpy.engine.avps import Avp, AvpName
from openpy.engine.checks import identifier, positive, switch
from openpy.engine.log import INFO
from openpy.engine.module import (
    Effect,
    Function,
    Getter,
    Module,
    ModuleError,
    Param,
    Refusal,
    RouteKind,
    script_function,
)
from openpy.engine.run import Run
from openpy.engine.services import Services
from openpy.engine.sqltext import SqlKind, SqlText
from openpy.engine.substitution import Substitution
from openpy.modules.avpops.asking import Asking
from openpy.modules.avpops.checks import CheckArgument, is_set
from openpy.modules.avpops.copying import copy, substitute
from openpy.modules.avpops.operands import (
    AvpFlagsKind,
    Flags,
    Operand,
    OperandKind,
    Pair,
    PairKind,
    Place,
    PlaceKind,
    Selection,
    SelectionKind,
    Targets,
    ValueKind,
)
from openpy.modules.avpops.operations import OperationArgument
from openpy.modules.avpops.preferences import Preferences
from openpy.modules.avpops.pushing import DestinationArgument
from openpy.modules.avpops.results import add_columns, add_preferences, add_values
from openpy.modules.avpops.schemes import Scheme, parse_scheme
from openpy.modules.avpops.sources import Owner, OwnerSource, Source
from openpy.modules.avpops.tables import COLUMNS, with_columns
from openpy.modules.avpops.values import drop, keep, not_kept

ROUTES = frozenset({RouteKind.REQUEST, RouteKind.FAILURE, RouteKind.BRANCH, RouteKind.ONREPLY})

LoadPlace = Annotated[
    Place, PlaceKind(takes_scheme=True, description=f"{PlaceKind().description[:-1]}|/$scheme]")
]
TablePlace = Annotated[Place, PlaceKind()]
Sql = Annotated[SqlText, SqlKind()]
Selected = Annotated[tuple[Selection, Flags], SelectionKind()]
Pushed = Annotated[tuple[Operand, Flags], OperandKind("g", "a pseudo-variable or an AVP [/g]")]
Checked = Annotated[tuple[Operand, Flags], OperandKind()]
From = Annotated[tuple[Avp, Flags], AvpFlagsKind("", "an AVP")]
To = Annotated[tuple[Avp, Flags], AvpFlagsKind("gdns", "an AVP [/gdns]")]
Substituted = Annotated[Pair, PairKind("gd", "source[/target[/gd]], each an AVP")]
Calculated = Annotated[Pair, PairKind("", "source[/target], each an AVP")]
Value = Annotated[tuple[Getter, Flags], ValueKind()]

DATABASE_FUNCTIONS = ("avp_db_load", "avp_db_store", "avp_db_delete", "avp_db_query")


def _column(name: str) -> Param[str]:
    return Param(
        str,
        name,
        f"Column of avp_table: {MEANINGS[name]}",
        check=identifier,
    )


MEANINGS = {
    "uuid": "the unique id of a user",
    "attribute": "the name of the AVP",
    "value": "its value",
    "type": "1: the value is a number, 2: the name is one",
    "username": "the user of a URI",
    "domain": "the host of a URI",
}


class Avpops(Module):
    """AVPs: the preferences of users, read from and written to the database, and operations on the values of a message.

    The preferences are rows of `avp_table` (`usr_preferences`), one for each value. Whose rows, says the first argument
    of the functions: a URI (`$ru`, `$fu`, `$tu` and `$ou` are ones, others with `/uri`), whose user is compared with
    the column `username`, and with `use_domain` its host with `domain`; with `/username` or `/domain` only that; else
    a text, compared with `uuid`.

        modparam("avpops", "db_url", "mysql://openser:openserrw@localhost/openser")
        modparam("avpops", "avp_table", "usr_preferences")

        avp_db_load("$ru", "*");                       # all that the called user prefers
        avp_db_load("$fu", "$avp(s:lang)/other");      # one AVP, from another table
        if (is_avp_set("$avp(s:forward)/s")) avp_pushto("$ru", "$avp(s:forward)");

    A value that was loaded is not stored again. In the SQL of `avp_db_query` pseudo-variables are values, whether in
    quotes or not: no text from a message is ever taken for SQL. So one pseudo-variable cannot be a list, a name or a
    piece of SQL; outside of quotes it is a number, a text or, where it is not there, NULL.

        avp_db_query("select greeting, lang from users where name = '$rU' and age > $avp(i:3)",
            "$avp(s:greeting);$avp(s:lang)");

    A route waits for the database, other messages do not; retransmissions are absorbed meanwhile. What is written is
    committed when the function returns. The functions are -1 where the database is away or refuses; the log says why.

    A new value of an AVP becomes the first, so `avp_copy` and `avp_subst` of all values reverse them, and `avp_op`
    leaves the old value behind the new one, unless `d` takes it away. `avp_printf(variable, format)` is the core's
    `pv_printf`.

    `db_scheme` describes tables of another layout, for `avp_db_load("$ru", "$avp(s:name)/$credit")`:

        modparam("avpops", "db_scheme", "credit:username_col=name;value_col=cents;value_type=integer;table=accounts")
    """

    name = "avpops"

    db_url = Param(str, "", "Database; not needed without the functions avp_db_...")
    avp_url = Param(str, "", "Another name of db_url")
    avp_table = Param(
        str, "", "Table of the preferences, as usr_preferences; needed with db_url", check=identifier
    )
    use_domain = Param(int, 0, "1: with a URI its host counts too", check=switch)
    uuid_column = _column("uuid")
    attribute_column = _column("attribute")
    value_column = _column("value")
    type_column = _column("type")
    username_column = _column("username")
    domain_column = _column("domain")
    db_scheme = Param[Any](
        str,
        [],
        "A table of another layout: name:element=value;... with uuid_col, username_col, domain_col, value_col, "
        "value_type (string or integer) and table",
        repeat=True,
        check=parse_scheme,
    )
    max_rows = Param(int, 10_000, "Rows that one query may have; more: -1", check=positive, limit=True)

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._database: Database | None = None
        self._preferences: Preferences | None = None
        self._asking: Asking | None = None

    # --- as configured ------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The URL of the database; "" where there is none."""
        return self.db_url or self.avp_url

    @property
    def preferences(self) -> Preferences:
        """The statements for the table; functions that use it are refused where there is no database."""
        assert self._preferences is not None
        return self._preferences

    @property
    def asking(self) -> Asking:
        """The way to the database; functions that use it are refused where there is none."""
        assert self._asking is not None
        return self._asking

    def functions(self) -> Iterator[Function]:
        """The functions, knowing the schemes and the kind of database; without a database some are refused."""
        schemes = {scheme.name.lower(): scheme for scheme in self.db_scheme}
        refusal = None
        if not self.url:
            hint = 'add: modparam("avpops", "db_url", "sqlite:////var/lib/openpy/openpy.db")'
            refusal = Refusal("avpops has no database", hint)
        for function in super().functions():
            parameters = [replace(p, kind=self._configured(p.kind, schemes)) for p in function.parameters]
            yield replace(
                function,
                parameters=tuple(parameters),
                refusal=refusal if function.name in DATABASE_FUNCTIONS else None,
            )

    def _configured(self, kind: Any, schemes: dict[str, Scheme]) -> Any:
        if isinstance(kind, PlaceKind):
            return replace(kind, schemes=schemes)
        if isinstance(kind, SqlKind) and self._database is not None:
            return replace(kind, dialect=self._database.dialect)
        return kind

    # --- life ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Find the database module, and check what parameters say together; raises ModuleError."""
        names = [scheme.name.lower() for scheme in self.db_scheme]
        for name in names:
            if names.count(name) > 1:
                raise ModuleError(
                    f"two schemes are called {name}", "give one another name, letter case does not count"
                )
        if self.db_url and self.avp_url and self.db_url != self.avp_url:
            raise ModuleError(
                "db_url and avp_url name two databases", "they are two names of one parameter: keep one"
            )
        if not self.url:
            return
        if not self.avp_table:
            raise ModuleError(
                "avpops has a database and no table",
                'add: modparam("avpops", "avp_table", "usr_preferences")',
            )
        self._database = self.services.database(self.url)
        columns = {column: str(getattr(self, f"{column}_column")) for column in COLUMNS}
        self._preferences = Preferences(self._database.dialect, self.avp_table, columns)
        self._asking = Asking(self._database, self.max_rows, self.services.log)

    async def start(self) -> None:
        """Open the database, and check the table or leave that to when it comes; raises ModuleError."""
        database, preferences = self._database, self._preferences
        if database is None or preferences is None:
            return
        try:
            database.open()
            database.use(with_columns(preferences.columns), self.avp_table)
        except DatabaseError as error:
            raise ModuleError(f"avpops cannot use its database {database.url}: {error}") from error

    # --- preferences --------------------------------------------------------------------------------------------

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def avp_db_load(self, run: Run, source: Source, name: LoadPlace) -> int:
        """Load preferences as AVPs: 1 if there is one, else -1. The last row is the newest value.

        A row whose name or value is not what its type says is left out. A scheme gives values of the AVP that is named.
        """
        owner = self._owner(run, "avp_db_load", source)
        if owner is None:
            return -1
        avp = self._name(run, name.selection)
        if avp is None and name.selection.avp is not None:
            return -1
        scheme = name.scheme
        if scheme is None:
            statement = self.preferences.load(owner, avp, name.table)
        else:
            statement = self.preferences.load_by(owner, scheme)
        rows = await self.asking.query(run, "avp_db_load", statement)
        if rows is None:
            return -1
        if scheme is not None and avp is not None:
            count = add_values(run, rows, avp, scheme.is_integer)
        else:
            count = add_preferences(run, rows, name.selection, avp)
        return 1 if count else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def avp_db_store(self, run: Run, source: Source, name: TablePlace) -> int:
        """Write AVPs that the database does not have as rows: 1 if there is one, else -1. All are one transaction.

        A row that the database refuses, for a value that is too long, does not keep it from the others.
        """
        owner = self._owner(run, "avp_db_store", source)
        if owner is None:
            return -1
        new = [(avp, value) for avp in name.selection.names(run) for value in not_kept(run, avp)]
        if not new:
            return -1
        statements = [self.preferences.insert(owner, avp, value, name.table) for avp, value in new]
        stored = await self.asking.insert(run, "avp_db_store", statements)
        for place in stored:
            keep(run, *new[place])
        return 1 if stored else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def avp_db_delete(self, run: Run, source: Source, name: TablePlace) -> int:
        """Delete preferences: 1, also where there was none; -1 if the database does not do it. AVPs stay."""
        owner = self._owner(run, "avp_db_delete", source)
        if owner is None:
            return -1
        avp = self._name(run, name.selection)
        if avp is None and name.selection.avp is not None:
            return -1
        statement = self.preferences.delete(owner, name.selection, avp, name.table)
        return -1 if await self.asking.change(run, "avp_db_delete", statement) is None else 1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def avp_db_query(self, run: Run, query: Sql, names: Targets = ()) -> int:
        """Run a statement; column n of each row becomes the n-th AVP, by default `$avp(i:1)`, `$avp(i:2)` ...

        1 if there are rows; -1 if there is none, as after an INSERT, or the database does not do it. The first row is
        the newest value; what is NULL or an empty text is left out. A column of time is in Unix seconds.
        """
        statement = query.statement(run)
        if query.is_query:
            rows = await self.asking.query(run, "avp_db_query", statement)
        else:
            rows = await self.asking.change(run, "avp_db_query", statement)
        if not rows:
            return -1
        add_columns(run, rows, names)
        return 1

    # --- values -------------------------------------------------------------------------------------------------

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def avp_delete(self, run: Run, name: Selected) -> int:
        """Delete the newest value of an AVP, or all (`g`); by kind of name always all. 1 if there was one, else -1."""
        selection, flags = name
        names = [avp for avp in selection.names(run) if run.state.avps.get(avp)]
        for avp in names:
            if selection.avp is None or "g" in flags:
                del run.state.avps[avp]
            else:
                drop(run, avp, (0,))
        return 1 if names else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def avp_pushto(self, run: Run, destination: DestinationArgument, source: Pushed) -> int:
        """Put a value into the Request-URI, its user or host, the next hop or a new branch; -1 if it does not fit.

        With `g` all values of an AVP: before each further one the Request-URI becomes a branch. A number is text in the
        Request-URI, and is refused elsewhere.
        """
        operand, flags = source
        values = operand.values(run)
        if "g" not in flags:
            del values[1:]
        return 1 if destination.push(run, values) else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def avp_check(self, run: Run, value: Checked, check: CheckArgument) -> int:
        """1 if a comparison holds, else -1: for the newest value of an AVP, or with `g` for any of them.

        `eq ne lt le gt ge` compare texts with texts and numbers with numbers, `re` matches an expression, `fm` a
        pattern with `*` and `?`, `and or xor` hold if a bit is left. `i`: letter case does not count in `eq ne fm`.
        """
        return 1 if check.holds(run, value[0].values(run)) else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def avp_copy(self, run: Run, source: From, target: To) -> int:
        """Copy the newest value, or all (`g`); `d` deletes the source, `n` makes numbers, `s` makes texts. 1, or -1."""
        flags = target[1]
        return 1 if copy(run, source[0], target[0], flags) else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def avp_subst(self, run: Run, names: Substituted, substitution: Substitution) -> int:
        """Substitute in the newest text that matches, or in all (`g`): 1, or -1 if none does.

        Without a target the text is replaced; with one it stays, unless `d` deletes it.
        """
        return 1 if substitute(run, names, substitution) else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def avp_op(self, run: Run, names: Calculated, operation: OperationArgument) -> int:
        """Calculate with the newest number, or all (`g`); the result is a new value. -1 where a number is missing.

        `not` is that of the right side. Division and modulo by zero are logged, and give 0.
        """
        return 1 if operation.apply(run, names) else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def is_avp_set(self, run: Run, value: Value) -> int:
        """1 if there is such a value, else -1; `s`: a text, `n`: a number, `e`: an empty text or the number 0."""
        get, flags = value
        return 1 if is_set(get(run), flags) else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def avp_print(self, run: Run) -> int:
        """Log all AVPs of the message at level 3 (info): 1."""
        for name, values in run.state.avps.items():
            kind = "i" if isinstance(name, int) else "s"
            for value in values:
                shown = value if isinstance(value, int) else f'"{value}"'
                self.services.log.write(INFO, self.name, f"$avp({kind}:{name}) = {shown}")
        return 1

    # --- the database -------------------------------------------------------------------------------------------

    def _owner(self, run: Run, function: str, source: OwnerSource) -> Owner | None:
        owner = source.owner(run, bool(self.use_domain))
        if owner is None:
            self._say(INFO, f"{function}: {source.text} names nobody")
        return owner

    def _name(self, run: Run, selection: Selection) -> AvpName | None:
        """The name of the one AVP that is selected; None where it has none, or many are."""
        return None if selection.avp is None else selection.avp.name(run)

    def _say(self, level: int, text: str) -> None:
        self.services.log.write(level, self.name, text)
