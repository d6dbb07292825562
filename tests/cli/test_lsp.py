"""`openpy lsp`: a whole session of an editor with the command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import util
from pathlib import Path
from typing import Any

import pytest

from openpy.cli import lsp as command
from openpy.script.preprocessor import MAX_CHARACTERS
from tests.editor.client import Client

SCRIPT = """loadmodule "sl.so"

route {
	$var(é𝄞) = 1; route(RELAY);
}

route[RELAY] {
	sl_send_reply("200", "OK");
}
"""


@pytest.fixture
def process(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-m", "openpy", "lsp", "--stdio"],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield process
        process.kill()


@pytest.fixture
def client(process: subprocess.Popen[bytes]) -> Client:
    assert process.stdin is not None
    assert process.stdout is not None
    return Client(process.stdout, process.stdin)  # type: ignore[arg-type]


def labels(completion: Any) -> list[str]:
    return [item["label"] for item in completion["items"]]


def test_a_session(client: Client, process: subprocess.Popen[bytes], tmp_path: Path) -> None:
    able = client.initialize(tmp_path)["capabilities"]
    assert able["positionEncoding"] == "utf-16"
    uri = (tmp_path / "openser.cfg").as_uri()
    client.open(uri, SCRIPT)
    assert client.diagnostics(uri) == []

    client.change(uri, SCRIPT.replace("sl_send_reply", "sl_send_repl"))
    (mistake,) = client.diagnostics(uri)
    assert mistake["severity"] == 1
    assert 'did you mean "sl_send_reply"?' in mistake["message"]
    assert mistake["range"] == {"start": {"line": 7, "character": 1}, "end": {"line": 7, "character": 26}}

    client.change(uri, SCRIPT)
    assert client.diagnostics(uri) == []
    assert "sl_send_reply" in labels(client.at("completion", uri, 7, 4))
    shown = client.at("hover", uri, 7, 3)
    assert "sl_send_reply(code, reason)" in shown["contents"]["value"]
    (place,) = client.at("definition", uri, 3, 25)
    assert place["range"]["start"] == {"line": 6, "character": 6}
    edits = client.at("rename", uri, 3, 25, newName="OUT")["changes"][uri]
    assert [edit["range"]["start"] for edit in edits] == [
        {"line": 3, "character": 22},
        {"line": 6, "character": 6},
    ]
    options = {"tabSize": 4, "insertSpaces": False}
    (edit,) = client.request("textDocument/formatting", textDocument={"uri": uri}, options=options)
    assert edit["newText"] == SCRIPT.replace("; route", ";\n\troute")

    client.leave()
    assert client.ended()
    assert process.wait(timeout=30) == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""


def test_characters_are_counted_as_the_editor_wishes(client: Client, tmp_path: Path) -> None:
    able = client.initialize(tmp_path, positionEncodings=["utf-8", "utf-16"])["capabilities"]
    assert able["positionEncoding"] == "utf-8"
    uri = (tmp_path / "openser.cfg").as_uri()
    client.open(uri, SCRIPT)
    first, _ = client.at("rename", uri, 6, 8, newName="OUT")["changes"][uri]
    assert first["range"]["start"] == {"line": 3, "character": len("\t$var(é𝄞) = 1; route(".encode())}
    client.leave()
    assert client.ended()


def test_nothing_ends_it(client: Client, tmp_path: Path) -> None:
    client.initialize(tmp_path)
    uri = (tmp_path / "openser.cfg").as_uri()
    client.send_bytes(b"this is no message")
    client.send_bytes(b'{"jsonrpc": "2.0", "id": 77, "method": "textDocument/hover", "params": {"x": 1}}')
    client.send({"method": "textDocument/didChange", "params": {"textDocument": {"uri": uri}}})
    assert "error" in client.ask("no/such/method", {})
    client.open(uri, "route {\n" + "\tx();\n" * (MAX_CHARACTERS // 6))
    (mistake,) = client.diagnostics(uri)
    assert "characters" in mistake["message"]
    client.change(uri, "((((((((((" * 10_000)
    assert client.diagnostics(uri)
    client.change(uri, "route { \ud800(); }")
    assert client.diagnostics(uri)
    client.change(uri, SCRIPT)
    assert client.diagnostics(uri) == []
    client.leave()
    assert client.ended()


def test_what_is_missing_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert command.main([]) == 255
    assert capsys.readouterr().err == 'openpy lsp needs pygls: pip install "openpy[lsp]"\n'


def test_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    from openpy.editor import server

    monkeypatch.setattr(server, "serve", lambda: None)
    assert command.main(["--stdio"]) == 0
    assert util.find_spec("pygls")
