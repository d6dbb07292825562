"""Calls between real phones, baresip and pjsua2, through proxy.cfg, and what is accounted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.interop.baresip import BARESIP, Baresip
from tests.interop.device import PATIENCE, Account, Device, Happening, password_of
from tests.interop.pjsua import HAS_PJSUA, Pjsua
from tests.scenarios.database import rows
from tests.scenarios.process import ServerProcess

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.skipif(BARESIP is None, reason="baresip is not installed"),
    pytest.mark.skipif(not HAS_PJSUA, reason="pjsua2 is not installed"),
]

PhoneMaker = Callable[..., Device]
KINDS: dict[str, Callable[[Account, Path], Device]] = {"baresip": Baresip, "pjsua2": Pjsua}
BOTH_WAYS = pytest.mark.parametrize(("calling", "called"), [("baresip", "pjsua2"), ("pjsua2", "baresip")])


@pytest.fixture
def phone(proxy: ServerProcess, tmp_path: Path) -> Iterator[PhoneMaker]:
    """Make phones, which register."""
    with ExitStack() as stack:

        def made(kind: str, name: str, transport: str = "udp") -> Device:
            account = Account(name, password_of(name), proxy.ports[transport], transport)
            device = stack.enter_context(KINDS[kind](account, tmp_path))
            device.register()
            device.expect(Happening.REGISTERED)
            return device

        yield made


def accounted(server: ServerProcess, *expected: str, table: str = "acc") -> None:
    """Wait for these records, each `METHOD STATUS`, and no others; all are of one dialog, in the caller's direction."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = rows(server, f"SELECT method, sip_code, from_tag, to_tag, callid FROM {table}")
        told = sorted(f"{method} {status}" for method, status, *_ in found)
        if len(told) >= len(expected):
            break
        assert time.monotonic() < deadline, f"{told} of {expected}"
        time.sleep(0.02)
    assert told == sorted(expected)
    assert len({(from_tag, callid) for *_, from_tag, _, callid in found}) <= 1


def talk(alice: Device, bob: Device) -> None:
    """Alice calls, bob answers."""
    alice.dial("bob")
    bob.expect(Happening.INCOMING)
    alice.expect(Happening.RINGING)
    bob.answer()
    for each in (alice, bob):
        each.expect(Happening.ESTABLISHED)


@BOTH_WAYS
@pytest.mark.parametrize("who", ["the caller", "the called"])
def test_a_call_that_somebody_ends(
    who: str, calling: str, called: str, proxy: ServerProcess, phone: PhoneMaker
) -> None:
    alice, bob = phone(calling, "alice"), phone(called, "bob")
    talk(alice, bob)
    (alice if who == "the caller" else bob).hang_up()
    for each in (alice, bob):
        each.expect(Happening.CLOSED)
    accounted(proxy, "INVITE 200", "ACK 200", "BYE 200")
    accounted(proxy, table="missed_calls")


@BOTH_WAYS
def test_a_call_that_is_given_up(calling: str, called: str, proxy: ServerProcess, phone: PhoneMaker) -> None:
    alice, bob = phone(calling, "alice"), phone(called, "bob")
    alice.dial("bob")
    bob.expect(Happening.INCOMING)
    alice.expect(Happening.RINGING)
    alice.hang_up()
    for each in (alice, bob):
        each.expect(Happening.CLOSED)
    accounted(proxy, "CANCEL 200")
    accounted(proxy, "INVITE 487", table="missed_calls")


@BOTH_WAYS
def test_a_call_that_is_refused(calling: str, called: str, proxy: ServerProcess, phone: PhoneMaker) -> None:
    alice, bob = phone(calling, "alice"), phone(called, "bob")
    alice.dial("bob")
    bob.expect(Happening.INCOMING)
    bob.hang_up()
    assert alice.expect(Happening.CLOSED).startswith("486")
    accounted(proxy, "INVITE 486", table="missed_calls")
    accounted(proxy)


@BOTH_WAYS
def test_two_phones_ring_and_one_is_answered(
    calling: str, called: str, proxy: ServerProcess, phone: PhoneMaker
) -> None:
    alice, bob, desk = phone(calling, "alice"), phone(called, "bob"), phone(calling, "bob")
    alice.dial("bob")
    for each in (bob, desk):
        each.expect(Happening.INCOMING)
    bob.answer()
    for each in (alice, bob):
        each.expect(Happening.ESTABLISHED)
    desk.expect(Happening.CLOSED)
    assert not desk.has_said(Happening.ESTABLISHED)
    alice.hang_up()
    bob.expect(Happening.CLOSED)
    accounted(proxy, "INVITE 200", "ACK 200", "BYE 200")
    accounted(proxy, table="missed_calls")


@BOTH_WAYS
def test_who_is_busy_has_a_voicemail(
    calling: str, called: str, proxy: ServerProcess, phone: PhoneMaker
) -> None:
    alice, bob, machine = phone(calling, "alice"), phone(called, "bob"), phone(calling, "voicemail")
    alice.dial("bob")
    bob.expect(Happening.INCOMING)
    bob.hang_up()
    machine.expect(Happening.INCOMING)
    machine.answer()
    for each in (alice, machine):
        each.expect(Happening.ESTABLISHED)
    machine.hang_up()
    alice.expect(Happening.CLOSED)
    accounted(proxy, "INVITE 200", "ACK 200", "BYE 200")
    accounted(proxy, "INVITE 486", table="missed_calls")


@BOTH_WAYS
def test_a_call_of_which_one_leg_is_secure(
    calling: str, called: str, proxy: ServerProcess, phone: PhoneMaker
) -> None:
    alice, bob = (
        phone(kind, name, "tls" if kind == "baresip" else "udp")
        for kind, name in ((calling, "alice"), (called, "bob"))
    )
    secure = "alice" if calling == "baresip" else "bob"
    assert rows(proxy, "SELECT username FROM location WHERE contact LIKE '%transport=tls'") == [(secure,)]
    talk(alice, bob)
    bob.hang_up()
    for each in (alice, bob):
        each.expect(Happening.CLOSED)
    accounted(proxy, "INVITE 200", "ACK 200", "BYE 200")


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_phone_with_a_wrong_password(kind: str, proxy: ServerProcess, tmp_path: Path) -> None:
    account = Account("alice", "guessed", proxy.ports["udp"])
    with KINDS[kind](account, tmp_path) as mallory:
        mallory.register()
        assert mallory.expect(Happening.REFUSED).startswith("401")
        assert not mallory.has_said(Happening.REGISTERED)
    assert rows(proxy, "SELECT * FROM location") == []
