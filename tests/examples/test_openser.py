"""The scripts openser.cfg and openser-full.cfg of examples/, served to phones over real sockets.

What each of their blocks does is tested beside them, in virtual time.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from openpy.sip.digest import authorize, parse_challenge
from tests.conftest import ROOT
from tests.scenarios.layered import TlsPhone
from tests.scenarios.process import Launch, ServerProcess
from tests.scenarios.wire import Phone, SipMessage, TcpPhone, parse, pidf

pytestmark = pytest.mark.scenario

SCRIPT = (ROOT / "examples" / "openser.cfg").read_text()
ALICE, BOB = "sip:alice@example.com", "sip:bob@example.com"


def register(phone: Phone, *headers: str, uri: str = BOB) -> SipMessage:
    given = [f"Contact: <{phone.contact}>", "Expires: 600", *headers]
    return phone.request("REGISTER", "sip:example.com", to=f"<{uri}>", from_uri=uri, headers=given)


def ring(caller: Phone, callee: Phone, *headers: str) -> tuple[bytes, SipMessage]:
    """An INVITE, and what the callee's phone gets of it, with the tag that it answers with."""
    given = [f"Contact: <{caller.contact}>", *headers]
    data = caller.build("INVITE", BOB, from_uri=ALICE, headers=given)
    caller.send(data)
    invite = callee.await_message(lambda m: m.method == "INVITE")
    invite.headers = [
        (name, f"{value};tag=callee" if name == "To" else value) for name, value in invite.headers
    ]
    return data, invite


def in_dialog(phone: Phone, method: str, invite: bytes, answer: SipMessage, cseq: int) -> bytes:
    """A further request of the caller."""
    asked = parse(invite)
    return phone.build(
        method,
        answer.get("Contact").strip("<>"),
        to=answer.get("To"),
        from_tag=asked.get("From").partition("tag=")[2],
        from_uri=ALICE,
        call_id=asked.get("Call-ID"),
        cseq=cseq,
        headers=[f"Route: {route}" for route in reversed(answer.all("Record-Route"))],
    )


def table(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def server(launch: Launch) -> ServerProcess:
    return launch(SCRIPT)


@pytest.fixture
def phone(server: ServerProcess) -> Iterator[Callable[[str], Phone]]:
    """Make phones that talk to the server by UDP."""
    with ExitStack() as stack:
        yield lambda user: stack.enter_context(Phone(server.address, user))


def test_a_call_by_udp_from_its_begin_to_its_end(
    server: ServerProcess, phone: Callable[[str], Phone]
) -> None:
    alice, bob = phone("alice"), phone("bob")
    assert register(bob).status == 200
    data, invite = ring(alice, bob)
    bob.answer(invite, 180, "Ringing", [f"Record-Route: {invite.get('Record-Route')}"])
    bob.answer(
        invite, 200, "OK", [f"Contact: <{bob.contact}>", f"Record-Route: {invite.get('Record-Route')}"]
    )
    answer = alice.final_reply(parse(data))
    assert answer.get("Record-Route") == f"<sip:127.0.0.1:{server.ports['udp']};lr=on>"

    alice.send(in_dialog(alice, "ACK", data, answer, 1))
    bob.await_message(lambda m: m.method == "ACK")

    bye = in_dialog(alice, "BYE", data, answer, 2)
    alice.send(bye)
    bob.answer(bob.await_message(lambda m: m.method == "BYE"))
    assert alice.final_reply(parse(bye)).status == 200
    for text in (
        "transaction answered",
        "request acknowledged",
        "method=BYE",
        f"new branch at {bob.contact}",
    ):
        server.await_log(text)


def test_a_callee_by_tcp_is_busy(server: ServerProcess, phone: Callable[[str], Phone]) -> None:
    alice = phone("alice")
    with TcpPhone(server.tcp_address, "bob") as bob:
        assert register(bob).status == 200
        data, invite = ring(alice, bob)
        assert len(invite.all("Record-Route")) == 2  # UDP on one side, TCP on the other
        bob.answer(invite, 486, "Busy Here")
        assert alice.final_reply(parse(data)).status == 486
        bob.await_message(lambda m: m.method == "ACK")
    server.await_log("call missed")


def test_presence_is_seen(server: ServerProcess, phone: Callable[[str], Phone]) -> None:
    alice, bob = phone("alice"), phone("bob")
    dialog, _ = bob.watch(ALICE)
    assert alice.publish(ALICE, pidf(note="Lunch")).status == 200
    assert b"Lunch" in bob.notify(dialog).body
    _, refreshed = bob.subscribe(ALICE, dialog=dialog)
    assert refreshed.status == 200


def test_neither_a_registration_nor_a_subscription_is_lost_with_the_server(
    server: ServerProcess, phone: Callable[[str], Phone]
) -> None:
    alice, bob = phone("alice"), phone("bob")
    assert register(bob).status == 200
    dialog, _ = bob.watch(ALICE)
    server.kill()
    server.start()
    _, invite = ring(alice, bob)
    bob.answer(invite, 603, "Decline")
    assert alice.publish(ALICE, pidf(note="Back")).status == 200
    bob.told(dialog, b"Back")


def test_what_is_kept_is_in_the_database_that_it_names(
    server: ServerProcess, phone: Callable[[str], Phone], folder: Path
) -> None:
    bob = phone("bob")
    register(bob)
    bob.publish(BOB, pidf())
    path = folder / "var" / "openpy.sqlite"
    assert table(path, "SELECT username, contact FROM location") == [("bob", bob.contact)]
    assert table(path, "SELECT username FROM presentity") == [("bob",)]


def test_management_commands_have_a_fifo(server: ServerProcess, folder: Path) -> None:
    assert (folder / "var" / "openser_fifo").is_fifo()


# --- with all blocks on -----------------------------------------------------------------------------------------


@pytest.fixture
def full(certified: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(certified / "openser-full.cfg", listen=("udp", "tcp", "tls")).start()
    with (
        closing(sqlite3.connect(certified / "var" / "openpy-full.sqlite", timeout=5)) as connection,
        connection,
    ):
        for user in ("alice", "bob"):
            connection.execute(
                "INSERT INTO subscriber (username, domain, password) VALUES (?, 'example.com', 'secret')",
                (user,),
            )
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def proved(phone: Phone, method: str, uri: str, user: str, *headers: str, to: str = "") -> bytes:
    """A request of a user that answers the challenge to an earlier one."""
    own = f"sip:{user}@example.com"
    given = [f"Contact: <{phone.contact}>", *headers]
    asked = phone.request(method, uri, to=to, from_uri=own, headers=given)
    kind, name = (
        ("WWW-Authenticate", "Authorization")
        if asked.status == 401
        else ("Proxy-Authenticate", "Proxy-Authorization")
    )
    challenge = parse_challenge(asked.get(kind))
    answer = authorize(challenge, method=method, uri=uri, username=user, password="secret", cnonce="c")
    return phone.build(method, uri, to=to, from_uri=own, headers=[*given, f"{name}: {answer}"])


def registered(phone: Phone, user: str) -> SipMessage:
    data = proved(phone, "REGISTER", "sip:example.com", user, to=f"<sip:{user}@example.com>")
    phone.send(data)
    return phone.final_reply(parse(data))


def test_who_has_a_password_registers_by_tls_and_is_called(full: ServerProcess, certified: Path) -> None:
    ca = str(certified / "var" / "tls" / "ca.pem")
    with (
        Phone(full.address, "alice") as alice,
        TlsPhone((full.host, full.ports["tls"]), ca) as bob,
    ):
        assert registered(bob, "bob").status == 200
        data = proved(alice, "INVITE", BOB, "alice")
        alice.send(data)
        invite = bob.await_message(lambda m: m.method == "INVITE")
        assert not invite.get("Proxy-Authorization")
        bob.answer(invite, 480, "Temporarily Unavailable")
        assert alice.final_reply(parse(data)).status == 480
    deadline = time.monotonic() + 5
    path = certified / "var" / "openpy-full.sqlite"
    while not (missed := table(path, "SELECT method, sip_code FROM missed_calls")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert missed == [("INVITE", "480")]


def test_what_follows_a_question_to_the_database_is_committed_on_a_quiet_server(full: ServerProcess) -> None:
    """Nothing else comes that would end a burst."""
    with Phone(full.address, "bob") as bob:
        assert registered(bob, "bob").status == 200
        data = proved(bob, "SUBSCRIBE", ALICE, "bob", "Event: presence", "Expires: 60")
        bob.send(data)
        assert bob.final_reply(parse(data)).status == 200
