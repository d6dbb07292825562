from __future__ import annotations

import pytest

from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, parse_message
from openpy.transaction.keys import client_key, server_key
from tests.transaction.playbook import request


def changed(message: Request, old: str, new: str) -> Request:
    assert old.encode() in message.raw
    other = parse_message(message.raw.replace(old.encode(), new.encode()))
    assert isinstance(other, Request)
    return other


def test_branch_sent_by_and_method_decide() -> None:
    options = request("OPTIONS", "z9hG4bKa")
    key = server_key(options, "OPTIONS")
    assert key == server_key(changed(options, "call@example.com", "other"), "OPTIONS")
    assert key == server_key(changed(options, ";tag=a1", ";tag=a2"), "OPTIONS")
    assert key != server_key(changed(options, "z9hG4bKa", "z9hG4bKb"), "OPTIONS")
    assert key != server_key(changed(options, "UDP 192.0.2.1;", "UDP 192.0.2.9;"), "OPTIONS")
    assert key != server_key(changed(options, "UDP 192.0.2.1;", "UDP 192.0.2.1:5061;"), "OPTIONS")
    assert key != server_key(options, "MESSAGE")


def test_host_names_have_no_case() -> None:
    options = changed(request("OPTIONS"), "UDP 192.0.2.1;", "UDP PC.Example.com;")
    assert server_key(options, "OPTIONS") == server_key(changed(options, "PC.Ex", "pc.ex"), "OPTIONS")


@pytest.mark.parametrize("branch", ["z9hG4bKa", "z9hG4bK", "old-style"])
def test_ack_and_cancel_find_their_invite(branch: str) -> None:
    key = server_key(request("INVITE", branch), "INVITE")
    assert server_key(request("ACK", branch, to_tag="b1"), "INVITE") == key
    assert server_key(request("CANCEL", branch), "INVITE") == key
    assert server_key(request("CANCEL", branch), "CANCEL") != key


@pytest.mark.parametrize(
    ("old", "new"), [("call@example.com", "other"), ("CSeq: 7", "CSeq: 8"), (";tag=a1", ";tag=a2")]
)
def test_a_cancel_is_known_by_more_than_its_branch(old: str, new: str) -> None:
    cancel = request("CANCEL", "z9hG4bKa")
    key = server_key(cancel, "CANCEL")
    assert key == server_key(request("CANCEL", "z9hG4bKa"), "CANCEL")
    assert key != server_key(changed(cancel, old, new), "CANCEL")
    assert server_key(cancel, "INVITE") == server_key(changed(cancel, old, new), "INVITE")


@pytest.mark.parametrize("branch", ["z9hG4bK", "1"])
def test_without_a_proper_branch_the_rfc_2543_values_decide(branch: str) -> None:
    options = request("OPTIONS", branch)
    key = server_key(options, "OPTIONS")
    assert key == server_key(request("OPTIONS", branch), "OPTIONS")
    for old, new in (
        ("sip:bob@example.com SIP", "sip:bill@example.com SIP"),
        ("call@example.com", "other"),
        ("CSeq: 7", "CSeq: 8"),
        (";tag=a1", ";tag=a2"),
        ("UDP 192.0.2.1;", "UDP 192.0.2.9;"),
        ("To: <sip:bob@example.com>", "To: <sip:bob@example.com>;tag=x"),
    ):
        assert key != server_key(changed(options, old, new), "OPTIONS")


def test_unreadable_headers_are_the_senders_fault() -> None:
    with pytest.raises(RemoteError):
        server_key(changed(request("OPTIONS"), "Via: SIP/2.0/UDP", "Via: nonsense"), "OPTIONS")


def test_client_key_is_branch_and_method() -> None:
    assert len({client_key(branch, method) for branch in "ab" for method in ("INVITE", "CANCEL")}) == 4
