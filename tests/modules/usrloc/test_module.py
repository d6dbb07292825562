"""The declaration of usrloc: parameters, life, statistics; restarts on each database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from openpy.db.database import Database
from openpy.db.errors import Unavailable
from openpy.engine.module import ModuleError
from openpy.engine.server import Server
from openpy.engine.services import Services
from openpy.modules.usrloc import module
from openpy.modules.usrloc.domain import Domain
from openpy.modules.usrloc.rows import Rows
from openpy.script.diagnostics import ScriptError
from tests.engine.kit import KeptFlow, request
from tests.modules.usrloc.kit import BACK, MEMORY, REMOTE, THROUGH, contact, contacts_of, register, script
from tests.servers import DIALECTS, Databases, databases

__all__ = ["databases"]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("db_mode", 4, "db_mode is 0 to 3"),
        ("use_domain", 2, "0 or 1 expected"),
        ("timer_interval", 0, "1 or more expected"),
        ("desc_time_order", -1, "0 or 1 expected"),
        ("matching_mode", 2, "0 or 1 expected"),
        ("cseq_delay", -1, "0 or more expected"),
        ("fetch_rows", 0, "1 or more expected"),
        ("nat_bflag", 32, "32 is no flag: there are 0 to 31"),
    ],
)
def test_a_parameter_that_cannot_be_meant(name: str, value: int, told: str) -> None:
    with pytest.raises(ScriptError, match=told):
        script(usrloc={name: value})


def test_memory_needs_no_database_and_the_others_do(tmp_path: Path) -> None:
    text = (
        'loadmodule "sl.so"\nloadmodule "usrloc.so"\nloadmodule "registrar.so"\nroute { save("location"); }\n'
    )
    path = tmp_path / "openser.cfg"
    path.write_text(text)
    Server().load(path)
    path.write_text(text.replace("route {", 'modparam("usrloc", "db_mode", 1)\nroute {'))
    with pytest.raises(ScriptError, match="usrloc needs a database module"):
        Server().load(path)


def test_a_table_that_nobody_names_is_not_opened() -> None:
    with script(THROUGH, route=";") as server:
        assert server.server.files == {}


def test_a_table_that_will_not_do(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection, connection:
        connection.execute("CREATE TABLE version (table_name, table_version)")
        connection.execute("INSERT INTO version VALUES ('location', 1003)")
        connection.execute("CREATE TABLE location (id INTEGER PRIMARY KEY)")
    server = loaded(tmp_path, THROUGH, f"sqlite:///{tmp_path}/x.db")

    async def start() -> None:
        await server.start()

    with pytest.raises(ModuleError, match=r"usrloc cannot use its database .* needed is at least 1004"):
        asyncio.run(start())


def test_statistics() -> None:
    route = 'if (method=="REGISTER") save("location"); else lookup("aliases");'
    with script(route=route) as server:
        register(server, "<sip:1@h>;expires=60, <sip:2@h>")
        register(server, user="alice")
        names = (
            "registered_users",
            "location-users",
            "location-contacts",
            "location-expires",
            "aliases-users",
        )
        assert [server.statistic(f"usrloc:{name}") for name in names] == [2, 2, 3, 0, 0]
        server.run_for(62)
        assert [server.statistic(f"usrloc:{name}") for name in names] == [2, 2, 2, 1, 0]


def test_other_columns() -> None:
    columns = {"user_column": "who", "contact_column": "target", "expires_column": "until"}
    with script(THROUGH, usrloc=columns) as server:
        register(server)
        (row,) = server.rows("location")
        assert (row["who"], row["target"]) == ("bob", "sip:bob@192.0.2.7")
        assert row["until"] > row["last_modified"]


def test_write_back_by_the_timer() -> None:
    with script(BACK, usrloc={"timer_interval": 10}) as server:
        register(server)
        server.run_for(8)
        assert server.rows("location") == []
        server.run_for(3)
        assert len(server.rows("location")) == 1
        register(server, "*", cseq=2, expires=0)
        server.run_for(10)
        assert server.rows("location") == []


# --- restarts -----------------------------------------------------------------------------------------------------

SCRIPT = """listen=udp:127.0.0.1:0
loadmodule "{kind}.so"
loadmodule "sl.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("usrloc", "db_mode", {mode})
modparam("usrloc", "db_url", "{url}")
modparam("usrloc", "use_domain", 1)
route {{ save("location"); }}
"""


def loaded(folder: Path, mode: int, url: str) -> Server:
    path = folder / "openser.cfg"
    path.write_text(SCRIPT.format(kind=url.partition(":")[0], mode=mode, url=url))
    server = Server()
    server.load(path)
    server.bind()
    return server


async def life(server: Server, *requests: bytes) -> list[str]:
    """Start, hand requests in, one after the other's answer, and stop; the Contact lines and statuses told."""
    told = []
    await server.start()
    for data in requests:
        flow = KeptFlow([])
        server.dispatcher.receive(data, flow)
        for database in server.databases.values():
            database.writer.flush()
        for _ in range(400):
            if flow.sent:
                break
            await asyncio.sleep(0.005)
        (sent,) = flow.sent
        told.append(f"{sent.start.split()[1]} {sent.get('Contact')}")
    await server.stop()
    return told


def rest(*contacts: str, cseq: int = 1, expires: int = 600) -> bytes:
    lines = [f"Contact: {item}" for item in contacts]
    branch = f"z9hG4bK{cseq}{len(contacts)}{expires}"
    return request("REGISTER", "sip:biloxi.example", *lines, f"Expires: {expires}", branch=branch, cseq=cseq)


@pytest.mark.parametrize("mode", [THROUGH, BACK, REMOTE])
@pytest.mark.parametrize("kind", list(DIALECTS))
def test_d_a_restart_reads_all_back(kind: str, mode: int, databases: Databases, tmp_path: Path) -> None:
    """The same play on each database, in each mode: the same answers, before and after a restart."""
    from openpy.db.schema import create
    from openpy.modules.usrloc.tables import TABLES

    url = databases.empty(kind, tmp_path)
    with closing(DIALECTS[kind].connect(url, patience=20.0)) as connection:
        create(DIALECTS[kind], connection, list(TABLES))
    text = f"{url.scheme}://{url.user}@{url.host}:{url.port}/{url.database}" if kind != "sqlite" else str(url)
    first = asyncio.run(
        life(
            loaded(tmp_path, mode, text),
            rest("<sip:b@192.0.2.1>;q=0.7", "<sip:b@192.0.2.2>"),
            rest("<sip:b@192.0.2.1>;q=0.7", cseq=2, expires=3600),
            rest('<sip:b@192.0.2.3>;q=0.9;methods="INVITE"', cseq=3),
        )
    )
    assert first[0] == "200 <sip:b@192.0.2.1>;q=0.7;expires=600, <sip:b@192.0.2.2>;expires=600"
    assert first[2].startswith("200 <sip:b@192.0.2.3>;q=0.9;expires=600, <sip:b@192.0.2.1>;q=0.7;expires=")
    second = asyncio.run(
        life(
            loaded(tmp_path, mode, text),
            rest(),
            rest("<sip:b@192.0.2.3>", cseq=2),
            rest("<sip:b@192.0.2.3>", cseq=4, expires=0),
            rest("*", cseq=5, expires=0),
        )
    )
    assert [item.split(";expires")[0] for item in second] == [
        "200 <sip:b@192.0.2.3>;q=0.9",
        "400 <sip:b@192.0.2.3>;q=0.9" if mode != REMOTE else "400 ",
        "200 <sip:b@192.0.2.1>;q=0.7",
        "200 ",
    ]
    assert asyncio.run(life(loaded(tmp_path, mode, text), rest())) == ["200 "]


def test_requests_wait_for_nothing_that_is_still_read() -> None:
    with script(THROUGH) as server:
        usrloc = server.server.modules["usrloc"]
        domain = usrloc.bind().domain("location")
        register(server)
        domain.ready = False
        refused = register(server, cseq=2)
        assert (refused.status, refused.get("P-Registrar-Error")) == (500, "usrloc_contact_update failed")
        assert refused.get("Retry-After") is not None
        assert register(server, None, cseq=3).status == 500
        found = server.send("INVITE", "sip:bob@example.org")
        assert (found.status, found.variables["code"]) == (404, -3)


def test_memory_is_gone_after_a_restart() -> None:
    with script(MEMORY) as server:
        register(server)
        assert contacts_of(server) == ["sip:bob@192.0.2.7"]
    with script(MEMORY) as server:
        assert contacts_of(server) == []


def test_rows_that_cannot_be_loaded_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    async def fail_once(services: Services, domain: Domain, rows: Rows, wanted: Callable[[], bool]) -> int:
        tries.append(1)
        domain.take("bob", contact())
        if len(tries) == 1:
            raise Unavailable("gone")
        return 3

    monkeypatch.setattr(module, "load", fail_once)
    with script(THROUGH) as server:
        assert register(server).status == 500
        server.run_for(1.1)
        assert contacts_of(server) == ["sip:bob@192.0.2.7"]
        told = [line.text for line in server.log if line.origin == "usrloc"]
        assert told == [
            "the rows of location cannot be loaded, trying again: gone",
            "3 rows of location could not be understood",
        ]


@pytest.mark.parametrize("mode", [THROUGH, BACK, REMOTE])
def test_a_database_that_comes_later(mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        waiting: list[Callable[[], None]] = []
        patch.setattr(Database, "ready", False)
        patch.setattr(Database, "when_ready", lambda database, callback: waiting.append(callback))
        server = script(mode)
    with server:
        assert register(server).status == 500
        waiting.pop()()
        server.run_for(0.1)
        assert register(server, cseq=2).status == 200
