"""Golden files of avpops: a script, and behind a line of `=` what is told when it is loaded, or logged for a request.

Where the script has "DB" for a URL, the database is an empty file of SQLite.
`OPENPY_REGENERATE=1 pytest tests/golden` writes the second part anew; read the difference before keeping it.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from openpy.engine.log import INFO, Log
from openpy.engine.machine import Machine
from openpy.engine.server import Server
from openpy.script.diagnostics import ScriptError, render
from openpy.testing.clock import NoCollector
from tests.engine.kit import KeptFlow, request
from tests.golden.test_golden import FOLDER, SEPARATOR

MESSAGE = request("OPTIONS", "sip:bob@example.com", "Subject: it's 100% sure; -- really")
END = "END"


def outcome(source: str, name: str, folder: Path) -> str:
    """What is told, or logged until the script writes the last line, END."""
    text = source.replace('"DB"', f'"sqlite:///{folder}/x.db"') + "listen=udp:127.0.0.1:0\n"
    file = folder / f"{name}.cfg"
    file.write_text(text)
    lines: list[str] = []
    log = Log(INFO, lambda level, line: lines.append(line.split("] ", 1)[1]))
    server = Server(log=log, machine=Machine(collector=NoCollector()))
    try:
        server.load(file)
    except ScriptError as error:
        shown = "".join(render(item, text) + "\n" for item in error.diagnostics)
        return shown.replace(f"{folder}/", "")
    asyncio.run(_serve(server, lines))
    return "".join(f"{line}\n" for line in lines if line.split(": ")[0].split(":")[1] in ("script", "avpops"))


async def _serve(server: Server, lines: list[str]) -> None:
    server.log.level = INFO
    server.bind()
    await server.start()
    server.dispatcher.receive(MESSAGE, KeptFlow([]))
    for _ in range(3000):
        if lines and lines[-1].endswith(END):
            break
        await asyncio.sleep(0.001)
    await server.stop()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("avpops-*.golden")), ids=lambda path: path.stem)
def test_golden(path: Path, tmp_path: Path) -> None:
    source, _, expected = path.read_text("utf-8").partition(SEPARATOR)
    found = outcome(source, path.stem, tmp_path)
    if os.environ.get("OPENPY_REGENERATE") == "1":
        path.write_text(source + SEPARATOR + found, "utf-8")
    else:
        assert found == expected


def test_there_are_some_of_each_kind() -> None:
    outcomes = [path.read_text("utf-8").partition(SEPARATOR)[2] for path in FOLDER.glob("avpops-*.golden")]
    assert sum("error" in text for text in outcomes) >= 3
    assert sum(text.endswith(f"{END}\n") for text in outcomes) >= 5
