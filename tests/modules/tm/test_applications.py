"""Requests that are written to an application, and its answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openpy.engine.waiting import Wait
from openpy.modules.tm.applications import Written
from openpy.modules.tm.writing import NotWritten
from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, request

ROUTE = 't_newtran(); $var(code) = t_write_fifo("vm/more", "/tmp/nowhere"); xlog("code $var(code)");'
MORE = """
modparam("tm", "tw_append", "more:Agent=$ua;None=$hdr(None);$rb")
modparam("tm", "fr_timer", 4)
"""


class Application(Bench):
    """Keeps what is written instead of a FIFO's reader; refuses it where `refuses` is set."""

    def __init__(self, folder: Path, route: str = ROUTE, *, refuses: bool = False) -> None:
        super().__init__(folder, route, more=MORE)
        self.written: list[tuple[str, str, float]] = []
        self.refuses = refuses
        server: Any = self.server
        server.run_blocking = self._write

    def _write(self, function: Callable[..., object], path: str, text: str, seconds: float) -> Wait[None]:
        self.written.append((path, text, seconds))
        wait: Wait[None] = Wait()
        if self.refuses:
            wait.fail(NotWritten("nobody"))
        else:
            wait.resolve(None)
        return wait

    def answer(self, *parameters: str) -> str:
        """What t_reply says."""
        reply = self.mi("t_reply", *parameters)
        return f"{reply.code} {reply.reason}"

    @property
    def name(self) -> str:
        return self.written[0][1].split("\n")[15]


def test_what_is_written(tmp_path: Path) -> None:
    headers = (
        "Contact: <sip:alice@192.0.2.1:5070>",
        "Record-Route: <sip:192.0.2.2;lr>, <sip:192.0.2.3;lr>",
        "User-Agent: phone",
        "Content-Type: text/plain",
    )
    with Application(tmp_path, f"setflag(4); {ROUTE}") as bench:
        bench.receive(request("MESSAGE", "sip:bob@example.com", *headers, body=b"hi\nthere"))
        ((path, text, seconds),) = bench.written
        assert (path, seconds) == ("/tmp/nowhere", 2)
        lines = text.split("\n")
        index, label = lines[15].split(":")
        assert 0 <= int(index) < 65536
        assert label == "1"
        lines[15] = "hash:label"
        assert lines == [
            "0.3",
            "sip_request.vm",
            "MESSAGE",
            "bob",
            "example.com",
            "192.0.2.1",
            "5066",
            "sip:bob@example.com",
            "sip:alice@192.0.2.1:5070",
            '"Alice" <sip:alice@atlanta.example>;tag=a1',
            "<sip:bob@biloxi.example>",
            "call-1",
            "a1",
            ".",
            "7",
            "hash:label",
            "Route: <sip:192.0.2.2;lr>,<sip:192.0.2.3;lr>",
            "sip:192.0.2.2;lr",
            "P-MsgFlags: 10",
            "Agent: phone",
            "None: ",
            ".",
            "hi",
            "there",
            ".",
            "",
        ]
        assert list(bench.printed()) == ["code 1"]


def test_what_is_not_there_is_a_dot(tmp_path: Path) -> None:
    route = 't_newtran(); t_write_req("vm", "/f");'
    with Application(tmp_path, route) as bench:
        bench.receive(request("INVITE", "sip:example.com", body=b"sdp"), bench.phone(port=5060))
        lines = bench.written[0][1].split("\n")
        assert lines[3] == "."
        assert lines[6] == "."
        assert lines[8] == "sip:alice@atlanta.example"
        assert lines[16:] == [".", ".", "P-MsgFlags: 0", ".", "sdp", ".", ""]


@pytest.mark.parametrize("function", ["t_write_fifo", "t_write_req", "t_write_unix"])
def test_without_transaction_nothing_is_written(tmp_path: Path, function: str) -> None:
    with Application(tmp_path, f'$var(c) = {function}("vm", "/f"); xlog("$var(c)");') as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["-1"]
        assert bench.written == []


def test_nobody_reads(tmp_path: Path) -> None:
    with Application(tmp_path, refuses=True) as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["code -1"]
        assert "WARNING:tm: a request was not written: nobody" in bench.log


def test_a_header_that_cannot_be_read(tmp_path: Path) -> None:
    with Application(tmp_path) as bench:
        bench.receive(request("INVITE", "nonsense"))
        assert bench.written == []


def test_an_unknown_appendix_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match='unknown append name "w"'):
        Application(tmp_path, 't_write_fifo("vm/w", "/f");')
    with pytest.raises(ScriptError, match="tw_append names one twice: a, a"):
        Bench(tmp_path, more='modparam("tm", "tw_append", "a:$rb") modparam("tm", "tw_append", "a:$rb")')


# --- its answers ------------------------------------------------------------------------------------------------------


def test_the_application_answers(tmp_path: Path) -> None:
    with Application(tmp_path) as bench:
        bench.receive(request("INVITE"))
        before = len(bench.sent)
        assert bench.answer("183", "Wait", bench.name, "tag1", ".") == "200 OK"
        assert (
            bench.answer("200", "Here", bench.name, "tag1", "X: 1\nContent-Type: a/b\n", "body") == "200 OK"
        )
        first, last = bench.sent[before:]
        assert (first.start, last.start) == ("SIP/2.0 183 Wait", "SIP/2.0 200 Here")
        assert last.get("To").endswith(";tag=tag1")
        assert last.get("X") == "1"
        assert last.data.endswith(b"Content-Length: 4\r\n\r\nbody")
        assert bench.answer("200", "Here", bench.name, "tag1", ".") == "500 Reply failed"
        bench.run_for(3)
        assert not [sent for sent in bench.sent if "408" in sent.start]


def test_the_application_says_nothing(tmp_path: Path) -> None:
    with Application(tmp_path) as bench:
        bench.receive(request("INVITE"))
        assert [sent.start for sent in bench.run_for(5)][:1] == ["SIP/2.0 408 Request Timeout"]


def test_a_quick_application(tmp_path: Path) -> None:
    """It has answered before the route goes on: nobody is waited for."""
    with Application(tmp_path) as bench:
        waits: list[Wait[None]] = []
        server: Any = bench.server

        def write(function: object, path: str, text: str, seconds: float) -> Wait[None]:
            bench.written.append((path, text, seconds))
            waits.append(Wait())
            return waits[0]

        server.run_blocking = write
        bench.receive(request("INVITE"))
        assert bench.answer("486", "Busy", bench.name, ".", ".") == "200 OK"
        waits[0].resolve(None)
        bench.receive(request("ACK"))
        bench.run_for(40)
        assert [sent.start for sent in bench.sent] == ["SIP/2.0 486 Busy"]
        assert bench.answer("486", "Busy", bench.name, ".", ".") == "404 Transaction not found"


def test_a_line_end_in_the_reason(tmp_path: Path) -> None:
    with Application(tmp_path) as bench:
        bench.receive(request("INVITE"))
        assert bench.answer("200", "O\nK", bench.name, "t", ".") == "500 Reply failed"


def test_a_name_stays(tmp_path: Path) -> None:
    with Bench(
        tmp_path, 't_newtran(); t_reply("180", "Ringing"); sleep(100);', modules=("tm", "cfgutils")
    ) as bench:
        written = Written()
        bench.receive(request("INVITE"))
        transaction = next(iter(bench.server.transactions._servers.transactions.values()))
        name = written.name(transaction)
        assert written.name(transaction) == name
        assert written.find(name) is transaction
        transaction.forget()
        assert written.find(name) is None


# --- from a script to a reader ----------------------------------------------------------------------------------------


def test_a_real_fifo_from_a_script(tmp_path: Path) -> None:
    path = tmp_path / "application"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    async def play(bench: Bench) -> bytes:
        bench.server.runtime.start(asyncio.get_running_loop())
        bench.receive(request("INVITE"))
        for _ in range(100):
            await asyncio.sleep(0.01)
            if list(bench.printed()):
                break
        bench.server.runtime.stop()
        return os.read(reader, 65536)

    route = f't_newtran(); t_write_fifo("vm", "{path}"); xlog("done");'
    with Bench(tmp_path, route) as bench:
        assert asyncio.run(play(bench)).startswith(b"0.3\nsip_request.vm\nINVITE\nbob\n")
    os.close(reader)
