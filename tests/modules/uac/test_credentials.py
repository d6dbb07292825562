from __future__ import annotations

import pytest

from openpy.engine.module import ArgumentError
from openpy.modules.uac.credentials import Answered, Credential, answer, read_credential
from openpy.sip.digest import check, digest_ha1, parse_credentials
from openpy.sip.message import Response, parse_message

CREDENTIALS = {item.realm: item for item in (Credential("gw", "one", "secret"), Credential("us", "two", "x"))}
ONE = 'Digest realm="one", nonce="n1", qop="auth"'


def reply(status: int, *challenges: str) -> Response:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    lines = "".join(f"{name}: {text}\r\n" for text in challenges)
    found = parse_message(f"SIP/2.0 {status} No\r\n{lines}\r\n".encode())
    assert isinstance(found, Response)
    return found


def answered(response: Response, known: Answered | None = None) -> str:
    return answer(response, "INVITE", "sip:b@x", CREDENTIALS, {} if known is None else known, lambda: "c")


def test_reading() -> None:
    assert read_credential("a:b:c:d") == Credential("a", "b", "c:d")
    assert "c:d" not in repr(read_credential("a:b:c:d"))
    for text in ("a", "a:b", ":b:c", "a::c"):
        with pytest.raises(ArgumentError, match="write username:realm:password") as found:
            read_credential(text)
        assert text not in str(found.value).split(";")[0].split()


@pytest.mark.parametrize(("status", "header"), [(401, "Authorization"), (407, "Proxy-Authorization")])
def test_an_answer(status: int, header: str) -> None:
    lines = answered(reply(status, ONE))
    name, _, value = lines.removesuffix("\r\n").partition(": ")
    assert name == header
    credentials = parse_credentials(value)
    assert (credentials.username, credentials.uri) == ("gw", "sip:b@x")
    assert check(credentials, method="INVITE", ha1=digest_ha1("gw", "one", "secret"))


def test_each_realm_is_answered() -> None:
    lines = answered(reply(407, ONE, 'Digest realm="two", nonce="n2"', 'Digest realm="else", nonce="n3"'))
    assert lines.count("Proxy-Authorization: ") == 2


@pytest.mark.parametrize(
    "response",
    [
        reply(404),
        reply(401),
        reply(401, 'Digest realm="else", nonce="n"'),
        reply(401, "Basic x"),
        reply(401, 'Digest realm="one", nonce="n", qop="auth-int"'),
    ],
)
def test_what_cannot_be_answered(response: Response) -> None:
    assert answered(response) == ""


def test_a_realm_is_answered_once_unless_its_nonce_was_stale() -> None:
    known: Answered = {}
    assert answered(reply(401, ONE), known)
    assert not answered(reply(401, ONE), known)
    assert answered(reply(401, f"{ONE}, stale=true"), known)


def test_who_was_answered_is_answered_with_each_attempt() -> None:
    known: Answered = {}
    answered(reply(407, ONE), known)
    lines = answered(reply(401, 'Digest realm="two", nonce="n2", qop="auth"'), known).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["Proxy-Authorization", "Authorization"]
    assert [parse_credentials(line.partition(": ")[2]).nc for line in lines] == ["00000002", "00000001"]
    stale = answered(reply(407, ONE.replace("n1", "n3") + ", stale=true"), known).splitlines()
    assert [parse_credentials(line.partition(": ")[2]).nc for line in stale] == ["00000001", "00000002"]
    assert 'nonce="n3"' in stale[0]


def test_a_proxy_and_a_server_of_one_realm() -> None:
    known: Answered = {}
    answered(reply(407, ONE), known)
    assert answered(reply(401, ONE.replace("n1", "n2")), known).count('realm="one"') == 2
    assert not answered(reply(401, ONE), known)
