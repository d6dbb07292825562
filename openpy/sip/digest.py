"""Digest authentication, both sides (RFC 2617, RFC 7616; SHA-256 and SHA-512-256 as in RFC 8760).

Rules:
1. A password or H(A1) never appears in an exception or a repr.
2. What cannot be computed (unknown algorithm or qop) is a RemoteError or a False.
3. The server side checks the digest alone: whether a nonce is ours and fresh is its owner's business.
4. Of a parameter that comes twice in credentials nobody knows which one counts: they are malformed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from openpy.sip.errors import RemoteError
from openpy.sip.grammar import AUTH_PARAM, LWS
from openpy.sip.headers import quote, unquote

__all__ = [
    "Challenge",
    "Credentials",
    "authorize",
    "check",
    "digest_ha1",
    "hash_name",
    "parse_challenge",
    "parse_credentials",
]


def _sha_512_256(octets: bytes) -> Any:
    return hashlib.new("sha512_256", octets)


_HASHES: Final[dict[str, Callable[[bytes], Any]]] = {
    "MD5": hashlib.md5,
    "SHA-256": hashlib.sha256,
    "SHA-512-256": _sha_512_256,
}
_MOST_PARAMETERS: Final = 64


class Challenge(NamedTuple):
    """What a WWW-Authenticate or Proxy-Authenticate asks for. `qop` has the offered values in lower case."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: tuple[str, ...] = ()
    opaque: str | None = None
    stale: bool = False


class Credentials(NamedTuple):
    """An Authorization or Proxy-Authorization with the Digest scheme; absent values are ""."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str
    qop: str
    cnonce: str
    nc: str
    opaque: str

    @property
    def user(self) -> str:
        """The username without the domain that it may name: `bob` of `bob@example.com`."""
        return self.username.partition("@")[0]


def parse_challenge(text: str) -> Challenge:
    """A challenge. Raises RemoteError (400): another scheme, unknown algorithm, no realm or nonce."""
    values = _parameters(text)
    if "realm" not in values or not values.get("nonce"):
        raise RemoteError(400, "Malformed challenge")
    algorithm = values.get("algorithm", "MD5")
    _split_algorithm(algorithm)
    qop = tuple(option.strip(LWS).lower() for option in values.get("qop", "").split(",") if option.strip(LWS))
    return Challenge(
        values["realm"],
        values["nonce"],
        algorithm,
        qop,
        values.get("opaque"),
        values.get("stale", "").lower() == "true",
    )


def parse_credentials(text: str) -> Credentials:
    """Credentials. Raises RemoteError (400): another scheme, a value twice, or one missing that all digests have.

    Values may be empty: whoever has no challenge yet may name itself so.
    """
    values = _parameters(text, unique=True)
    if any(name not in values for name in ("username", "realm", "nonce", "uri", "response")):
        raise RemoteError(400, "Malformed credentials")
    return Credentials(
        values["username"],
        values["realm"],
        values["nonce"],
        values["uri"],
        values["response"],
        values.get("algorithm", "MD5"),
        values.get("qop", "").lower(),
        values.get("cnonce", ""),
        values.get("nc", ""),
        values.get("opaque", ""),
    )


def authorize(
    challenge: Challenge,
    *,
    method: str,
    uri: str,
    username: str,
    password: str,
    cnonce: str,
    nc: int = 1,
    body: bytes | None = None,
) -> str:
    """The value of the Authorization (or Proxy-Authorization) that answers `challenge`.

    `cnonce` is random text of ours, `nc` counts the requests with this nonce from 1. Uses qop `auth` if it is
    offered, `auth-int` if only that is and the `body` is known, the form without qop if none is. Raises RemoteError
    (400) if only other qops are offered.
    """
    qop = "auth" if challenge.qop else ""
    if qop and qop not in challenge.qop:
        if body is None or "auth-int" not in challenge.qop:
            raise RemoteError(400, "Unsupported qop")
        qop = "auth-int"
    count = f"{nc:08x}"
    ha1 = digest_ha1(username, challenge.realm, password, challenge.algorithm)
    response = _response(
        challenge.algorithm,
        ha1,
        method,
        uri,
        nonce=challenge.nonce,
        qop=qop,
        cnonce=cnonce,
        nc=count,
        body=body or b"",
    )
    parts = [
        f"username={quote(username)}",
        f"realm={quote(challenge.realm)}",
        f"nonce={quote(challenge.nonce)}",
        f"uri={quote(uri)}",
        f'response="{response}"',
        f"algorithm={challenge.algorithm}",
    ]
    _, session = _split_algorithm(challenge.algorithm)
    if qop or session:
        parts.append(f"cnonce={quote(cnonce)}")
    if qop:
        parts += [f"qop={qop}", f"nc={count}"]
    if challenge.opaque is not None:
        parts.append(f"opaque={quote(challenge.opaque)}")
    return "Digest " + ", ".join(parts)


def digest_ha1(username: str, realm: str, password: str, algorithm: str = "MD5") -> str:
    """H(username:realm:password), what a subscriber table keeps. Raises RemoteError (400)."""
    name, _ = _split_algorithm(algorithm)
    return _hash(name, f"{username}:{realm}:{password}")


def check(credentials: Credentials, *, method: str, ha1: str, body: bytes = b"") -> bool:
    """Whether `credentials` prove knowledge of the password behind `ha1` (`digest_ha1`) for `method`.

    With the qop `auth-int` they prove it for the `body` too. False for an algorithm or a qop that we do not have.
    """
    try:
        expected = _response(
            credentials.algorithm,
            ha1,
            method,
            credentials.uri,
            nonce=credentials.nonce,
            qop=credentials.qop,
            cnonce=credentials.cnonce,
            nc=credentials.nc,
            body=body,
        )
    except RemoteError:
        return False
    return hmac.compare_digest(expected.encode(), credentials.response.lower().encode("utf-8", "replace"))


def _response(
    algorithm: str,
    ha1: str,
    method: str,
    uri: str,
    *,
    nonce: str,
    qop: str,
    cnonce: str,
    nc: str,
    body: bytes,
) -> str:
    """The request-digest (RFC 2617 section 3.2.2, RFC 7616 section 3.4.1)."""
    name, session = _split_algorithm(algorithm)
    if session:
        ha1 = _hash(name, f"{ha1}:{nonce}:{cnonce}")
    if qop == "auth-int":
        ha2 = _hash(name, f"{method}:{uri}:{_HASHES[name](body).hexdigest()}")
    elif qop in ("", "auth"):
        ha2 = _hash(name, f"{method}:{uri}")
    else:
        raise RemoteError(400, "Unsupported qop")
    if not qop:
        return _hash(name, f"{ha1}:{nonce}:{ha2}")
    return _hash(name, f"{ha1}:{nonce}:{nc}:{cnonce}:{qop}:{ha2}")


def hash_name(algorithm: str) -> str:
    """The hash of an algorithm, which `MD5-sess` shares with `MD5`; "" for one that we do not have."""
    name = algorithm.upper().removesuffix("-SESS")
    return name if name in _HASHES else ""


def _split_algorithm(algorithm: str) -> tuple[str, bool]:
    """Name of the hash, and whether it is the session form."""
    name = hash_name(algorithm)
    if not name:
        raise RemoteError(400, "Unsupported digest algorithm")
    return name, len(name) != len(algorithm)


def _hash(name: str, text: str) -> str:
    digest: str = _HASHES[name](text.encode("utf-8", "surrogateescape")).hexdigest()
    return digest


def _parameters(text: str, *, unique: bool = False) -> dict[str, str]:
    """The parameters of a Digest challenge or of Digest credentials, unquoted; the first of a name counts.

    Raises RemoteError (400), with `unique` for a name that comes twice too.
    """
    text = text.strip(LWS)
    if text[:7].rstrip(LWS).lower() != "digest":
        raise RemoteError(400, "Unsupported authentication scheme")
    values: dict[str, str] = {}
    rest = text[7:].rstrip(" \t,")
    position = 0
    while position < len(rest):
        found = AUTH_PARAM.match(rest, position)
        if not found or len(values) >= _MOST_PARAMETERS:
            raise RemoteError(400, "Malformed authentication parameter")
        name = found[1].lower()
        if unique and name in values:
            raise RemoteError(400, "Malformed authentication parameter")
        values.setdefault(name, unquote(found[2]))
        position = found.end()
    return values
