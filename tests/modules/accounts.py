"""Scripts over tables of accounts: in virtual time on SQLite, or as a server on a database of each kind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openpy.db import schema
from openpy.db.dialect import Connection, execute
from openpy.db.errors import Unavailable
from openpy.db.tables import Table, name_of
from openpy.db.url import DatabaseUrl
from openpy.engine.log import DEBUG, Log
from openpy.engine.server import Server
from openpy.modules.sqlite.dialect import SqliteDialect
from openpy.script.syntax import SocketId
from openpy.sip.digest import Challenge, authorize, parse_challenge
from openpy.testing.exchange import Exchange
from openpy.testing.script import Script
from openpy.testing.server import QuickDialect
from tests.engine.kit import KeptFlow, Sent
from tests.servers import DIALECTS

URL = "sqlite:///accounts.db"
ALICE = "<sip:alice@example.com>"
DOMAIN = "sip:example.com"


def script_of(route: str, *modules: str, settings: str = "", url: str = URL, database: str = "sqlite") -> str:
    """A script with these modules; `db_url` is set where a module has it."""
    with_database = [name for name in modules if name in _WITH_URL]
    loads = "".join(
        f'loadmodule "{name}.so"\n' for name in (database, "sl", "tm", "textops", "xlog", *modules)
    )
    line = f'modparam("{"|".join(with_database)}", "db_url", "{url}")\n' if with_database else ""
    return f"{loads}{line}{settings}\nroute {{ {route} }}\n"


_WITH_URL = ("auth_db", "uri_db", "alias_db", "domain", "group", "speeddial", "msilo", "dispatcher")


def away_at_first(monkeypatch: pytest.MonkeyPatch, tries: int) -> None:
    """Databases of scripts in virtual time that refuse this many first connections of who only reads."""
    left = tries

    def connect(self: QuickDialect, *parts: Any, **options: Any) -> Connection:
        nonlocal left
        if options.get("read_only") and left:
            left -= 1
            raise Unavailable("away")
        return SqliteDialect.connect(self, *parts, **options)

    monkeypatch.setattr(QuickDialect, "connect", connect)


def setting(module: str, name: str, value: str | int) -> str:
    written = value if isinstance(value, int) else f'"{value}"'
    return f'modparam("{module}", "{name}", {written})\n'


def fill(script: Script, table: str, *rows: Mapping[str, object]) -> None:
    """Insert rows into a table of a script in virtual time."""
    for row in rows:
        marks = ", ".join("?" * len(row))
        script.sql(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", *row.values())


def challenge_in(reply: Exchange, name: str = "WWW-Authenticate") -> Challenge:
    """The first challenge of a reply."""
    return parse_challenge(reply.all(name)[0])


class Caller:
    """Somebody who answers challenges, right or wrong."""

    def __init__(self, script: Script, *, user: str = "alice", password: str = "secret") -> None:
        self.script = script
        self.user = user
        self.password = password
        self.challenge = Challenge("", "")

    def send(self, method: str = "REGISTER", uri: str = DOMAIN, **fields: Any) -> Exchange:
        """A request of hers to herself."""
        given = {"From": f"{ALICE};tag=f1", "To": ALICE, **fields}
        return self.script.send(method, uri, **given)

    def be_asked(self, method: str = "REGISTER", uri: str = DOMAIN, **fields: Any) -> Challenge:
        """Send a request without credentials, and keep the first challenge."""
        exchange = self.send(method, uri, **fields)
        name = "WWW-Authenticate" if exchange.status == 401 else "Proxy-Authenticate"
        self.challenge = challenge_in(exchange, name)
        return self.challenge

    def credentials(self, method: str = "REGISTER", uri: str = DOMAIN, **changes: Any) -> str:
        """What answers the challenge."""
        given = {"username": self.user, "password": self.password, "cnonce": "c0", "nc": 1, **changes}
        return authorize(self.challenge, method=method, uri=uri, **given)

    def answer(self, **changes: Any) -> Exchange:
        """A REGISTER with credentials."""
        return self.send(Authorization=self.credentials(**changes))


def printed(
    folder: Path,
    kind: str,
    url: DatabaseUrl,
    script: str,
    rows: Sequence[tuple[type[Table], Mapping[str, object]]],
    *messages: bytes,
) -> list[str]:
    """What a script prints for messages, on a server in real time with these rows in a real database.

    The script answers each message.
    """
    dialect = DIALECTS[kind]
    with closing(dialect.connect(url, patience=20.0)) as connection:
        schema.create(dialect, connection, list(dict.fromkeys(table for table, _ in rows)))
        for table, row in rows:
            names = ", ".join(map(dialect.quote, row))
            marks = ", ".join([dialect.placeholder] * len(row))
            text = f"INSERT INTO {dialect.quote(name_of(table))} ({names}) VALUES ({marks})"
            execute(connection, text, tuple(row.values()))
        connection.commit()
    log: list[str] = []
    server = Server(log=Log(DEBUG, lambda level, line: log.append(line)))
    path = folder / "accounts.cfg"
    path.write_text(script)
    server.config.listen.append(SocketId("udp", "127.0.0.1", 0))
    server.load(path)
    server.bind()
    asyncio.run(_serve(server, messages))
    assert not [line for line in log if "Traceback" in line]
    return [line.split(":script: ", 1)[1] for line in log if ":script: " in line]


async def _serve(server: Server, messages: Sequence[bytes]) -> None:
    await server.start()
    for message in messages:
        sent: list[Sent] = []
        server.dispatcher.receive(message, KeptFlow(sent))
        for _ in range(2000):
            if sent:
                break
            await asyncio.sleep(0.002)
        assert sent, "no reply"
    await server.stop()
