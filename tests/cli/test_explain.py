from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openpy.cli import explain, openpy
from openpy.engine.waiting import Wait
from openpy.testing.server import VirtualServer
from tests.engine.kit import request

GOLDEN = sorted((Path(__file__).parent / "explained").glob("*.golden"))
SCRIPT = 'loadmodule "sl.so"\nloadmodule "textops.so"\nroute {\n\tsl_send_reply("200", "OK");\n}\n'


def parts(text: str) -> dict[str, str]:
    """The parts of a file, each behind a line `--- name`."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("--- "):
            lines = found.setdefault(line[4:].strip(), [])
        else:
            lines.append(line)
    return {name: "".join(lines) for name, lines in found.items()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "openser.cfg").write_text(SCRIPT)
    (tmp_path / "message.sip").write_bytes(request("INFO"))
    return tmp_path


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_listings(path: Path, folder: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = parts(path.read_text())
    script = found["script"] if "script" in found else (root / found["example"].strip()).read_text()
    (folder / "openser.cfg").write_text(script)
    (folder / "message.sip").write_text(found["message"])
    assert openpy.main(["explain", "openser.cfg", "message.sip"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out == found["listing"]
    assert max(len(line) for line in told.out.splitlines()) <= 100


def test_the_example_of_the_manual(folder: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = (root / "docs" / "explain.md").read_text().split("```")[1::2]
    script, message, command, listing = (block.partition("\n")[2] for block in blocks[:4])
    (folder / "openser.cfg").write_text(script)
    (folder / "message.sip").write_text(message)
    words = command.split()
    assert words[:2] == ["openpy", "explain"]
    assert openpy.main(words[1:]) == 0
    assert capsys.readouterr().out == listing


def explained(capsys: pytest.CaptureFixture[str], *more: str) -> Any:
    assert explain.main(["openser.cfg", "message.sip", "--json", *more]) == 0
    return json.loads(capsys.readouterr().out)


def test_json(folder: Path, capsys: pytest.CaptureFixture[str], root: Path) -> None:
    found = explained(capsys)
    assert list(found) == ["script", "remarks", "trace", "log", "sent"]
    assert found["script"] == "openser.cfg"
    assert [event["event"] for event in found["trace"]["events"]] == ["route", "statement", "sent", "call"]
    assert [event["start"] for event in found["sent"]] == ["SIP/2.0 200 OK"]
    manual = (root / "docs" / "explain.md").read_text()
    names = {*found, *found["trace"], *found["trace"]["message"], *found["sent"][0]}
    names |= {name for event in found["trace"]["events"] for name in event}
    assert [name for name in sorted(names) if f"`{name}`" not in manual] == []


def test_where_the_message_comes_from(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(capsys)["trace"]["message"]["from"] == "udp:192.0.2.1:5060"
    found = explained(capsys, "--from", "tcp:192.0.2.7:5099")
    assert found["trace"]["message"]["from"] == "tcp:192.0.2.7:5099"
    assert explained(capsys, "--from", "192.0.2.8")["trace"]["message"]["from"] == "udp:192.0.2.8:5060"


def test_a_mistake_in_an_included_file_is_shown_with_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "openser.cfg").write_text('# one\ninclude_file "more.cfg"\nroute { drop; }\n')
    (folder / "more.cfg").write_text("route[1] { nonsense(); }\n")
    assert explain.main(["openser.cfg", "message.sip"]) == 255
    assert capsys.readouterr().err.splitlines()[1] == "    route[1] { nonsense(); }"


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"rubbish\r\n\r\n", "the message is refused before it: Malformed start line"),
        (b"SIP/2.0 200 OK\r\n\r\n", "the message is refused before it: Missing Via"),
        (b"INFO sip:x SIP/2.0\r\n\r\n", "the message is refused before it: Missing Via"),
    ],
)
def test_why_the_script_did_not_run(
    message: bytes, why: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "message.sip").write_bytes(message)
    assert explained(capsys)["remarks"][-1] == f"the script did not run: {why}"


def test_a_reply_that_the_script_does_not_ask_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reply = request("INFO").replace(b"INFO sip:bob@example.com SIP/2.0", b"SIP/2.0 200 OK", 1)
    (folder / "message.sip").write_bytes(reply)
    why = "the message was dealt with before it"
    assert explained(capsys)["remarks"][-1] == f"the script did not run: {why}"


def test_names_that_the_command_line_defines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "#!ifdef LOUD\nroute { log(1, WORD); drop; }\n#!else\nroute { drop; }\n#!endif\n"
    (folder / "openser.cfg").write_text(text)
    assert explained(capsys)["trace"]["events"][0]["line"] == 4
    assert explained(capsys, "-A", "LOUD", "-A", 'WORD="hi"')["trace"]["events"][0]["line"] == 2


def test_a_message_from_stdin(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(request("PING")))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert explain.main(["openser.cfg", "-"]) == 0
    assert capsys.readouterr().out.startswith("PING sip:bob@example.com")


def test_parameters_in_place_of_the_scripts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "openser.cfg").write_text('loadmodule "tm.so"\nroute { ; }\n')
    found = explained(capsys, "--param", "tm.fr_timer=7")
    assert "tm.fr_timer was 7, whatever the script says" in found["remarks"]


REFUSED = [
    (["openser.cfg", "message.sip", "--param", "tm.x=1"], "the script does not load tm"),
    (["openser.cfg", "message.sip", "--param", "sl.x=1"], "there is no parameter x in sl"),
    (["openser.cfg", "message.sip", "--param", "sl.enable_stats=many"], "takes a number"),
    (["openser.cfg", "empty.sip"], "empty.sip: there is no message in it"),
    (["openser.cfg", "no.sip"], "no.sip: No such file"),
    (["no.cfg", "message.sip"], "no.cfg: No such file"),
    (["bad.cfg", "message.sip"], "unknown command nothing()"),
    (["needs.cfg", "message.sip"], "no fifo configured"),
]


@pytest.mark.parametrize(("words", "complaint"), REFUSED)
def test_what_cannot_be_explained(
    words: list[str], complaint: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "empty.sip").write_text("\n")
    (folder / "bad.cfg").write_text("route { nothing(); }\n")
    (folder / "needs.cfg").write_text('loadmodule "mi_fifo.so"\nroute { ; }\n')
    assert explain.main(words) == 255
    told = capsys.readouterr()
    assert complaint in told.err
    assert told.out == ""


def test_a_module_that_does_not_fit_its_new_parameter(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "openser.cfg").write_text('loadmodule "tm.so"\nroute { ; }\n')
    assert explain.main(["openser.cfg", "message.sip", "--param", "tm.T1_timer=9999"]) == 255
    assert "T2 must be greater than T1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        *(["--from", sender] for sender in ("nowhere:x", "example.com", "sctp:192.0.2.1", "tls:192.0.2.1")),
        ["--param", "tm"],
        ["--param", "tm=1"],
    ],
)
def test_usage(words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        explain.main(["openser.cfg", "message.sip", *words])
    assert ended.value.code == 2
    assert "write" in capsys.readouterr().err


def test_colours_are_for_terminals(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert explain.main(["openser.cfg", "message.sip"]) == 0
    assert "\x1b[32m" in capsys.readouterr().out


WAITS = """
loadmodule "sl.so"
loadmodule "tm.so"
route { t_relay(); }
"""


def test_a_route_that_waits_for_what_never_comes(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "openser.cfg").write_text(WAITS)
    (folder / "message.sip").write_bytes(request("INFO", "sip:x@192.0.2.9;transport=tcp"))
    monkeypatch.setattr(VirtualServer, "connect", lambda *_: Wait())
    found = explained(capsys)
    assert found["trace"] is None
    assert "the route still waited for something after" in found["remarks"][-1]


def test_what_is_logged_before_and_behind_the_route(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = SCRIPT.replace("sl_send", 'xlog("inside"); sl_send').replace(
        "route", 'loadmodule "xlog.so"\nroute', 1
    )
    (folder / "openser.cfg").write_text("debug=4\n" + body)
    found = explained(capsys)
    texts = [event["text"] for event in found["trace"]["events"] if event["event"] == "log"]
    assert texts == ["inside"]


def test_a_reader_that_is_gone(folder: Path, root: Path) -> None:
    code = (
        "import os, sys; from openpy.cli import explain; r, w = os.pipe(); os.dup2(w, 1); os.close(r); "
        "sys.exit(explain.main(['openser.cfg', 'message.sip']))"
    )
    environment = {**os.environ, "PYTHONPATH": str(root)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
