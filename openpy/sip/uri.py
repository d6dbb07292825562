"""SIP and SIPS URIs (RFC 3261 section 19.1); other schemes are carried without a look inside.

Rules:
1. A `Uri` keeps every part as written, so `str(parse_uri(text))` is `text` again (scheme in lower case,
   parameters without a name dropped). Comparison and canonical forms decode; nothing else does.
2. The user part ends at the only `@`; parameters and headers are looked for behind it, so `;`, `?` and `/`
   in a user stay in the user.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final

from openpy.sip.errors import RemoteError
from openpy.sip.grammar import HOSTPORT, LWS, PLAIN_AOR, POSSIBLE_ESCAPE, SCHEME, URI_CHARACTERS

__all__ = [
    "Uri",
    "aor_of",
    "as_request_uri",
    "cached_uri",
    "normal_escapes",
    "normal_host",
    "parse_uri",
    "unescape",
    "without_prefix",
]

UriParams = tuple[tuple[str, str | None], ...]

_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()")
_SIGNIFICANT: Final = ("user", "ttl", "method", "maddr", "transport")
"""Parameters that make URIs differ even if only one of the two has them (RFC 3261 section 19.1.4)."""
_CACHED_LENGTH: Final = 128


class Uri:
    """One URI, not to be changed after it is made.

    For `sip` and `sips`: `user` and `password` (None if absent) and `host` (IPv6 in brackets) as written,
    `port` or None, `params` in order (value None for a valueless one), `headers` the text after `?`.
    For any other scheme everything after the colon is in `host`, and the rest is empty.
    """

    __slots__ = ("_aor", "headers", "host", "params", "password", "port", "scheme", "user")

    def __init__(
        self,
        scheme: str,
        user: str | None,
        password: str | None,
        host: str,
        port: int | None = None,
        params: UriParams = (),
        headers: str = "",
    ) -> None:
        self.scheme: Final = scheme
        self.user: Final = user
        self.password: Final = password
        self.host: Final = host
        self.port: Final = port
        self.params: Final = params
        self.headers: Final = headers
        self._aor = ""

    @property
    def is_sip(self) -> bool:
        """Whether this is a SIP or SIPS URI, and so has parts."""
        return self.scheme in ("sip", "sips")

    def param(self, name: str) -> str | None:
        """The value of the parameter `name` (lower case); "" if it has none, None if it is absent."""
        for key, value in self.params:
            if key == name or key.lower() == name:
                return value or ""
        return None

    @property
    def transport(self) -> str:
        """The `transport` parameter in lower case, or ""."""
        return (self.param("transport") or "").lower()

    def aor(self) -> str:
        """The canonical address-of-record, the name of a presentity: `sip:user@host`.

        Scheme `sip` for SIPS too, host in lower case, no password, port, parameters or headers; escapes of
        unreserved characters decoded. Without a user: `sip:host`. Other schemes: the URI as it is.
        """
        if not self._aor:
            self._aor = self._make_aor()
        return self._aor

    def _make_aor(self) -> str:
        if not self.is_sip:
            return f"{self.scheme}:{self.host}"
        if self.user is None:
            return "sip:" + self.host.lower()
        return f"sip:{normal_escapes(self.user)}@{self.host.lower()}"

    @property
    def subscriber(self) -> str:
        """Whom the URI means: the user part, or the number of a TEL URI without its parameters; "" where nobody."""
        if self.scheme == "tel":
            return self.host.partition(";")[0]
        return self.user or ""

    def with_user(self, user: str | None) -> Uri:
        """The same URI with another user part (as written); a password stays only beside a user.

        Of a TEL URI it is the number. Raises RemoteError (400) where there must be one, or the scheme has none.
        """
        if not self.is_sip:
            if self.scheme != "tel" or not user:
                raise RemoteError(400, "The URI has no user part")
            _, semicolon, params = self.host.partition(";")
            return Uri(self.scheme, None, None, user + semicolon + params)
        password = self.password if user is not None else None
        return Uri(self.scheme, user, password, self.host, self.port, self.params, self.headers)

    def with_password(self, password: str | None) -> Uri:
        """The same URI with another password."""
        return Uri(self.scheme, self.user, password, self.host, self.port, self.params, self.headers)

    def with_host(self, host: str, port: int | None) -> Uri:
        """The same URI with another host and port; a TEL URI becomes the SIP URI of its number there (RFC 3261 19.1.6).

        Raises RemoteError (400) for any other scheme.
        """
        if not self.is_sip:
            if self.scheme != "tel":
                raise RemoteError(400, "The URI has no host")
            return Uri("sip", self.host, None, host, port)
        return Uri(self.scheme, self.user, self.password, host, port, self.params, self.headers)

    def with_params(self, params: Iterable[tuple[str, str | None]]) -> Uri:
        """The same URI with other parameters."""
        return Uri(self.scheme, self.user, self.password, self.host, self.port, tuple(params), self.headers)

    def equals(self, other: Uri) -> bool:
        """Whether both are the same URI by RFC 3261 section 19.1.4 (not transitive, hence no `==`)."""
        if self.scheme != other.scheme or self.port != other.port:
            return False
        if not self.is_sip:
            return self.host == other.host
        return (
            (self.host == other.host or normal_host(self.host) == normal_host(other.host))
            and _optional_normal(self.user) == _optional_normal(other.user)
            and _optional_normal(self.password) == _optional_normal(other.password)
            and _same_params(self.params, other.params)
            and _decoded_headers(self.headers) == _decoded_headers(other.headers)
        )

    def __str__(self) -> str:
        if not self.is_sip:
            return f"{self.scheme}:{self.host}"
        text = self.scheme + ":"
        if self.user is not None:
            password = "" if self.password is None else ":" + self.password
            text += f"{self.user}{password}@"
        text += self.host
        if self.port is not None:
            text += f":{self.port}"
        for name, value in self.params:
            text += f";{name}" if value is None else f";{name}={value}"
        return f"{text}?{self.headers}" if self.headers else text

    def __repr__(self) -> str:
        return f"<Uri {self}>"


def parse_uri(text: str) -> Uri:
    """The URI that `text` is; white space around it is ignored.

    Raises RemoteError (400) if it has no scheme, contains characters that no URI may have, or, for SIP and
    SIPS, has no valid host and port or more than one `@`.
    """
    text = text.strip(LWS)
    found = SCHEME.match(text)
    if not found or not URI_CHARACTERS.match(text):
        raise RemoteError(400, "Malformed URI")
    scheme = found[0][:-1].lower()
    if scheme not in ("sip", "sips"):
        return Uri(scheme, None, None, text[found.end() :])
    return _parse_sip_uri(scheme, text[found.end() :])


def _parse_sip_uri(scheme: str, rest: str) -> Uri:
    userinfo, at, hostport = rest.partition("@")
    user: str | None = None
    password: str | None = None
    if at:
        user, colon, secret = userinfo.partition(":")
        if colon:
            password = secret
        if not user or "@" in hostport:
            raise RemoteError(400, "Malformed URI user part")
    else:
        hostport = rest
    found = HOSTPORT.match(hostport)
    if not found:
        raise RemoteError(400, "Malformed URI host")
    host, digits = found.groups()
    port = int(digits) if digits else None
    if port is not None and port > 65535:
        raise RemoteError(400, "Malformed URI port")
    tail, _, headers = hostport[found.end() :].partition("?")
    return Uri(scheme, user, password, host, port, _parse_params(tail) if tail else (), headers)


def _parse_params(text: str) -> UriParams:
    params: list[tuple[str, str | None]] = []
    for item in text.split(";"):
        name, equal, value = item.partition("=")
        if name:
            params.append((name, value if equal else None))
    return tuple(params)


_cached_parse = lru_cache(maxsize=8192)(parse_uri)


def cached_uri(text: str) -> Uri:
    """`parse_uri` with a bounded memory for short texts: for the same few URIs over and over.

    Those of proxies (`;lr`) are left out: what they record holds a tag, and is another one for each call.
    """
    if len(text) > _CACHED_LENGTH or ";lr" in text:
        return parse_uri(text)
    return _cached_parse(text)


def aor_of(text: str) -> str:
    """`parse_uri(text).aor()`, without parsing what is one already. Raises RemoteError (400)."""
    return text if PLAIN_AOR.match(text) else parse_uri(text).aor()


def as_request_uri(text: str) -> str:
    """A URI without what a Request-URI may not have: `method` and headers (RFC 3261 section 19.1.1).

    What cannot be read stays as it is.
    """
    if "?" not in text and ";method=" not in text.lower():
        return text
    try:
        uri = parse_uri(text)
    except RemoteError:
        return text
    params = tuple(pair for pair in uri.params if pair[0].lower() != "method")
    if not uri.headers and params == uri.params:
        return text
    return str(Uri(uri.scheme, uri.user, uri.password, uri.host, uri.port, params))


def normal_host(host: str) -> str:
    """The one spelling of a host, by which hosts are compared: an IPv6 address has many (RFC 5954 4.2)."""
    host = host.lower()
    if ":" in host:
        with suppress(ValueError):
            address = str(IPv6Address(host.strip("[]")))
            return f"[{address}]" if host.startswith("[") else address
    return host


def without_prefix(host: str, prefix: str) -> str:
    """A host without a prefix such as `sip.`, which is compared without case."""
    return host[len(prefix) :] if prefix and host.lower().startswith(prefix.lower()) else host


def unescape(text: str) -> str:
    """`text` with every `%HH` decoded (as UTF-8, undecodable octets as surrogates)."""
    if "%" not in text:
        return text
    octets = text.encode("utf-8", "surrogateescape")
    decoded = _HEX_OCTET.sub(lambda found: bytes.fromhex(found[1].decode("ascii")), octets)
    return decoded.decode("utf-8", "surrogateescape")


_HEX_OCTET: Final = re.compile(rb"%([0-9A-Fa-f]{2})")


def normal_escapes(text: str) -> str:
    """Escapes of unreserved characters decoded, the others in upper case: equal texts for equal parts.

    A `%` that escapes nothing is escaped, so that what was decoded makes no escape with it.
    """
    return POSSIBLE_ESCAPE.sub(_normal_escape, text) if "%" in text else text


def _normal_escape(found: re.Match[str]) -> str:
    if found[1] is None:
        return "%25"
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0].upper()


def _optional_normal(text: str | None) -> str | None:
    return None if text is None else normal_escapes(text)


def _same_params(ours: UriParams, theirs: UriParams) -> bool:
    left, right = _decoded_params(ours), _decoded_params(theirs)
    if any((name in left) != (name in right) for name in _SIGNIFICANT):
        return False
    return all(right.get(name, value) == value for name, value in left.items())


def _decoded_params(params: UriParams) -> dict[str, str]:
    return {unescape(name).lower(): unescape(value or "").lower() for name, value in params}


def _decoded_headers(headers: str) -> list[tuple[str, str]]:
    if not headers:
        return []
    pairs = (item.partition("=") for item in headers.split("&"))
    return sorted((unescape(name).lower(), unescape(value)) for name, _, value in pairs)
