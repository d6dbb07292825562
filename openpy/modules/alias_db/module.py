"""alias_db: aliases of users in a table."""

from __future__ import annotations

from functools import partial

from openpy.engine.checks import identifier
from openpy.engine.lookups import TableName
from openpy.engine.module import Effect, Param, RouteKind, script_function
from openpy.engine.requesturi import change
from openpy.engine.run import Run
from openpy.engine.usertables import UserTable
from openpy.modules.alias_db.tables import DbAliases
from openpy.sip.errors import RemoteError
from openpy.sip.uri import Uri, cached_uri, parse_uri


class AliasDb(UserTable):
    """Replaces an alias in the Request-URI by the user that it stands for.

    The table is named where it is asked:

        if (uri == myself) alias_db_lookup("dbaliases");
        if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
        t_relay();
    """

    name = "alias_db"
    layout = DbAliases

    alias_user_column = Param(str, "alias_username", "Column of the alias", check=identifier)
    alias_domain_column = Param(
        str, "alias_domain", "Column of the alias's domain, for use_domain", check=identifier
    )

    def users(self) -> list[str]:
        """The alias."""
        return [self.alias_user_column]

    def domains(self) -> list[str]:
        """Its domain."""
        return [self.alias_domain_column]

    def columns(self) -> list[str]:
        """The user."""
        return [self.user_column, self.domain_column]

    @script_function(routes=frozenset({RouteKind.REQUEST, RouteKind.FAILURE}), effect=Effect.NONE)
    async def alias_db_lookup(self, run: Run, table: TableName) -> int:
        """Replace the Request-URI by that of the user whose alias it is; -1 if it is none, or nobody can tell."""
        try:
            uri = cached_uri(run.uri)
        except RemoteError:
            return -1
        row = await self.find(run, table, [uri.subscriber], [uri])
        user, domain = map(_text, row) if row else ("", "")
        return 1 if user and domain and change(run, partial(_of_user, user, domain)) else -1


def _of_user(user: str, domain: str, before: Uri) -> Uri:
    """The URI of a user; raises RemoteError for what the table should not say. A secure call stays one."""
    scheme = before.scheme if before.is_sip else "sip"
    return parse_uri(f"{scheme}:{user}@{domain}")


def _text(value: object) -> str:
    return "" if value is None else str(value)
