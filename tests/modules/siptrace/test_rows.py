"""Traced messages as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openpy.db.errors import Unavailable
from openpy.modules.siptrace import rows
from openpy.modules.siptrace.captured import Captured
from openpy.modules.siptrace.rows import Rows
from tests.modules.siptrace.traced import BOB, Traced
from tests.servers import databases

__all__ = ["databases"]


def test_the_columns() -> None:
    with Traced() as script:
        message = script.send("MESSAGE", BOB, body="hi there")
        message.relayed[0].answer(202)
        first, *_, last = script.kept()
        assert first["msg"].encode() == message.message.raw
        assert first["msg"].endswith("hi there")
        del first["msg"], last["msg"], first["id"], last["id"]
        common = {"callid": "call1@192.0.2.1", "traced_user": "", "method": "MESSAGE", "fromtag": "alice"}
        assert first == {
            **common,
            "date": first["date"],
            "status": "",
            "fromip": "udp:192.0.2.1:5060",
            "toip": "udp:127.0.0.1:5060",
            "direction": "in",
        }
        assert (last["status"], last["toip"]) == ("202", "udp:192.0.2.1:5060")


def test_our_address_by_another_name() -> None:
    with Traced('trace_local_ip="sip.example.com"') as script:
        script.send("MESSAGE", BOB)
        assert [(row["fromip"], row["toip"]) for row in script.kept()] == [
            ("udp:192.0.2.1:5060", "sip.example.com"),
            ("sip.example.com", "udp:192.0.2.9:5060"),
        ]


def test_what_does_not_fit_is_cut_and_what_is_no_text_replaced() -> None:
    with Traced() as script:
        call_id = "c" * 300
        data = f"MESSAGE {BOB} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx\r\n"
        data += f"From: <sip:a@x>;tag=a\r\nTo: <{BOB}>\r\nCall-ID: {call_id}\r\nCSeq: 1 MESSAGE\r\n"
        script.send(data.encode() + b"Content-Length: 2\r\n\r\n\xff\x00")
        (row,) = script.kept(direction="in")
        assert row["callid"] == "c" * 255
        assert row["msg"].endswith("\ufffd\ufffd")


@pytest.mark.parametrize("size", [10, 30000, 70000])
def test_the_longest_text(size: int) -> None:
    text = rows._text(b"\xff" * size)
    assert text == "\ufffd" * min(size, 65535 // 3)


def test_what_is_no_message_is_kept_as_it_is() -> None:
    values = rows._rows(Captured(b"???", "a", "b", "in", 0, ("u",), ""))
    assert values[0][1:] == ("", "u", "???", "", "", "a", "b", "", "in")
    broken = b"BYE sip:a SIP/2.0\r\nFrom: <\r\nCSeq: x\r\n\r\n"
    assert rows._rows(Captured(broken, "a", "b", "in", 0, ("u",), ""))[0][4] == ""


def test_another_table_with_other_columns() -> None:
    with Traced('table="spied"', 'msg_column="message"', 'callid_column="call"') as script:
        script.send("MESSAGE", BOB)
        assert {"message", "call", "date"} <= set(script.kept("spied")[0])


@pytest.mark.parametrize(("value", "table"), [("other", "other"), ("", "sip_trace"), ("a b", "sip_trace")])
def test_a_table_that_an_avp_names(value: str, table: str) -> None:
    route = f'route {{ setflag(22); $avp(s:table) = "{value}"; sip_trace(); sl_send_reply("200", "OK"); }}'
    with Traced('trace_table_avp="$avp(s:table)"', route=route) as script:
        definition = script.sql("SELECT sql FROM sqlite_master WHERE name = 'sip_trace'")[0]["sql"]
        script.sql(definition.replace("sip_trace", "other"))
        script.send("MESSAGE", BOB)
        assert len(script.kept(table)) == 2


def test_a_table_that_is_not_there() -> None:
    route = 'route { setflag(22); $avp(s:table) = "none"; sip_trace(); sl_send_reply("200", "OK"); }'
    with Traced('trace_table_avp="$avp(s:table)"', route=route) as script:
        script.send("MESSAGE", BOB)
        script.run_for(2)
        assert script.figures == (1, 1, 2)
        assert len([line for line in script.log if "are not traced" in str(line)]) == 1


def test_the_database_is_locked(tmp_path: Path) -> None:
    with Traced(folder=tmp_path) as script:
        (file,) = script.server.files.values()
        lock = sqlite3.connect(file, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        message = script.send("MESSAGE", BOB)
        assert message.relayed[0].answer(200)
        script.run_for(20)
        lock.execute("ROLLBACK")
        lock.close()
        assert script.figures[2] == sum(script.figures[:2]) > 0
        script.send("MESSAGE", BOB)
        assert len(script.kept()) == 2


class Full:
    """A database whose writer takes nothing, or answers later."""

    def __init__(self, *, is_full: bool) -> None:
        self.writer = self
        self.is_full = is_full
        self.done: list[Callable[[None], None]] = []

    def submit(self, key: object, operations: object, done: Callable[[None], None]) -> None:
        if self.is_full:
            raise Unavailable("full")
        self.done.append(done)


def test_at_most_so_many_wait_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    with Traced() as script:
        own = script.module._rows
        assert isinstance(own, Rows)
        own.most_under_way = 3
        writer: Any = Full(is_full=False)
        monkeypatch.setattr(own._writer, "submit", writer.submit)
        messages = [Captured(b"", "", "", "in", 0, ("",), "")] * 5
        assert own.take(messages) == 3
        assert own.take(messages[3:]) == 0
        writer.done.pop()(None)
        assert own.take(messages[3:]) == 1
        while writer.done:
            writer.done.pop()(None)
        writer.is_full = True
        assert own.take(messages[:2]) == 2
        assert script.figures[2] == 2
