"""uri_db: whether URIs belong to who was authenticated, and exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openpy.db.tables import reading
from openpy.engine.checks import identifier, switch
from openpy.engine.lookups import READ_ONLY_URL, DatabaseError, Lookups, spellings
from openpy.engine.module import (
    REQUEST,
    Effect,
    Function,
    Module,
    ModuleError,
    Param,
    Refusal,
    script_function,
)
from openpy.engine.run import Run
from openpy.modules.auth_db.tables import Subscriber
from openpy.modules.uri_db.tables import Uri as UriTable
from openpy.sip.errors import RemoteError
from openpy.sip.headers import NameAddr
from openpy.sip.uri import cached_uri

URL_LINE = 'add: modparam("uri_db", "db_url", "sqlite:////var/lib/openpy/openpy.db")'

BAD_HEADER, NO_CREDENTIALS, NO_USER, DATABASE_FAILED, NOT_LISTED, DIFFERENT = -1, -2, -4, -8, -9, -10
"""Return codes of check_to and check_from."""

BAD_URI, QUERY_FAILED, NOT_FOUND = -1, -4, -5
"""Return codes of does_uri_exist."""

OLDEST_SUBSCRIBER = 3


class UriDb(Module):
    """Checks that From and To belong to who was authenticated, and that a Request-URI exists.

    With `use_uri_table` the table `uri` says which URIs an account may use; else it is the one with its own name, and
    `subscriber` says which there are.

        if (!www_authorize("", "subscriber")) { www_challenge("", "1"); exit; }
        if (!check_to()) { sl_send_reply("403", "Use Your Own Address"); exit; }
        save("location");
    """

    name = "uri_db"
    needs = ("database",)

    db_url = Param(
        str, READ_ONLY_URL, "Database of the tables; empty: none, and only check_to and check_from work"
    )
    uri_table = Param(str, "uri", "Table of the URIs of accounts", check=identifier)
    uri_user_column = Param(str, "username", "Its column of the account's user", check=identifier)
    uri_domain_column = Param(str, "domain", "Its column of the account's domain", check=identifier)
    uri_uriuser_column = Param(str, "uri_user", "Its column of the user in the URI", check=identifier)
    subscriber_table = Param(str, "subscriber", "Table of the accounts", check=identifier)
    subscriber_user_column = Param(str, "username", "Its column of the user", check=identifier)
    subscriber_domain_column = Param(str, "domain", "Its column of the domain", check=identifier)
    use_uri_table = Param(int, 0, "1: the table of URIs counts, 0: that of accounts", check=switch)
    use_domain = Param(int, 0, "1: does_uri_exist compares the domain too", check=switch)

    def requirements(self) -> tuple[str, ...]:
        """Without a URL no database is needed."""
        return self.needs if self.db_url else ()

    def functions(self) -> Iterator[Function]:
        """All script functions; does_uri_exist needs a database."""
        for function in super().functions():
            if function.name == "does_uri_exist" and not self.db_url:
                function = replace(function, refusal=Refusal("uri_db has no database", URL_LINE))
            yield function

    def check(self) -> None:
        """Find the database; raises ModuleError."""
        self._lookups: Lookups | None = None
        if self.db_url:
            self._lookups = Lookups(self.services, self.name, self.db_url)
        elif self.use_uri_table:
            raise ModuleError("uri_db has no database, but use_uri_table is set", URL_LINE)

    async def start(self) -> None:
        """Open the database, and check the table that counts; raises ModuleError."""
        lookups = self._lookups
        if lookups is None:
            return
        if self.use_uri_table:
            account = [self.uri_user_column, self.uri_uriuser_column]
            columns = [*account, self.uri_domain_column]
            table = reading(UriTable, columns, self.uri_table)
            self._is_allowed = lookups.select(
                self.uri_table, [self.uri_uriuser_column], account, [self.uri_domain_column]
            )
            user, domain = self.uri_uriuser_column, self.uri_domain_column
        else:
            user, domain = self.subscriber_user_column, self.subscriber_domain_column
            columns = [user, domain] if self.use_domain else [user]
            table = reading(Subscriber, columns, self.subscriber_table, oldest=OLDEST_SUBSCRIBER)
        name = self.uri_table if self.use_uri_table else self.subscriber_table
        self._exists = lookups.select(name, [user], [user], [domain] if self.use_domain else [])
        lookups.open([table])

    @script_function(routes=REQUEST, effect=Effect.NONE)
    async def check_to(self, run: Run) -> int:
        """Whether To belongs to who was authenticated: 1; -2 nobody was, -4 it has no user, -9 and -10 it does not."""
        try:
            return await self._check(run, run.message.to)
        except RemoteError:
            return BAD_HEADER

    @script_function(routes=REQUEST, effect=Effect.NONE)
    async def check_from(self, run: Run) -> int:
        """The same for From."""
        try:
            return await self._check(run, run.message.from_)
        except RemoteError:
            return BAD_HEADER

    async def _check(self, run: Run, address: NameAddr) -> int:
        credentials = run.state.credentials
        if credentials is None:
            return NO_CREDENTIALS
        user = address.uri.subscriber
        if not user:
            return NO_USER
        name = credentials.user
        if not self.use_uri_table:
            return 1 if user.lower() == name.lower() else DIFFERENT
        assert self._lookups is not None
        try:
            rows = await self._lookups.ask(run, self._is_allowed, name, user, *spellings(credentials.realm))
        except DatabaseError:
            return DATABASE_FAILED
        return 1 if rows else NOT_LISTED

    @script_function(routes=REQUEST, effect=Effect.NONE)
    async def does_uri_exist(self, run: Run) -> int:
        """Whether the table that counts has the user of the Request-URI: 1; -1 no URI, -4 no answer, -5 it has not."""
        try:
            uri = cached_uri(run.uri)
        except RemoteError:
            return BAD_URI
        assert self._lookups is not None
        values = (uri.subscriber, *(spellings(uri.host) if self.use_domain else ()))
        try:
            return 1 if await self._lookups.ask(run, self._exists, *values) else NOT_FOUND
        except DatabaseError:
            return QUERY_FAILED
