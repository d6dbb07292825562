"""Whatever stands in Authorization is refused, passed over, or whole; and nobody comes in without the password.

`NONCE` in an input stands for a nonce of ours.
"""

from __future__ import annotations

from openpy.modules.auth.challenges import PROXY, WWW, is_offered
from openpy.modules.auth.counts import NonceCounts
from openpy.modules.auth.nonces import Nonces
from openpy.modules.auth.requests import answers_for, count_of, names_the_same, split_username
from openpy.sip.digest import check as proves
from openpy.sip.digest import digest_ha1
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, parse_message

NOW = 1_600_000_000.0
NONCES = Nonces(b"secret", 300, lambda: "0123456789abcdef")
OURS = NONCES.make(NOW, 1)
REALMS = ("example.com", "")


def check(data: bytes) -> None:
    """Take a text for the value of Authorization and of Proxy-Authorization."""
    value = data.replace(b"\r", b"").replace(b"\n", b" ").replace(b"NONCE", OURS.encode())
    request = parse_message(
        b"REGISTER sip:example.com SIP/2.0\r\nAuthorization: %b\r\nProxy-Authorization: %b\r\n\r\n"
        % (value, value)
    )
    assert isinstance(request, Request)
    for side in (WWW, PROXY):
        for realm in REALMS:
            _check_answers(request, side is WWW, realm)


def _check_answers(request: Request, by_server: bool, realm: str) -> None:
    try:
        answers = list(answers_for(request, WWW if by_server else PROXY, realm))
    except RemoteError:
        return
    for credentials, place in answers:
        assert place == 0
        assert credentials.realm.lower() == realm
        user, domain = split_username(credentials.username)
        assert domain.lower() in ("", realm)
        assert isinstance(names_the_same(credentials.uri, request.uri), bool)
        nonce = NONCES.read(credentials.nonce)
        assert nonce is None or credentials.nonce == OURS
        count = count_of(credentials)
        assert 0 <= count < 2**32
        counts = NonceCounts(10, 0)
        if nonce is not None:
            assert counts.take(nonce.end, nonce.number, count, 1, NOW)
            assert not counts.take(nonce.end, nonce.number, count, 2, NOW), (
                "another request with the same count"
            )
        if is_offered(1, credentials.algorithm, credentials.qop):
            ha1 = digest_ha1(user, credentials.realm, "what nobody guesses", credentials.algorithm)
            assert not proves(credentials, method="REGISTER", ha1=ha1)
