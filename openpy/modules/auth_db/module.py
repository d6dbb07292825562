"""auth_db: digest authentication with the passwords of a table."""

from __future__ import annotations

from collections.abc import Iterator

from openpy.db.tables import reading
from openpy.engine.checks import identifier, switch
from openpy.engine.lookups import READ_ONLY_URL, DatabaseError, Lookups, TableName, TableNames, spellings
from openpy.engine.module import (
    REQUEST,
    Effect,
    Format,
    Function,
    Module,
    Param,
    script_function,
)
from openpy.engine.run import Run
from openpy.engine.services import Services
from openpy.modules.auth.api import USER_UNKNOWN, AuthApi
from openpy.modules.auth.challenges import PROXY, WWW, Side
from openpy.modules.auth.requests import split_username
from openpy.modules.auth_db.columns import PasswordColumns, loaded_columns
from openpy.modules.auth_db.tables import Subscriber


def _loading(text: str) -> str:
    loaded_columns(text)
    return text


class AuthDb(Module):
    """Digest authentication with the passwords of a table (`subscriber`); auth challenges, and says what is offered.

    A check is one query. The codes are: 1 the credentials are right (and for every ACK and CANCEL, which have none); -1
    there is no such user; -3 the nonce is not ours, too old or used; -4 there are no credentials for the realm; -5 the
    password is wrong, or what was used had not been offered. 0, which ends the script: the request was answered, with
    400 for malformed credentials, and 500 where the database does not answer.

    Passwords in plain text (`calculate_ha1` 1) serve every algorithm. Where the table holds H(A1), SHA-256 and
    SHA-512-256 need columns of their own, which 1.3's table has not; usernames with a domain have MD5 only.

        modparam("auth_db", "calculate_ha1", 1)
        modparam("auth_db", "password_column", "password")
        route {
            if (is_method("REGISTER")) {
                if (!www_authorize("", "subscriber")) { www_challenge("", "1"); exit; }
                save("location");
                exit;
            }
            if (!proxy_authorize("", "subscriber")) { proxy_challenge("", "1"); exit; }
            consume_credentials();
            t_relay();
        }
    """

    name = "auth_db"
    needs = ("database", "auth", "sl")

    db_url = Param(str, READ_ONLY_URL, "Database of the subscribers")
    user_column = Param(str, "username", "Column of the user", check=identifier)
    domain_column = Param(str, "domain", "Column of the domain, for use_domain", check=identifier)
    password_column = Param(
        str,
        "ha1",
        "Column of MD5(user:realm:password), or with calculate_ha1 of the password",
        check=identifier,
    )
    password_column_2 = Param(
        str,
        "ha1b",
        "Column of MD5(user@domain:realm:password), for usernames with a domain",
        check=identifier,
    )
    hash_column_sha256 = Param(
        str, "ha1_sha256", "Column of SHA-256(user:realm:password), where auth offers that", check=identifier
    )
    hash_column_sha512t256 = Param(
        str,
        "ha1_sha512t256",
        "Column of SHA-512-256(user:realm:password), where auth offers that",
        check=identifier,
    )
    calculate_ha1 = Param(int, 0, "1: password_column holds the password itself", check=switch)
    use_domain = Param(
        int, 0, "1: a user is found by its domain (of the username, else the realm) too", check=switch
    )
    load_credentials = Param(
        str, "rpid", "Columns that become AVPs of who is authorized: `rpid;$avp(s:id)=uuid`", check=_loading
    )

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._tables = TableNames()
        self._queries: dict[tuple[str, str], str] = {}

    def functions(self) -> Iterator[Function]:
        """All script functions; the tables that they name are checked at the start."""
        return map(self._tables.noting, super().functions())

    def check(self) -> None:
        """Find auth and the database; raises ModuleError."""
        auth = self.services.module("auth")
        assert auth is not None
        self._auth: AuthApi = auth.bind()
        self._lookups = Lookups(self.services, self.name, self.db_url)
        self._loaded = loaded_columns(self.load_credentials)
        self._columns = PasswordColumns(
            self.password_column if self.calculate_ha1 else "",
            self.password_column,
            self.password_column_2,
            self.hash_column_sha256,
            self.hash_column_sha512t256,
        )

    async def start(self) -> None:
        """Open the database, and check the tables that the script names; raises ModuleError."""
        columns = [self.user_column, *([self.domain_column] if self.use_domain else [])]
        columns += self._columns.used(self._auth.algorithms)
        columns += [loaded.column for loaded in self._loaded]
        self._lookups.open(reading(Subscriber, columns, table) for table in self._tables.names)

    @script_function(routes=REQUEST, effect=Effect.NONE)
    async def www_authorize(self, run: Run, realm: Format, table: TableName) -> int:
        """Check Authorization; an empty realm is the domain of To (REGISTER) or From."""
        return await self._authorize(run, realm(run), table, WWW)

    @script_function(routes=REQUEST, effect=Effect.NONE)
    async def proxy_authorize(self, run: Run, realm: Format, table: TableName) -> int:
        """Check Proxy-Authorization; an empty realm is the domain of From."""
        return await self._authorize(run, realm(run), table, PROXY)

    async def _authorize(self, run: Run, realm: str, table: str, side: Side) -> int:
        auth = self._auth
        asked = auth.pre_auth(run, realm, side)
        if isinstance(asked, int):
            return asked
        credentials = asked.credentials
        user, domain = split_username(credentials.username)
        column = self._columns.holding(credentials.algorithm, names_domain=bool(domain))
        if not column:
            return USER_UNKNOWN
        values = (user, *(spellings(domain or credentials.realm) if self.use_domain else ()))
        try:
            rows = await self._lookups.ask(run, self._query(table, column), *values)
        except DatabaseError:
            return auth.server_failed(run)
        if not rows:
            return USER_UNKNOWN
        password, *further = rows[0]
        ha1 = "" if password is None else str(password)
        if not ha1:  # H(A1) of nobody's password: anybody knows what an empty column holds
            return USER_UNKNOWN
        if self.calculate_ha1:
            ha1 = auth.calc_ha1(credentials, ha1)
        code = auth.post_auth(run, asked, ha1)
        if code > 0:
            for loaded, value in zip(self._loaded, further, strict=True):
                loaded.load(run, value)
        return code

    def _query(self, table: str, column: str) -> str:
        text = self._queries.get((table, column))
        if text is None:
            hosts = [self.domain_column] if self.use_domain else []
            columns = [column, *(loaded.column for loaded in self._loaded)]
            text = self._lookups.select(table, columns, [self.user_column], hosts)
            self._queries[table, column] = text
        return text
