"""A challenge is refused or can be answered, and the answer proves the password; so it is with credentials."""

from __future__ import annotations

from openpy.sip.digest import authorize, digest_ha1, parse_challenge, parse_credentials
from openpy.sip.digest import check as proves
from openpy.sip.errors import RemoteError


def check(data: bytes) -> None:
    """Take a text for a challenge, and for credentials."""
    text = data.decode("utf-8", "surrogateescape")
    _check_credentials(text)
    try:
        challenge = parse_challenge(text)
        answer = authorize(
            challenge, method="PUBLISH", uri="sip:b@c", username='a"\\', password="secret", cnonce="c", nc=1
        )
    except RemoteError:
        return
    credentials = parse_credentials(answer)
    assert (credentials.realm, credentials.nonce) == (challenge.realm, challenge.nonce)
    assert (credentials.username, credentials.uri) == ('a"\\', "sip:b@c")
    ha1 = digest_ha1(credentials.username, challenge.realm, "secret", challenge.algorithm)
    assert proves(credentials, method="PUBLISH", ha1=ha1)
    assert not proves(credentials, method="SUBSCRIBE", ha1=ha1)
    wrong = digest_ha1(credentials.username, challenge.realm, "guess", challenge.algorithm)
    assert not proves(credentials, method="PUBLISH", ha1=wrong)


def _check_credentials(text: str) -> None:
    try:
        credentials = parse_credentials(text)
    except RemoteError:
        return
    assert not proves(credentials, method="PUBLISH", ha1="0" * 32), "nobody can have that"
