"""Messages for who is away: what was answered 202 is kept, whatever becomes of the server, and arrives once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from openpy.db import schema
from openpy.modules.msilo.tables import TABLES
from tests.scenarios.conftest import Launch
from tests.scenarios.process import ServerProcess
from tests.scenarios.shared import query
from tests.scenarios.wire import Phone, SipMessage
from tests.servers import DIALECTS, Databases

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(120)]

SCRIPT = """\
debug=2
log_stderror=yes
loadmodule "{kind}.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "textops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "msilo.so"
modparam("msilo", "db_url", "{url}")
route {{
	if (is_method("REGISTER")) {{ save("location"); m_dump(); exit; }}
	if (is_method("MESSAGE") && !lookup("location")) {{
		t_newtran();
		if (m_store("$ru")) t_reply("202", "Accepted"); else t_reply("503", "Service Unavailable");
		exit;
	}}
	t_relay();
}}
"""

BODIES = (b"caf\xc3\xa9", b"\x00\xff\r\n\r\n", b"x" * 1000)


def write(phone: Phone, server: ServerProcess, body: bytes) -> SipMessage:
    """A message to bob, who has the server's own address: what it sends comes back to it."""
    uri = f"sip:bob@{server.host}:{server.ports['udp']}"
    return phone.request("MESSAGE", uri, headers=["Content-Type: application/octet-stream"], body=body)


def register(phone: Phone, server: ServerProcess) -> SipMessage:
    """Bob is back."""
    uri = f"sip:bob@{server.host}:{server.ports['udp']}"
    return phone.request(
        "REGISTER", uri, from_uri=uri, headers=[f"Contact: <{phone.contact}>", "Expires: 600"]
    )


@pytest.mark.parametrize("kind", list(DIALECTS))
def test_what_was_accepted_arrives(kind: str, launch: Launch, databases: Databases, tmp_path: Path) -> None:
    url = databases.empty(kind, tmp_path)
    connection = DIALECTS[kind].connect(url, patience=20.0)
    schema.create(DIALECTS[kind], connection, TABLES)
    connection.close()
    server = launch(SCRIPT.format(kind=kind, url=url))
    with Phone(server.address, "alice") as alice, Phone(server.address, "bob") as bob:
        for body in BODIES:
            assert write(alice, server, body).status == 202
        server.kill()
        assert query(kind, url, "SELECT count(*) FROM silo") == [(len(BODIES),)]
        server.start()
        assert register(bob, server).status == 200
        for body in BODIES:
            message = bob.await_message(lambda m: m.method == "MESSAGE")
            assert message.body == body
            bob.answer(message)
        deadline = time.monotonic() + 5
        while query(kind, url, "SELECT count(*) FROM silo") != [(0,)]:
            assert time.monotonic() < deadline, "what has arrived is still there"
        assert register(bob, server).status == 200
        assert bob.nothing_more()
