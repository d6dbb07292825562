"""The language server, asked in all the ways that it knows."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from openpy.editor import server as module
from openpy.editor.server import make_server, path_of
from tests.editor.client import Client
from tests.editor.conftest import SCRIPT


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of a server in another thread."""
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    to_server, to_client = os.pipe(), os.pipe()
    with (
        os.fdopen(to_server[0], "rb") as stdin,
        os.fdopen(to_server[1], "wb") as writer,
        os.fdopen(to_client[0], "rb") as reader,
        os.fdopen(to_client[1], "wb") as stdout,
    ):
        thread = Thread(target=make_server().start_io, args=(stdin, stdout))
        thread.start()
        client = Client(reader, writer)
        client.initialize(tmp_path)
        yield client
        client.leave()
        thread.join()


@pytest.fixture
def uri(client: Client, tmp_path: Path) -> str:
    """The script, open and checked."""
    uri = (tmp_path / "test.cfg").as_uri()
    client.open(uri, SCRIPT)
    return uri


def at(text: str, piece: str) -> tuple[int, int]:
    """Line and character of the last character of a piece of a text."""
    offset = text.index(piece) + len(piece) - 1
    return text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset) - 1


def lines(found: list[Any]) -> list[int]:
    return [item["range"]["start"]["line"] + 1 for item in found]


def test_diagnostics_follow_the_text(client: Client, uri: str) -> None:
    before = lines(client.diagnostics(uri))
    client.change(uri, SCRIPT.replace("route(RELAY)", "route(RELAYS)"))
    assert set(lines(client.diagnostics(uri))) - set(before) == {
        14,
        16,
    }  # nothing reaches route[RELAY] any more
    client.change(uri, SCRIPT.replace('"OK"', '"OK'))
    assert client.diagnostics(uri)
    client.notify("textDocument/didSave", textDocument={"uri": uri})
    assert client.diagnostics(uri)
    client.notify("textDocument/didClose", textDocument={"uri": uri})
    assert client.diagnostics(uri) == []


def test_only_the_last_of_many_changes_is_checked(
    client: Client, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.diagnostics(uri)
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    for number in range(20):
        client.change(uri, f"debug={number}\n" + "foo=1\n" * number)
    assert len(client.diagnostics(uri)) == 19


def test_an_included_file_is_checked_with_its_script(client: Client, tmp_path: Path) -> None:
    (tmp_path / "openser.cfg").write_text(
        'loadmodule "sl.so"\ninclude_file "inner.cfg"\nroute { route(X); }\n'
    )
    inner = (tmp_path / "inner.cfg").as_uri()
    main = (tmp_path / "openser.cfg").as_uri()
    client.open(inner, 'route[X] { sl_send_reply("200", "OK"); }')
    assert client.diagnostics(inner) == []
    client.change(inner, "route[X] { sl_send_replies(); }")
    assert "did you mean" in client.diagnostics(inner)[0]["message"]
    found = client.at("references", inner, 0, 7, context={"includeDeclaration": True})
    assert {item["uri"] for item in found} == {inner, main}
    edits = client.at("rename", inner, 0, 7, newName="Y")["changes"]
    assert {address: lines(edit) for address, edit in edits.items()} == {inner: [1], main: [3]}
    client.notify("textDocument/didClose", textDocument={"uri": inner})


def test_completion_and_hover(client: Client, uri: str) -> None:
    found = client.at("completion", uri, *at(SCRIPT, "sl_se"))["items"]
    (reply,) = [item for item in found if item["label"] == "sl_send_reply"]
    assert reply["textEdit"]["range"]["start"] == {"line": 18, "character": 1}
    assert "fr_timer" in client.at("hover", uri, *at(SCRIPT, "fr_ti"))["contents"]["value"]
    assert client.at("hover", uri, 0, 0) is None


def test_names(client: Client, uri: str) -> None:
    place = at(SCRIPT, 'route("REL')
    assert lines(client.at("definition", uri, *place)) == [18]
    assert lines(client.at("references", uri, *place, context={"includeDeclaration": True})) == [14, 18, 23]
    assert lines(client.at("references", uri, *place, context={"includeDeclaration": False})) == [14, 23]
    prepared = client.at("prepareRename", uri, *place)
    assert prepared["placeholder"] == "RELAY"
    assert prepared["range"]["end"]["character"] - prepared["range"]["start"]["character"] == 5
    assert lines(client.at("rename", uri, *place, newName="OUT")["changes"][uri]) == [14, 18, 23]
    assert lines(client.at("rename", uri, *at(SCRIPT, '"$var(co'), newName="n")["changes"][uri]) == [10, 15]
    nothing = at(SCRIPT, "xlog(")
    assert client.at("definition", uri, *nothing) == []
    assert client.at("prepareRename", uri, *nothing) is None
    assert client.at("rename", uri, *nothing, newName="x") is None


def test_a_bad_new_name_is_refused(client: Client, uri: str) -> None:
    line, character = at(SCRIPT, 'route("REL')
    where = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
    answer = client.ask("textDocument/rename", {**where, "newName": "a b"})
    assert '"a b" is no name' in answer["error"]["message"]


def test_outline_and_layout(client: Client, uri: str) -> None:
    symbols = client.request("textDocument/documentSymbol", textDocument={"uri": uri})
    assert [symbol["name"] for symbol in symbols][-3:] == ["route", "route[RELAY]", "failure_route[BUSY]"]
    options = {"textDocument": {"uri": uri}, "options": {"tabSize": 4, "insertSpaces": False}}
    assert client.request("textDocument/formatting", **options) == []
    client.change(uri, SCRIPT.replace("\t", "   "))
    (edit,) = client.request("textDocument/formatting", **options)
    assert edit["newText"] == SCRIPT
    assert edit["range"]["end"] == {"line": SCRIPT.count("\n"), "character": 0}
    client.change(uri, "route {")
    assert client.request("textDocument/formatting", **options) is None
    assert client.shown[-1].startswith("not formatted: line 1: ")


def test_a_text_in_no_file(client: Client) -> None:
    client.open("untitled:Untitled-1", "debug=3")
    assert client.diagnostics("untitled:Untitled-1") == []
    assert client.at("hover", "untitled:Untitled-1", 0, 2)["contents"]["value"].startswith(
        "```openser\ndebug="
    )
    assert path_of("untitled:Untitled-1") == "untitled:Untitled-1"


def test_a_module_that_raises_is_told(client: Client, tmp_path: Path) -> None:
    (tmp_path / "spoilt.py").write_text(
        "from openpy.engine.module import Module\n\n\nclass Spoilt(Module):\n    name = 'spoilt'\n\n"
        "    def check(self):\n        raise ZeroDivisionError('a bug')\n"
    )
    uri = (tmp_path / "a.cfg").as_uri()
    client.open(uri, f'mpath="{tmp_path}"\nloadmodule "spoilt.so"')
    client.change(uri, "debug=3")
    while client.diagnostics(uri):
        pass
    client.change(uri, f'mpath="{tmp_path}"\nloadmodule "spoilt.so"\n')
    while not client.shown:
        client.next()
    assert client.shown == [f"{tmp_path}/a.cfg cannot be checked: ZeroDivisionError: a bug"]


def test_nothing_else_is_written_to_stdout(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Fake:
        def start_io(self, stdin: object, stdout: object) -> None:
            print("what a module prints")

    monkeypatch.setattr(module, "make_server", Fake)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    module.serve()
    assert capfd.readouterr() == ("", "what a module prints\n")
