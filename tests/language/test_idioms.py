"""The idioms of scripts for OpenSER 1.3, one file each: they parse; where all their modules are there, they run.

Where a module is missing, that is the only error. Each is an excerpt, so some warnings are right: `EXCERPTS` names
them. What each does with messages is in the files test_idioms_*.py.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from openpy.engine.log import DEBUG, Log
from openpy.engine.oldmodules import absent
from openpy.engine.server import Server
from openpy.script.diagnostics import Diagnostic, ScriptError, Severity
from openpy.script.parser import parse
from tests.engine.kit import KeptFlow, request
from tests.language import test_idioms_routing, test_idioms_users
from tests.language.excerpts import FILES, missing, script_of

EXCERPTS = {
    "W318": "the modules are those of the reference, which loads sl and tm as a habit",
    "W803": "what becomes of other requests stands elsewhere in a whole script",
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


def problems(path: Path, folder: Path) -> list[Diagnostic]:
    file = folder / "idiom.cfg"
    file.write_text(script_of(path, folder))
    try:
        return list(Server(allow_exec=True).load(file).warnings)
    except ScriptError as error:
        return list(error.diagnostics)


def test_there_are_42() -> None:
    assert len(FILES) == 42


def test_each_that_can_run_has_a_test_of_what_it_does() -> None:
    tests = {name[5:7] for file in (test_idioms_routing, test_idioms_users) for name in vars(file)}
    assert [path.stem for path in FILES if not missing(path) and path.stem[:2] not in tests] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_parses_without_a_remark(path: Path, tmp_path: Path) -> None:
    assert parse(script_of(path, tmp_path), "idiom.cfg").found == ()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_told_is_what_is_not_built(path: Path, tmp_path: Path) -> None:
    expected = sorted(
        f"failed to load module: could not open module <{name}.so>: {(absent(name) or ('', ''))[0]}"
        for name in missing(path)
    )
    errors = [item for item in problems(path, tmp_path) if item.severity is Severity.ERROR]
    assert sorted(item.message for item in errors) == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_warning_is_a_false_alarm(path: Path, tmp_path: Path) -> None:
    told = {item.code for item in problems(path, tmp_path) if item.severity is Severity.WARNING}
    assert told <= EXCERPTS.keys()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("01-sanity", [("W803", "end of the script")]),
        ("03-cancel-ack", [("W318", "module sl")]),
        ("04-newtran", []),
        ("10-redirect", []),
        ("26-presence", []),
        ("27-mwi", [("W803", "end of the script")]),
        ("34-exec", [("W803", "end of the script")]),
        ("40-switches", []),
    ],
)
def test_what_excerpts_are_warned_of(name: str, told: list[tuple[str, str]], tmp_path: Path) -> None:
    path = next(path for path in FILES if path.stem == name)
    found = problems(path, tmp_path)
    assert [(item.code, text in item.message) for item, (_, text) in zip(found, told, strict=True)] == [
        (code, True) for code, _ in told
    ]


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
