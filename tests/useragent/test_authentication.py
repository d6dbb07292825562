from __future__ import annotations

from itertools import count

from openpy.sip.build import reply
from openpy.sip.digest import check, digest_ha1, parse_credentials
from openpy.sip.message import Request, Response, parse_message
from openpy.useragent.authentication import Account, Authentication

ACCOUNT = Account("alice", "secret")


def challenged(*lines: str) -> Response:
    request = parse_message(b"OPTIONS sip:a SIP/2.0\r\n\r\n")
    assert isinstance(request, Request)
    headers = "".join(f"{line}\r\n" for line in lines)
    response = parse_message(reply(request, 401, "Unauthorized", headers=headers))
    assert isinstance(response, Response)
    return response


def digest(nonce: str, more: str = "", realm: str = "here", header: str = "WWW-Authenticate") -> str:
    return f'{header}: Digest realm="{realm}", nonce="{nonce}"{more}'


def authentication(account: Account | None = ACCOUNT) -> Authentication:
    numbers = count(1)
    return Authentication(account, lambda: f"cnonce{next(numbers)}")


def test_answer_proves_the_password() -> None:
    subject = authentication()
    assert subject.headers("OPTIONS", "sip:a") == ""
    assert subject.take(challenged(digest("n1", ', qop="auth,auth-int", opaque="o"')))
    name, _, value = subject.headers("OPTIONS", "sip:a").strip().partition(": ")
    assert name == "Authorization"
    credentials = parse_credentials(value)
    assert check(credentials, method="OPTIONS", ha1=digest_ha1("alice", "here", "secret"))
    assert (credentials.nonce, credentials.opaque, credentials.nc) == ("n1", "o", "00000001")


def test_nonce_is_counted_and_the_client_nonce_is_new_each_time() -> None:
    subject = authentication()
    subject.take(challenged(digest("n1", ', qop="auth"')))
    first, second = (
        parse_credentials(subject.headers("A", "sip:a").partition(": ")[2].strip()) for _ in "12"
    )
    assert (first.nc, second.nc) == ("00000001", "00000002")
    assert first.cnonce != second.cnonce


def test_second_challenge_means_a_wrong_password_unless_stale() -> None:
    subject = authentication()
    assert subject.take(challenged(digest("n1")))
    assert not subject.take(challenged(digest("n2")))
    assert not subject.take(challenged(digest("n1", ", stale=true")))
    assert subject.take(challenged(digest("n3", ", stale=true")))
    assert 'nonce="n3"' in subject.headers("A", "sip:a")


def test_proxy_and_server_may_both_challenge() -> None:
    subject = authentication()
    assert subject.take(challenged(digest("n1", realm="proxy", header="Proxy-Authenticate")))
    assert subject.take(challenged(digest("n2", realm="server")))
    lines = subject.headers("A", "sip:a").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["Proxy-Authorization", "Authorization"]


def test_first_usable_challenge_of_a_realm_is_taken() -> None:
    subject = authentication()
    response = challenged(
        digest("n0", ", algorithm=unknown"),
        'WWW-Authenticate: Basic realm="here"',
        digest("n1", ', qop="auth-int"'),
        digest("n2", ", algorithm=SHA-256"),
        digest("n3"),
    )
    assert subject.take(response)
    assert 'nonce="n2"' in subject.headers("A", "sip:a")


def test_nothing_to_answer_with_or_to() -> None:
    assert not authentication(None).take(challenged(digest("n1")))
    assert not authentication().take(challenged())
    assert not authentication().take(challenged('WWW-Authenticate: Basic realm="here"'))


def test_password_is_not_shown() -> None:
    assert "secret" not in repr(ACCOUNT)
