from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from openpy.cli import publish
from openpy.cli.openpyctl import main
from openpy.transaction.timers import TimerValues
from tests.cli.desk import CHALLENGE, Desk, credentials_are, cseqs, interrupt
from tests.scenarios.conftest import launcher
from tests.scenarios.process import ROOT
from tests.scenarios.wire import Phone, SipMessage

Output = pytest.CaptureFixture[str]


def accept(desk: Desk, request: SipMessage, expires: str = "") -> None:
    desk.answer(
        request,
        200,
        "OK",
        f"SIP-ETag: tag{len(desk.requests)}",
        f"Expires: {expires or request.get('Expires')}",
    )


def refuse(status: int, reason: str) -> Callable[[Desk, SipMessage], None]:
    return lambda desk, request: desk.answer(request, status, reason)


def test_once_publishes_and_leaves_it(capsys: Output) -> None:
    with Desk(accept) as desk:
        assert (
            main(["publish", desk.uri, "closed", "--note", "Gone <home>", "--once", "--expires", "90"]) == 0
        )
    assert capsys.readouterr().out == "200 OK  initial  for 90 s  tag tag1\n"
    (request,) = desk.requests
    assert request.start == f"PUBLISH {desk.uri} SIP/2.0"
    assert (request.get("Event"), request.get("Content-Type")) == ("presence", "application/pidf+xml")
    assert request.get("From").startswith("<sip:alice@127.0.0.1>")
    assert b"<basic>closed</basic>" in request.body
    assert b"<note>Gone &lt;home&gt;</note>" in request.body


def test_json(capsys: Output) -> None:
    with Desk(accept) as desk:
        assert main(["publish", desk.uri, "--once", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"status": 200, "etag": "tag1", "expires": 600}


def test_a_body_from_a_file_another_sender_and_a_proxy(tmp_path: Path) -> None:
    path = tmp_path / "state.xml"
    path.write_bytes(b"<presence/>")
    with Desk(accept) as desk:
        proxy = f"127.0.0.1:{desk.port}"
        options = ["--body", str(path), "--from", "sip:boss@example.org", "--proxy", proxy, "--once"]
        assert main(["publish", "sip:alice@example.org", *options]) == 0
    assert desk.requests[0].start == "PUBLISH sip:alice@example.org SIP/2.0"
    assert desk.requests[0].get("From").startswith("<sip:boss@example.org>")
    assert desk.requests[0].body == b"<presence/>"


def test_a_body_that_cannot_be_read_or_made_is_status_2(tmp_path: Path, capsys: Output) -> None:
    missing = tmp_path / "missing.xml"
    assert main(["publish", "sip:alice@127.0.0.1:9", "--body", str(missing)]) == 2
    assert capsys.readouterr().err == f"openpyctl: {missing}: No such file or directory\n"
    assert main(["publish", "sip:alice@127.0.0.1:9", "--note", "\x01"]) == 2
    assert "--note" in capsys.readouterr().err


def test_it_refreshes_and_removes_at_the_end(capsys: Output) -> None:
    def play(desk: Desk, request: SipMessage) -> None:
        accept(desk, request, "1" if len(desk.requests) < 3 else "")
        if len(desk.requests) == 2:
            interrupt()

    with Desk(play) as desk:
        assert main(["publish", desk.uri, "--json"]) == 0
    first, refresh, removal = desk.requests
    assert (refresh.get("SIP-If-Match"), refresh.body) == ("tag1", b"")
    assert (removal.get("SIP-If-Match"), removal.get("Expires"), removal.body) == ("tag2", "0", b"")
    assert {request.get("Call-ID") for request in desk.requests} == {first.get("Call-ID")}
    assert cseqs(desk.requests) == [1, 2, 3]
    output = capsys.readouterr()
    assert [json.loads(line)["expires"] for line in output.out.splitlines()] == [1, 1, 0]
    assert output.err == ""


def test_a_refresh_that_is_refused_is_tried_again(capsys: Output) -> None:
    def play(desk: Desk, request: SipMessage) -> None:
        if len(desk.requests) == 2:
            desk.answer(request, 503, "Service Unavailable")
            return
        accept(desk, request, "5" if len(desk.requests) == 1 else "")
        if len(desk.requests) == 3:
            interrupt()

    with Desk(play) as desk:
        assert main(["publish", desk.uri]) == 0
    output = capsys.readouterr()
    assert "refresh: refused: 503 Service Unavailable; tried again later" in output.err
    assert output.out.splitlines()[1:] == ["200 OK  refresh  for 600 s  tag tag3", "removed"]


def test_a_state_that_the_server_forgot_counts_as_removed(capsys: Output) -> None:
    def play(desk: Desk, request: SipMessage) -> None:
        if request.get("Expires") == "0":
            desk.answer(request, 412, "Conditional Request Failed")
        else:
            accept(desk, request)
            interrupt()

    with Desk(play) as desk:
        assert main(["publish", desk.uri]) == 0
    assert capsys.readouterr().out.endswith("\nremoved\n")


def test_a_removal_without_an_answer(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    def play(desk: Desk, request: SipMessage) -> None:
        if request.get("Expires") != "0":
            accept(desk, request)
            interrupt()

    monkeypatch.setattr(publish, "GOODBYE", 0.2)
    with Desk(play) as desk:
        assert main(["publish", desk.uri]) == 0
    assert "the state is left to expire" in capsys.readouterr().err


def test_refused_is_status_1(capsys: Output) -> None:
    with Desk(refuse(403, "Forbidden")) as desk:
        assert main(["publish", desk.uri]) == 1
    assert capsys.readouterr().err == "openpyctl: refused: 403 Forbidden\n"


def test_no_answer_is_status_3(capsys: Output) -> None:
    with Desk(lambda desk, request: None) as desk:
        assert main(["publish", desk.uri], TimerValues(t1=0.05, give_up=0.6)) == 3
    assert len(desk.requests) > 1  # retransmitted until Timer F
    assert capsys.readouterr().err == "openpyctl: no answer\n"


@pytest.mark.parametrize("given", ["option", "environment"])
def test_a_challenge_is_answered(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def play(desk: Desk, request: SipMessage) -> None:
        if not request.get("Authorization"):
            desk.answer(request, 401, "Unauthorized", CHALLENGE)
        elif credentials_are(request, "ann", "s3cret"):
            accept(desk, request)
        else:
            desk.answer(request, 403, "Forbidden")

    options = ["--user", "ann"]
    if given == "option":
        options += ["--password", "s3cret"]
    else:
        monkeypatch.setenv("OPENPY_PASSWORD", "s3cret")
    with Desk(play) as desk:
        assert main(["publish", desk.uri, "--once", *options]) == 0
    assert cseqs(desk.requests) == [1, 2]


def test_a_challenge_without_an_account_is_a_refusal(capsys: Output) -> None:
    with Desk(lambda desk, request: desk.answer(request, 401, "Unauthorized", CHALLENGE)) as desk:
        assert main(["publish", desk.uri]) == 1
    assert capsys.readouterr().err == "openpyctl: refused: 401 Unauthorized\n"


@pytest.mark.scenario
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_server_tells_watchers_and_forgets_at_the_end(transport: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = launcher(tmp_path, stack)()
        watcher = stack.enter_context(Phone(server.address))
        uri = f"sip:alice@127.0.0.1:{server.ports[transport]};transport={transport}"
        dialog, _ = watcher.watch("sip:alice@127.0.0.1")
        command = [sys.executable, "-m", "openpy.cli.openpyctl", "publish", uri, "open", "--note", "here"]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as publisher:
            told = watcher.notify(dialog).body
            assert b"<basic>open</basic>" in told
            assert b"<note>here</note>" in told
            publisher.send_signal(signal.SIGINT)
            assert b"<basic>closed</basic>" in watcher.notify(dialog).body
            output, _ = publisher.communicate(timeout=10)
        assert publisher.returncode == 0
        assert output.splitlines()[-1] == b"removed"
