from __future__ import annotations

import pytest

from openpy.sip.digest import check, digest_ha1, parse_credentials
from openpy.useragent.authentication import Account
from openpy.useragent.exchange import Draft, Outcome, refresh_delay
from tests.useragent.peer import Peer

CHALLENGE = 'WWW-Authenticate: Digest realm="here", nonce="{}"{}\r\n'


class Sent:
    """A PUBLISH that was sent, and how it ended."""

    def __init__(
        self, account: Account | None = None, transport: str = "udp", expires: int | None = 60
    ) -> None:
        self.peer = Peer(account, transport)
        self.outcomes: list[Outcome] = []
        self.draft = self.peer.agent.draft("PUBLISH", "sip:bob@example.com", from_uri="sip:alice@example.com")
        self.draft.expires = expires
        self.draft.headers = "Event: presence\r\n"
        self.draft.body, self.draft.content_type = b"<presence/>", "application/pidf+xml"
        self.peer.agent.send(self.draft, self.peer, self.outcomes.append)

    @property
    def outcome(self) -> Outcome:
        (outcome,) = self.outcomes
        return outcome


def test_request_on_the_wire() -> None:
    request = Sent().peer.last
    branch = request.via.branch
    assert branch.startswith("z9hG4bK0123456789abcdef.1.")
    assert request.raw.decode() == (
        "PUBLISH sip:bob@example.com SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.2:5070;branch={branch};rport\r\n"
        "Max-Forwards: 70\r\n"
        "From: <sip:alice@example.com>;tag=random1\r\n"
        "To: <sip:bob@example.com>\r\n"
        "Call-ID: random2\r\n"
        "CSeq: 1 PUBLISH\r\n"
        "Event: presence\r\n"
        "Expires: 60\r\n"
        "Content-Type: application/pidf+xml\r\n"
        "Content-Length: 11\r\n\r\n<presence/>"
    )


def test_ipv6_address_stands_in_brackets() -> None:
    peer = Peer()
    peer.local_host = "2001:db8::1"
    peer.agent.send(Draft("OPTIONS", "sip:a", "<sip:b>;tag=1", "<sip:a>", "c", 1), peer, print)
    assert peer.last.via.host == "[2001:db8::1]"


def test_final_reply_ends_it_once() -> None:
    sent = Sent()
    sent.peer.answer(100)
    assert sent.outcomes == []
    sent.peer.answer(200, "Expires: 30\r\n")
    sent.peer.answer(200, "Expires: 30\r\n")
    assert (sent.outcome.status, sent.outcome.ok, sent.outcome.expires) == (200, True, 30)
    assert sent.outcome.request.raw == sent.peer.last.raw


@pytest.mark.parametrize("headers", ["", "Expires: soon\r\n"])
def test_interval_that_is_not_granted_in_words_is_the_one_asked_for(headers: str) -> None:
    sent = Sent()
    sent.peer.answer(200, headers)
    assert sent.outcome.expires == 60


def test_challenge_is_answered_with_the_next_cseq() -> None:
    sent = Sent(Account("alice", "secret"))
    sent.peer.answer(401, CHALLENGE.format("n1", ', qop="auth"'))
    request = sent.peer.last
    assert (request.cseq.number, sent.draft.cseq, request.call_id) == (2, 2, "random2")
    credentials = parse_credentials(request.get("Authorization") or "")
    assert check(credentials, method="PUBLISH", ha1=digest_ha1("alice", "here", "secret"))
    assert credentials.uri == "sip:bob@example.com"
    sent.peer.answer(200)
    assert sent.outcome.ok


def test_refused_password_and_missing_account_end_it() -> None:
    sent = Sent(Account("alice", "wrong"))
    for nonce in "n1", "n2":
        sent.peer.answer(401, CHALLENGE.format(nonce, ""))
    assert (sent.outcome.status, len(sent.peer.requests)) == (401, 2)
    sent = Sent()
    sent.peer.answer(401, CHALLENGE.format("n1", ""))
    assert (sent.outcome.status, len(sent.peer.requests)) == (401, 1)


def test_server_that_finds_every_nonce_stale_is_not_followed_for_ever() -> None:
    sent = Sent(Account("alice", "secret"))
    for number in range(5):
        sent.peer.answer(401, CHALLENGE.format(f"n{number}", ", stale=true"))
    assert (sent.outcome.status, len(sent.peer.requests)) == (401, 5)


def test_too_short_an_interval_is_lengthened() -> None:
    sent = Sent()
    sent.peer.answer(423, "Min-Expires: 120\r\n")
    assert (sent.peer.last.expires, sent.peer.last.cseq.number) == (120, 2)
    sent.peer.answer(200)
    assert sent.outcome.expires == 120


@pytest.mark.parametrize("headers", ["", "Min-Expires: 60\r\n", "Min-Expires: long\r\n"])
def test_senseless_423_ends_it(headers: str) -> None:
    sent = Sent()
    sent.peer.answer(423, headers)
    assert (sent.outcome.status, len(sent.peer.requests)) == (423, 1)


def test_423_to_a_request_without_an_interval_ends_it() -> None:
    sent = Sent(expires=None)
    sent.peer.answer(423, "Min-Expires: 60\r\n")
    assert (sent.outcome.status, sent.outcome.expires) == (423, None)


def test_no_answer_is_408_and_a_lost_connection_503() -> None:
    sent = Sent()
    sent.peer.run_to(33)
    assert (sent.outcome.status, sent.outcome.response, sent.outcome.expires) == (408, None, 60)
    sent = Sent(transport="tcp")
    sent.peer.layer.flow_failed(sent.peer)
    assert (sent.outcome.status, sent.outcome.response) == (503, None)


@pytest.mark.parametrize(("expires", "delay"), [(3600, 3240.0), (60, 54.0), (20, 15.0), (10, 5.0), (4, 2.0)])
def test_refresh_comes_before_the_end(expires: int, delay: float) -> None:
    assert refresh_delay(expires) == delay
