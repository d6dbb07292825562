"""Scripts with avpops: what they print for a message, without a database, and on one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

from openpy.db.dialect import Connection, Row, execute, fetch
from openpy.db.url import DatabaseUrl
from openpy.engine.log import DEBUG, Log
from openpy.engine.machine import Machine
from openpy.engine.server import Server
from openpy.testing.clock import NoCollector
from tests.engine.kit import MODULES, Bench, KeptFlow, Sent, request
from tests.servers import DIALECTS

WITH_AVPOPS = (*MODULES, "avpops")
USER, HOST = "bob", "example.com"
SHOWN = 'xlog("$(avp(s:x)[*]) | $(avp(s:y)[*]) | $(avp(i:5)[*])");'
"""The values of three AVPs, the newest of each first."""


def bench(folder: Path, route: str, more: str = "") -> Bench:
    return Bench(folder, route, more=more, modules=WITH_AVPOPS)


def printed(folder: Path, route: str, more: str = "", message: bytes | None = None) -> list[str]:
    """What a script prints for a message, without a database."""
    with bench(folder, route, more) as site:
        site.receive(message or request())
        return list(site.printed())


class Site:
    """A running server and its database; `ask` hands in a message and waits for what the script prints."""

    def __init__(self, server: Server, log: list[str], url: DatabaseUrl) -> None:
        self.server = server
        self.log = log
        self.url = url
        self.sent: list[Sent] = []

    async def ask(self, *messages: bytes, lines: int = 1) -> list[str]:
        before = len(self.printed)
        for message in messages or (request(),):
            self.server.dispatcher.receive(message, KeptFlow(self.sent))
        await self.until(lambda: len(self.printed) - before >= lines)
        return self.printed[before:]

    async def until(self, is_done: Any) -> None:
        for _ in range(3000):
            if is_done():
                return
            await asyncio.sleep(0.001)
        raise AssertionError(self.log)

    @property
    def printed(self) -> list[str]:
        return [line.split(":script: ", 1)[1] for line in self.log if "ERROR:script: " in line]

    def complaints(self) -> list[str]:
        return [line.split(":avpops: ", 1)[1] for line in self.log if "WARNING:avpops: " in line]


def url_text(url: DatabaseUrl) -> str:
    """A URL as a script writes it."""
    host = f"{url.host}:{url.port}" if url.port else url.host
    return (
        f"{url.scheme}://{url.user}@{host}/{url.database}" if url.user else f"{url.scheme}:///{url.database}"
    )


@asynccontextmanager
async def site(folder: Path, url: DatabaseUrl, route: str, more: str = "") -> AsyncIterator[Site]:
    """A server whose avpops has a database."""
    scheme = {"sqlite": "sqlite", "mysql": "mysql", "postgres": "postgres"}[url.scheme]
    loads = "".join(f'loadmodule "{name}.so"\n' for name in (scheme, *WITH_AVPOPS))
    file = folder / "site.cfg"
    file.write_text(
        f'{loads}listen=udp:127.0.0.1:0\nmodparam("avpops", "db_url", "{url_text(url)}")\n'
        f'modparam("avpops", "avp_table", "usr_preferences")\n{more}\nroute {{ {route} }}\n'
    )
    log: list[str] = []
    machine = Machine(collector=NoCollector())
    server = Server(log=Log(DEBUG, lambda level, line: log.append(line)), machine=machine)
    server.load(file)
    server.log.level = DEBUG
    server.bind()
    await server.start()
    try:
        yield Site(server, log, url)
    finally:
        await server.stop()


def run_site(
    folder: Path, url: DatabaseUrl, route: str, more: str = "", messages: Sequence[bytes] = (), lines: int = 1
) -> tuple[list[str], list[str]]:
    """What a script prints for messages on a database, and what avpops complains of."""

    async def play() -> tuple[list[str], list[str]]:
        async with site(folder, url, route, more) as running:
            return await running.ask(*messages, lines=lines), running.complaints()

    return asyncio.run(play())


def run_cases(
    folder: Path,
    url: DatabaseUrl,
    routes: Sequence[str],
    prepare: Callable[[], None] = lambda: None,
    observe: Callable[[], Any] = lambda: None,
    more: str = "",
) -> list[tuple[list[str], Any]]:
    """What each of some routes prints for a message on one server, and what is seen afterwards.

    Each is run after `prepare`, and prints a line `end` at last.
    """
    route = " ".join(f'if ($hdr(Case) == "{n}") {{ {body} xlog("end"); }}' for n, body in enumerate(routes))

    async def play() -> list[tuple[list[str], Any]]:
        found = []
        async with site(folder, url, route, more) as running:
            for n in range(len(routes)):
                prepare()
                start = len(running.printed)
                message = request("OPTIONS", f"sip:{USER}@{HOST}", f"Case: {n}", branch=f"z9hG4bK{n}")
                running.server.dispatcher.receive(message, KeptFlow(running.sent))
                await running.until(lambda start=start: "end" in running.printed[start:])
                found.append((running.printed[start:-1], observe()))
        return found

    return asyncio.run(play())


def empty(connection: Connection) -> None:
    execute(connection, "DELETE FROM usr_preferences")


@contextmanager
def connected(url: DatabaseUrl) -> Iterator[Connection]:
    with closing(DIALECTS[url.scheme].connect(url, patience=10.0)) as connection:
        yield connection


def insert(connection: Connection, kind: str, *rows: tuple[str, str, str, int], domain: str = HOST) -> None:
    """Preferences: (user, attribute, value, type)."""
    mark = DIALECTS[kind].placeholder
    quote = DIALECTS[kind].quote
    names = ", ".join(map(quote, ("username", "domain", "attribute", "value", "type")))
    for user, attribute, value, type_ in rows:
        sql = f"INSERT INTO usr_preferences ({names}) VALUES ({mark}, {mark}, {mark}, {mark}, {mark})"
        execute(connection, sql, (user, domain, attribute, value, type_))


def rows(connection: Connection, kind: str) -> list[Row]:
    """All preferences: uuid, username, domain, attribute, type, value, in the order of their ids."""
    quote = DIALECTS[kind].quote
    names = ", ".join(map(quote, ("uuid", "username", "domain", "attribute", "type", "value")))
    return [tuple(row) for row in fetch(connection, f"SELECT {names} FROM usr_preferences ORDER BY id")]
