from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from openpy.engine.control import Control
from tests.engine.kit import Bench, request

Answer = dict[str, Any]


class Client:
    """Asks, and reads what comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    def send(self, request: object) -> None:
        self.writer.write(json.dumps(request).encode() + b"\n")

    async def read(self) -> Answer:
        answer: Answer = json.loads(await self._reader.readline())
        return answer

    async def ask(self, request: object) -> Answer:
        self.send(request)
        return await self.read()

    async def rest(self) -> bytes:
        return await self._reader.read()


Talk = Callable[[Client, Bench], Awaitable[None]]


def talk(folder: Path, converse: Talk, route: str = 'sl_send_reply("200", "OK");') -> Bench:
    """Let a client talk to a server whose observed program is compiled."""
    with Bench(folder, route) as bench:
        bench.server.tracer.prepare()
        path = str(folder / "s")

        async def run() -> None:
            control = Control(bench.server, path)
            control.bind()
            await control.start()
            client = Client(*await asyncio.open_unix_connection(path, limit=1 << 24))
            try:
                async with asyncio.timeout(10):
                    await converse(client, bench)
            finally:
                control.close()
                client.writer.close()
                await asyncio.sleep(0.02)

        asyncio.run(run())
    return bench


# --- requests -----------------------------------------------------------------------------------------------------

MALFORMED = [
    (b"\xff\n", "a request is one JSON object on a line"),
    (b"[1]\n", "a request is one JSON object on a line"),
    (b"[" * 60_000 + b"\n", "a request is one JSON object on a line"),
    (b"{}\n", "None is no command: mi and trace are"),
    (b'{"command": "stop"}\n', "'stop' is no command: mi and trace are"),
    (b'{"command": "mi"}\n', 'a management command has a "name"'),
    (b'{"command": "mi", "name": "which", "parameters": [5]}\n', 'a management command has a "name"'),
    (b'{"command": "mi", "name": "nope"}\n', "there is no command nope; `which` lists them"),
    (b'{"command": "trace"}\n', 'a trace has a "switch"'),
    (b'{"command": "trace", "switch": "on", "filter": []}\n', 'a trace has a "switch"'),
    (b'{"command": "trace", "switch": "on", "filter": {"to": "x"}}\n', "to is no filter"),
    (b'{"command": "trace", "switch": "on", "seconds": 0}\n', "up to 86400 seconds, not 0"),
    (b'{"command": "trace", "switch": "on", "seconds": true}\n', "up to 86400 seconds, not True"),
    (b"x" * 70_000 + b"\n", "the line is too long"),
]


@pytest.mark.parametrize(("line", "text"), MALFORMED)
def test_what_cannot_be_understood_is_answered(tmp_path: Path, line: bytes, text: str) -> None:
    async def converse(client: Client, bench: Bench) -> None:
        client.writer.write(line)
        answer = await client.read()
        assert answer["type"] == "error"
        assert text in answer["text"]

    talk(tmp_path, converse)


def test_management_commands(tmp_path: Path) -> None:
    async def converse(client: Client, bench: Bench) -> None:
        answer = await client.ask({"command": "mi", "name": "debug", "parameters": ["3"]})
        node = {"name": "DEBUG", "value": "3", "attributes": {}, "nodes": []}
        assert answer == {"type": "reply", "code": 200, "reason": "OK", "nodes": [node]}
        answer = await client.ask({"command": "mi", "name": "debug", "parameters": ["high"]})
        assert (answer["code"], answer["reason"]) == (400, "Bad parameter")
        answer = await client.ask({"command": "mi", "name": "ps"})
        assert answer["nodes"][0]["attributes"]["ID"] == "0"

    talk(tmp_path, converse)


def test_one_that_fails_without_a_word_is_answered_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.kill", lambda pid, number: None)

    async def converse(client: Client, bench: Bench) -> None:
        answer = await client.ask({"command": "mi", "name": "kill"})
        assert (answer["code"], answer["reason"]) == (500, "command 'kill' failed")

    talk(tmp_path, converse)


# --- traces -------------------------------------------------------------------------------------------------------

ON = {"command": "trace", "switch": "on"}


def test_a_trace_streams_until_somebody_ends_it(tmp_path: Path) -> None:
    async def converse(client: Client, bench: Bench) -> None:
        wanted = {**ON, "filter": {"method": "INFO"}, "seconds": 5}
        assert (await client.ask(wanted))["type"] == "started"
        bench.receive(request("OPTIONS"))
        bench.receive(request("INFO", branch="z9hG4bKinfo"))
        trace = await client.read()
        assert (trace["type"], trace["message"]["method"]) == ("trace", "INFO")
        other = Client(*await asyncio.open_unix_connection(str(tmp_path / "s")))
        assert await other.ask({"command": "trace", "switch": "off"}) == {"type": "stopped", "tracings": 1}
        assert await other.ask({"command": "trace", "switch": "off"}) == {"type": "stopped", "tracings": 0}
        end = await client.read()
        assert end == {"type": "end", "reason": "it was switched off", "traces": 1, "dropped": 0}
        assert await client.rest() == b""
        other.writer.close()

    talk(tmp_path, converse)


def test_it_ends_with_its_time(tmp_path: Path) -> None:
    async def converse(client: Client, bench: Bench) -> None:
        assert (await client.ask({**ON, "seconds": 2.5}))["type"] == "started"
        bench.run_for(3)
        assert (await client.read())["reason"] == "its time is over"

    talk(tmp_path, converse)


def test_it_ends_with_its_client_and_then_costs_nothing(tmp_path: Path) -> None:
    async def converse(client: Client, bench: Bench) -> None:
        dispatcher: Any = bench.server.dispatcher
        plain = dispatcher._main
        assert (await client.ask(ON))["type"] == "started"
        assert dispatcher._main is not plain
        client.writer.close()
        await asyncio.sleep(0.02)
        assert dispatcher._main is plain
        assert bench.receive(request())

    talk(tmp_path, converse)


def test_it_ends_with_the_server(tmp_path: Path) -> None:
    ends: list[Answer] = []

    async def converse(client: Client, bench: Bench) -> None:
        assert (await client.ask(ON))["type"] == "started"
        bench.server.tracer.stop("the server stops")
        ends.append(await client.read())

    talk(tmp_path, converse)
    assert ends[0]["reason"] == "the server stops"


def test_a_client_that_does_not_read_holds_nothing_up_and_little_memory(tmp_path: Path) -> None:
    async def converse(client: Client, bench: Bench) -> None:
        client._reader._transport.pause_reading()  # type: ignore[attr-defined]
        client.send(ON)
        await asyncio.sleep(0.02)
        for number in range(3000):
            assert bench.receive(request(branch=f"z9hG4bK{number}", body=b"x" * 2000))
            await asyncio.sleep(0)
        (tracing,) = bench.server.tracer._tracings
        assert tracing.dropped > 1000
        assert len(tracing._waiting) <= 1
        client._reader._transport.resume_reading()  # type: ignore[attr-defined]
        told = [await client.read() for _ in range(500)]
        assert {event["type"] for event in told} == {"started", "trace"}
        tracing.stop()
        rest = (await client.rest()).splitlines()
        end = json.loads(rest[-1])
        assert end == {
            "type": "end",
            "reason": "it was switched off",
            "traces": 3000,
            "dropped": tracing.dropped,
        }
        assert len(told) + len(rest) == 3000 - tracing.dropped + 2

    talk(tmp_path, converse)
