"""The idioms of scripts for OpenSER 1.3, one file each: they parse; where all their modules are there, they run.

Where a module is missing, that is the only thing told. `LACKING` is what modules that are there still lack; what is
built must be taken out of it.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from openpy.engine.log import DEBUG, Log
from openpy.engine.modulefinder import module_names
from openpy.engine.oldmodules import absent
from openpy.engine.server import Server
from openpy.script.diagnostics import Diagnostic, ScriptError, Severity
from openpy.script.parser import parse
from tests.engine.kit import KeptFlow, request

FILES = sorted((Path(__file__).parent / "idioms").glob("*.cfg"))

HEAD = """debug=2 log_stderror=yes fork=yes children=1 disable_tcp=yes auto_aliases=no dns=no rev_dns=no
listen=udp:127.0.0.1:0
mpath="/usr/local/lib/openser/modules/"
"""

LACKING = {
    "unknown command t_on_failure(), missing loadmodule?",
    "unknown command t_on_reply(), missing loadmodule?",
    "unknown command t_was_cancelled(), missing loadmodule?",
    "unknown command t_check_status(), missing loadmodule?",
    "parameter <fr_inv_timer_avp> not found in module <tm>",
}

METHODS = (
    "OPTIONS",
    "INVITE",
    "REGISTER",
    "MESSAGE",
    "PUBLISH",
    "SUBSCRIBE",
    "NOTIFY",
    "INFO",
    "CANCEL",
    "ACK",
)


def modules_of(text: str) -> list[str]:
    """The modules that an idiom says it needs, a database first where it names one."""
    needed = text.splitlines()[1].removeprefix("# modules: ").split()
    return ["sqlite", *needed] if '"DB"' in text else needed


def script_of(path: Path, folder: Path) -> str:
    text = path.read_text()
    loads = "".join(f'loadmodule "{name}.so"\n' for name in modules_of(text))
    body = text.replace('"DB"', f'"sqlite:///{folder}/idiom.db"').replace("LISTFILE", f"{folder}/list")
    return f"{HEAD}{loads}{body}"


def problems(path: Path, folder: Path) -> list[Diagnostic]:
    file = folder / "idiom.cfg"
    file.write_text(script_of(path, folder))
    try:
        return list(Server(allow_exec=True).load(file).warnings)
    except ScriptError as error:
        return list(error.diagnostics)


def test_there_are_42() -> None:
    assert len(FILES) == 42


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_parses_without_a_remark(path: Path, tmp_path: Path) -> None:
    assert parse(script_of(path, tmp_path), "idiom.cfg").found == ()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_told_is_what_is_not_built(path: Path, tmp_path: Path) -> None:
    missing = set(modules_of(path.read_text())).difference(module_names())
    expected = sorted(
        f"failed to load module: could not open module <{name}.so>: {(absent(name) or ('', ''))[0]}"
        for name in missing
    )
    told = sorted(item.message for item in problems(path, tmp_path) if item.message not in LACKING)
    assert told == expected


def test_what_is_lacking_is_not_there(tmp_path: Path) -> None:
    told = {item.message for path in FILES for item in problems(path, tmp_path)}
    assert told >= LACKING


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """`start` tunes the garbage collector of the process."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No request leads to an error of ours; idioms whose modules are not there yet have nothing to run."""
    if any(item.severity is Severity.ERROR for item in problems(path, tmp_path)):
        return
    monkeypatch.setattr("openpy.engine.server.DRAIN_PATIENCE", 0.0)
    log: list[str] = []
    server = Server(allow_exec=True, log=Log(DEBUG, lambda level, line: log.append(line)))
    server.load(tmp_path / "idiom.cfg")
    server.bind()

    async def serve() -> None:
        await server.start()
        for number, method in enumerate(METHODS):
            data = request(method, "sip:bob@127.0.0.1:9", call_id=f"{number}", branch=f"z9hG4bK{number}")
            server.dispatcher.receive(data, KeptFlow([]))
            await asyncio.sleep(0.001)
        await server.stop()

    asyncio.run(serve())
    assert not [line for line in log if "Traceback" in line]
    assert server.dispatcher.received_requests.value == len(METHODS)
