"""group: the groups of users, as tables say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from openpy.db.tables import reading
from openpy.engine.checks import identifier, identifier_or_none, switch
from openpy.engine.lookups import READ_ONLY_URL, DatabaseError, Lookups, Row, spellings
from openpy.engine.module import (
    Effect,
    Function,
    Module,
    Param,
    Refusal,
    RouteKind,
    Text,
    script_function,
)
from openpy.engine.named import NamedAvp, NamedAvpKind
from openpy.engine.run import Run
from openpy.modules.group.expressions import Expression, expressions_of, groups_of
from openpy.modules.group.subjects import Find, SubjectKind
from openpy.modules.group.tables import Grp, ReGrp

ROUTES = frozenset({RouteKind.REQUEST, RouteKind.FAILURE})

MEMBER, NOBODY, DATABASE_FAILED, NOT_A_MEMBER = 1, -1, -5, -6

NO_TABLE = Refusal("group has no re_table", 'add: modparam("group", "re_table", "re_grp")')

Who = Annotated[Find, SubjectKind()]


class Group(Module):
    """Tells whether users are members of groups: by name, or by expressions over `sip:user@domain`.

    The expressions are read once, at the start. Credentials are those that a function of auth or auth_db has found
    right.

        if (uri =~ "^sip:00" && !is_user_in("Credentials", "international")) {
            sl_send_reply("403", "No International Calls");
            exit;
        }
    """

    name = "group"
    needs = ("database",)

    db_url = Param(str, READ_ONLY_URL, "Database of the groups")
    table = Param(str, "grp", "Table of memberships", check=identifier)
    user_column = Param(str, "username", "Its column of the user", check=identifier)
    domain_column = Param(str, "domain", "Its column of the domain", check=identifier)
    group_column = Param(str, "grp", "Its column of the group", check=identifier)
    use_domain = Param(int, 0, "1: the domain is compared too", check=switch)
    re_table = Param(
        str, "", "Table of expressions; unset: get_user_group cannot be used", check=identifier_or_none
    )
    re_exp_column = Param(str, "reg_exp", "Its column of the expression", check=identifier)
    re_gid_column = Param(str, "group_id", "Its column of the group's number", check=identifier)
    multiple_gid = Param(int, 1, "0: get_user_group looks for one group only", check=switch)

    def functions(self) -> Iterator[Function]:
        """All script functions; get_user_group needs re_table."""
        for function in super().functions():
            if function.name == "get_user_group" and not self.re_table:
                function = replace(function, refusal=NO_TABLE)
            yield function

    def check(self) -> None:
        """Find the database; raises ModuleError."""
        self._lookups = Lookups(self.services, self.name, self.db_url)
        self._expressions: list[Expression] | None = None  # None: not read yet

    async def start(self) -> None:
        """Open the database, and read the expressions; raises ModuleError, for a wrong one too."""
        keys, hosts = [self.user_column, self.group_column], [self.domain_column] if self.use_domain else []
        self._is_member = self._lookups.select(self.table, [self.group_column], keys, hosts)
        tables = [reading(Grp, keys + hosts, self.table)]
        columns = [self.re_exp_column, self.re_gid_column]
        if self.re_table:
            tables.append(reading(ReGrp, columns, self.re_table))
        self._lookups.open(tables)
        if self.re_table:
            self._lookups.keep(self._lookups.select(self.re_table, columns), self._keep)

    def _keep(self, rows: list[Row]) -> None:
        self._expressions = expressions_of(rows, self.re_table)

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def is_user_in(self, run: Run, who: Who, group: Text) -> int:
        """Whether a user is in a group: 1; -6 not a member, -5 no answer of the database, -1 there is no user."""
        subject = who(run)
        if subject is None:
            return NOBODY
        values = [subject.user, group, *(spellings(subject.domain) if self.use_domain else ())]
        try:
            return MEMBER if await self._lookups.ask(run, self._is_member, *values) else NOT_A_MEMBER
        except DatabaseError:
            return DATABASE_FAILED

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def get_user_group(self, run: Run, who: Who, avp: Annotated[NamedAvp, NamedAvpKind()]) -> int:
        """Add the groups whose expression matches a user to an AVP, the last one first: how many; -1: none."""
        if self._expressions is None:
            return self._lookups.not_yet(run)
        subject = who(run)
        if subject is None:
            return NOBODY
        uri = f"sip:{subject.user}@{subject.domain}"
        groups = groups_of(self._expressions, uri, several=bool(self.multiple_gid))
        for number in groups:
            avp.add(run, number)
        return len(groups) or NOBODY
