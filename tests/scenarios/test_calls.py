"""Calls through a real server on databases of each kind: they are followed over a kill -9, and traced."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from openpy.db import schema
from openpy.db.url import DatabaseUrl
from openpy.modules.dialog.tables import TABLES as DIALOGS
from openpy.modules.siptrace.tables import TABLES as TRACES
from tests.scenarios.conftest import Launch
from tests.scenarios.message import SipMessage, parse
from tests.scenarios.process import ServerProcess
from tests.scenarios.shared import query
from tests.scenarios.wire import Phone
from tests.servers import DIALECTS, PATIENCE, Databases

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(120)]

SCRIPT = """\
debug=2
log_stderror=yes
loadmodule "{kind}.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "textops.so"
loadmodule "dialog.so"
loadmodule "siptrace.so"
modparam("dialog|siptrace", "db_url", "{url}")
modparam("dialog", "dlg_flag", 4)
modparam("dialog", "db_mode", 1)
modparam("siptrace", "trace_flag", 22)
modparam("siptrace", "trace_on", 1)
route {{
    setflag(22);
    sip_trace();
    if (loose_route()) {{ t_relay(); exit; }}
    setflag(4);
    record_route();
    t_relay();
}}
"""


@pytest.fixture(params=list(DIALECTS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(kind: str, databases: Databases, tmp_path: Path) -> DatabaseUrl:
    url = databases.empty(kind, tmp_path)
    with closing(DIALECTS[kind].connect(url, patience=PATIENCE)) as connection:
        schema.create(DIALECTS[kind], connection, (*DIALOGS, *TRACES))
    return url


@pytest.fixture
def server(kind: str, url: DatabaseUrl, launch: Launch) -> ServerProcess:
    return launch(SCRIPT.format(kind=kind, url=url))


class Pair:
    """Alice and Bob."""

    def __init__(self, server: ServerProcess, stack: ExitStack) -> None:
        self.server = server
        self.alice = stack.enter_context(Phone(server.address, "alice"))
        self.bob = stack.enter_context(Phone(server.address, "bob"))

    def call(self) -> tuple[SipMessage, SipMessage]:
        """An INVITE as Bob got it, and the 200 as Alice got it: no ACK is sent."""
        contact = (f"Contact: <{self.alice.contact}>",)
        data = self.alice.build("INVITE", self.bob.contact, headers=contact)
        self.alice.send(data)
        invite = self.bob.await_message(lambda m: m.start.startswith("INVITE"))
        recorded = [f"{k}: {v}" for k, v in invite.headers if k.lower() == "record-route"]
        headers = [(k, f"{v};tag=b" if k == "To" else v) for k, v in invite.headers]
        answered = SipMessage(invite.start, headers, invite.body, invite.address)
        self.bob.answer(answered, headers=[*recorded, f"Contact: <{self.bob.contact}>"])
        return invite, self.alice.final_reply(parse(data))

    def say(self, method: str, answer: SipMessage, cseq: int) -> None:
        """A request of Alice in the dialog, which Bob gets."""
        self.alice.send(
            self.alice.build(
                method,
                self.bob.contact,
                to=answer.get("To"),
                from_tag=answer.get("From").partition(";tag=")[2],
                call_id=answer.get("Call-ID"),
                cseq=cseq,
                headers=(f"Route: {answer.get('Record-Route')}",),
            )
        )
        received = self.bob.await_message(lambda m: m.start.startswith(method))
        if method != "ACK":
            self.bob.answer(received)


@pytest.fixture
def pair(server: ServerProcess) -> Iterator[Pair]:
    with ExitStack() as stack:
        yield Pair(server, stack)


def command(server: ServerProcess, *words: str) -> str:
    """What a management command prints."""
    arguments = [sys.executable, "-m", "openpy.cli.openpyctl", "mi", *words]
    done = subprocess.run(
        arguments, cwd=server.script.parent, capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout


def until(condition: Callable[[], bool], patience: float = 10.0) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_call_whose_2xx_went_out_is_known_after_a_kill(pair: Pair, kind: str, url: DatabaseUrl) -> None:
    server = pair.server
    answers = []
    for _ in range(5):
        _, answer = pair.call()
        server.kill()
        answers.append(answer)
        rows = query(kind, url, "SELECT callid, state, to_tag FROM dialog ORDER BY id")
        assert rows == [(each.get("Call-ID"), 3, "b") for each in answers]
        server.start()
    until(lambda: server.statistics().get("dialog:active_dialogs") == 5)
    for answer in answers:
        pair.say("ACK", answer, 1)
        pair.say("BYE", answer, 2)
    until(lambda: query(kind, url, "SELECT * FROM dialog") == [])
    assert "dialog:active_dialogs" not in server.statistics()


def test_a_call_is_listed_and_ended_from_outside(pair: Pair, kind: str, url: DatabaseUrl) -> None:
    _, answer = pair.call()
    pair.say("ACK", answer, 1)
    listed = command(pair.server, "dlg_list")
    assert f"callid:: {answer.get('Call-ID')}" in listed
    name = listed.partition("hash=")[2].split()[0]
    command(pair.server, "dlg_end_dlg", *name.split(":"))
    for phone in (pair.alice, pair.bob):
        bye = phone.await_message(lambda m: m.start.startswith("BYE"))
        phone.answer(bye)
    until(lambda: query(kind, url, "SELECT * FROM dialog") == [])


def test_the_flow_of_a_call_is_kept(pair: Pair, kind: str, url: DatabaseUrl) -> None:
    _, answer = pair.call()
    pair.say("ACK", answer, 1)
    pair.say("BYE", answer, 2)
    statement = "SELECT direction, status, method FROM sip_trace WHERE callid = ? ORDER BY id"
    expected = [
        *(("in", "", "INVITE"), ("out", "100", "INVITE"), ("out", "", "INVITE")),
        *(("in", "200", "INVITE"), ("out", "200", "INVITE"), ("in", "", "ACK"), ("out", "", "ACK")),
        *(("in", "", "BYE"), ("out", "", "BYE"), ("in", "200", "BYE"), ("out", "200", "BYE")),
    ]
    until(lambda: len(query(kind, url, statement, (answer.get("Call-ID"),))) >= len(expected))
    assert query(kind, url, statement, (answer.get("Call-ID"),)) == expected


def test_a_trace_that_the_database_refuses_harms_nobody(pair: Pair, kind: str, url: DatabaseUrl) -> None:
    with closing(DIALECTS[kind].connect(url, patience=PATIENCE)) as connection:
        cursor = connection.cursor()
        cursor.execute("ALTER TABLE sip_trace RENAME TO elsewhere")
        connection.commit()
    for _ in range(3):
        _, answer = pair.call()
        pair.say("ACK", answer, 1)
    assert len(query(kind, url, "SELECT * FROM dialog")) == 3
    pair.server.await_log("are not traced")
