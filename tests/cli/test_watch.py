from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from openpy.cli import watch
from openpy.cli.openpyctl import main
from openpy.cli.watch import as_json, as_text, basic_and_note
from openpy.transaction.timers import TimerValues
from openpy.useragent import subscription
from openpy.useragent.subscription import NotifyState
from tests.authority import Authority
from tests.cli.desk import CHALLENGE, Desk, credentials_are, interrupt
from tests.scenarios.conftest import Launch, launcher
from tests.scenarios.process import ROOT
from tests.scenarios.scripts import presence_script
from tests.scenarios.wire import Phone, SipMessage, pidf

SECURED = """\
tls_certificate="{own.certificate}"
tls_private_key="{own.key}"
tls_require_client_certificate=no
ws_path="/sip"
"""

Output = pytest.CaptureFixture[str]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    with ExitStack() as stack:
        yield launcher(tmp_path, stack)


def tell(state: str, *headers: str, body: bytes = b"") -> Callable[[Desk, SipMessage], None]:
    """Accept each SUBSCRIBE and tell a state, or the end to one that unsubscribes."""

    def play(desk: Desk, request: SipMessage) -> None:
        desk.accept(request)
        ends = request.get("Expires") == "0"
        desk.notify(request, "terminated;reason=timeout" if ends else state, *headers, body=body)

    return play


# --- one state ------------------------------------------------------------------------------------------------


def test_once_shows_the_first_state_and_unsubscribes(capsys: Output) -> None:
    with Desk(tell("active;expires=600", body=pidf(note="In a meeting"))) as desk:
        assert main(["watch", desk.uri, "--once"]) == 0
    output = capsys.readouterr()
    assert output.out[8:] == '  presence  active      open  "In a meeting"\n'
    assert output.err == ""
    first, last = desk.requests
    assert (first.get("Event"), first.get("Expires")) == ("presence", "600")
    assert first.get("Accept") == "application/pidf+xml"
    assert first.get("From").startswith("<sip:watcher@127.0.0.1>")
    assert last.get("Expires") == "0"
    assert {reply.status for reply in desk.replies} == {200}


def test_json_has_all_of_a_state(capsys: Output) -> None:
    body = pidf(basic="closed", note="gone")
    with Desk(tell("pending;expires=60", body=body)) as desk:
        assert main(["watch", desk.uri, "--once", "--json", "--expires", "60"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert abs(shown.pop("time") - time.time()) < 10
    assert shown == {
        "event": "presence",
        "state": "pending",
        "reason": "",
        "expires": 60,
        "basic": "closed",
        "note": "gone",
        "content_type": "application/pidf+xml",
        "body": body.decode(),
    }


def test_another_event_from_somebody_else() -> None:
    with Desk(lambda desk, request: desk.answer(request, 489, "Bad Event")) as desk:
        options = ["--event", "message-summary", "--from", "sip:boss@example.org"]
        assert main(["watch", desk.uri, *options]) == 1
    (request,) = desk.requests
    assert (request.get("Event"), request.get("Accept")) == ("message-summary", "")
    assert request.get("From").startswith("<sip:boss@example.org>")


# --- how it ends ----------------------------------------------------------------------------------------------


def test_ctrl_c_is_silent(capsys: Output) -> None:
    def play(desk: Desk, request: SipMessage) -> None:
        tell("active")(desk, request)
        if len(desk.requests) == 1:
            time.sleep(0.2)
            interrupt()

    with Desk(play) as desk:
        assert main(["watch", desk.uri]) == 0
    output = capsys.readouterr()
    assert output.out[8:] == "  presence  active      no state\n"
    assert output.err == ""
    assert desk.requests[-1].get("Expires") == "0"


@pytest.mark.parametrize("refusal", [(403, "Forbidden"), (604, "Does Not Exist Anywhere")])
def test_refused_is_status_1(refusal: tuple[int, str], capsys: Output) -> None:
    with Desk(lambda desk, request: desk.answer(request, *refusal)) as desk:
        assert main(["watch", desk.uri]) == 1
    assert capsys.readouterr().err == f"openpyctl: refused: {refusal[0]} {refusal[1]}\n"


def test_rejected_by_the_presentity_is_status_1(capsys: Output) -> None:
    with Desk(tell("terminated;reason=rejected")) as desk:
        assert main(["watch", desk.uri]) == 1
    output = capsys.readouterr()
    assert output.err == "openpyctl: refused: rejected\n"
    assert output.out.endswith("terminated  no state  (rejected)\n")


def test_the_end_of_the_resource_is_status_0() -> None:
    with Desk(tell("terminated;reason=noresource")) as desk:
        assert main(["watch", desk.uri]) == 0


def test_no_answer_is_status_3(capsys: Output) -> None:
    with Desk(lambda desk, request: None) as desk:
        assert main(["watch", desk.uri], TimerValues(t1=0.05, give_up=0.6)) == 3
    assert capsys.readouterr().err == "openpyctl: no answer\n"


def test_no_notify_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "_TIMER_N", 0.3)
    with Desk(lambda desk, request: desk.accept(request)) as desk:
        assert main(["watch", desk.uri]) == 3


def test_a_subscription_that_the_server_ends_is_begun_anew(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    def play(desk: Desk, request: SipMessage) -> None:
        tell("active" if len(desk.requests) > 1 else "terminated;reason=deactivated")(desk, request)
        if len(desk.requests) == 2:
            time.sleep(0.2)
            interrupt()

    monkeypatch.setattr(watch, "PAUSE", 0.1)
    with Desk(play) as desk:
        assert main(["watch", desk.uri]) == 0
    assert desk.requests[0].get("Call-ID") != desk.requests[1].get("Call-ID")
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()] == ["terminated", "active"]


def test_ctrl_c_while_it_waits_to_begin_anew() -> None:
    def play(desk: Desk, request: SipMessage) -> None:
        tell("terminated;reason=probation;retry-after=30")(desk, request)
        time.sleep(0.2)
        interrupt()

    with Desk(play) as desk:
        assert main(["watch", desk.uri]) == 0


def test_a_challenge_is_answered(capsys: Output) -> None:
    def play(desk: Desk, request: SipMessage) -> None:
        if request.get("Authorization") and credentials_are(request, "ann", "s3cret"):
            tell("active")(desk, request)
        else:
            desk.answer(request, 401, "Unauthorized", CHALLENGE)

    account = ["--user", "ann", "--password"]
    with Desk(play) as desk:
        assert main(["watch", desk.uri, "--once", *account, "s3cret"]) == 0
    with Desk(play) as desk:
        assert main(["watch", desk.uri, "--once", *account, "wrong"]) == 1
    assert capsys.readouterr().err == "openpyctl: refused: 401 Unauthorized\n"


# --- against a server -----------------------------------------------------------------------------------------


class Command:
    """openpyctl watch --json as a process."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "openpy.cli.openpyctl", "watch", *arguments, "--json"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def state(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        state = json.loads(self.process.stdout.readline())
        assert isinstance(state, dict)
        return state

    def end(self) -> tuple[int, bytes]:
        """Ctrl-C; returns the exit status and what else was printed."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=10)
        return self.process.returncode, out + err

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@pytest.mark.scenario
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_it_goes_on_when_the_server_is_killed_and_started_again(transport: str, launch: Launch) -> None:
    server = launch()
    uri = f"sip:alice@127.0.0.1:{server.ports[transport]}"
    with Phone(server.address) as phone, Command(uri, "--transport", transport) as command:
        assert command.state()["body"] == ""
        phone.publish("sip:alice@127.0.0.1", pidf(note="before"))
        assert command.state()["note"] == "before"
        server.kill()
        server.start()
        if transport == "tcp":
            assert command.state()["note"] == "before"  # it has connected again, and refreshed
        phone.publish("sip:alice@127.0.0.1", pidf(note="after"))
        assert command.state()["note"] == "after"
        assert command.end() == (0, b"")


@pytest.mark.scenario
@pytest.mark.parametrize("transport", ["tls", "ws", "wss"])
def test_it_comes_back_to_a_server_by_any_transport(
    transport: str, launch: Launch, authority: Authority
) -> None:
    script = SECURED.format(own=authority.of("localhost", "127.0.0.1"))
    server = launch(script + presence_script(), listen=("udp", transport))
    options = ["--transport", transport]
    options += ["--ca", authority.ca] if transport != "ws" else []
    options += ["--path", "/sip"] if transport != "tls" else []
    uri = f"sip:alice@127.0.0.1:{server.ports[transport]}"
    with Phone(server.address) as phone, Command(uri, *options) as command:
        assert command.state()["body"] == ""
        phone.publish("sip:alice@127.0.0.1", pidf(note="before"))
        assert command.state()["note"] == "before"
        server.kill()
        server.start()
        assert command.state()["note"] == "before"
        assert command.end() == (0, b"")


@pytest.mark.scenario
def test_a_server_that_shows_a_certificate_of_strangers(launch: Launch, authority: Authority) -> None:
    script = SECURED.format(own=authority.of("elsewhere.example"))
    server = launch(script + presence_script(), listen=("udp", "tls"))
    uri = f"sip:alice@127.0.0.1:{server.ports['tls']}"
    for more, why in (
        ([], b"the certificate is refused"),
        (["--ca", authority.ca], b"the certificate is refused: IP address mismatch"),
    ):
        with Command(uri, "--transport", "tls", *more) as command:
            assert command.process.wait(10) == 3
            assert command.process.stderr is not None
            assert why in command.process.stderr.read()


@pytest.mark.scenario
def test_a_server_that_asks_for_a_certificate(launch: Launch, authority: Authority) -> None:
    own, mine = authority.of("localhost", "127.0.0.1"), authority.of("client.example")
    script = SECURED.format(own=own).replace("certificate=no", "certificate=yes")
    server = launch(f'tls_ca_list="{authority.ca}"\n{script}{presence_script()}', listen=("udp", "tls"))
    uri = f"sip:alice@127.0.0.1:{server.ports['tls']}"
    options = [
        "--transport",
        "tls",
        "--ca",
        authority.ca,
        "--certificate",
        mine.certificate,
        "--key",
        mine.key,
    ]
    with Command(uri, *options) as command:
        assert command.state()["state"] == "active"
        assert command.end() == (0, b"")


@pytest.mark.scenario
def test_a_reader_that_goes_away_ends_it_without_a_word(launch: Launch) -> None:
    server = launch()
    with Phone(server.address) as phone, Command(f"sip:alice@127.0.0.1:{server.ports['udp']}") as command:
        command.state()
        assert command.process.stdout is not None
        command.process.stdout.close()
        phone.publish("sip:alice@127.0.0.1", pidf())
        assert command.process.wait(10) == 0
        assert command.process.stderr is not None
        assert command.process.stderr.read() == b""


# --- how states look ------------------------------------------------------------------------------------------


def state(**parts: Any) -> NotifyState:
    plain: dict[str, Any] = {
        "time": 0.0,
        "event": "presence",
        "state": "active",
        "reason": "",
        "expires": 60,
        "content_type": "application/pidf+xml",
        "body": b"",
    }
    return NotifyState(**(plain | parts))


def test_a_body_that_is_no_presence_document() -> None:
    assert basic_and_note(b"no XML") == ("", "")
    assert basic_and_note(b"<other/>") == ("", "")
    other = state(content_type="text/plain", body=b"hello \xff")
    assert as_text(other).endswith("  active      text/plain")
    assert json.loads(as_json(other))["body"] == "hello \ufffd"
