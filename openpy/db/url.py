"""Database URLs, as `db_url` has them: `mysql://user:password@host:port/database`, `sqlite:///file`.

Rules:
1. What stands between the last `@` and the scheme is taken as it is, without percent-decoding:
   a password of an existing script means the same here.
2. A password never leaves through `str()` or `repr()`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_FORMS = "scheme://[user[:password]@][host[:port]]/database"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """One database. Empty texts and a `port` of None stand for what the URL leaves out.

    For a database in a file `database` is its path: `sqlite:///x` is `x` in the working directory,
    `sqlite:////x` is `/x`.
    """

    scheme: str
    user: str
    password: str = field(repr=False)
    host: str
    port: int | None
    database: str

    def __str__(self) -> str:
        """The URL without its password."""
        password = ":***" if self.password else ""
        user = f"{self.user}{password}@" if self.user or password else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{user}{host}{port}/{self.database}"


def parse_url(text: str) -> DatabaseUrl:
    """Parse a database URL; raises ValueError, whose text never shows the password."""
    scheme, separator, rest = text.partition("://")
    if not separator or not scheme:
        raise ValueError(f"a database URL reads {_FORMS}")
    scheme = scheme.lower()
    if rest.startswith("/"):
        credentials, place = "", rest
    else:
        credentials, _, place = rest.rpartition("@")
    authority, slash, database = place.partition("/")
    if not slash or not database:
        hint = f"; for a file write {scheme}:///{place}" if "@" not in rest and authority else ""
        raise ValueError(f"the {scheme} URL names no database: it reads {_FORMS}{hint}")
    user, _, password = credentials.partition(":")
    host, port = _host_and_port(authority)
    return DatabaseUrl(scheme, user, password, host, port, database)


def _host_and_port(authority: str) -> tuple[str, int | None]:
    if authority.startswith("["):
        host, _, rest = authority[1:].partition("]")
        separator, port = rest[:1], rest[1:]
        if separator not in ("", ":"):
            raise ValueError(f'"{authority}" is no host')
    else:
        host, separator, port = authority.partition(":")
    if not separator:
        return host, None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f'"{port}" is no port number')
    return host, int(port)
