"""Header names: any case and the compact forms are one name (RFC 3261 section 7.3.3)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

__all__ = ["CANONICAL", "canonical_name"]

_COMPACT: Final = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "n": "Identity-Info",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}

# fmt: off
_NAMES: Final = (
    "Accept", "Accept-Contact", "Accept-Encoding", "Accept-Language", "Alert-Info", "Allow",
    "Allow-Events", "Authentication-Info", "Authorization", "Call-ID", "Call-Info", "Contact",
    "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Type",
    "CSeq", "Date", "Diversion", "Error-Info", "Event", "Expires", "From", "Identity", "Identity-Info",
    "In-Reply-To", "Join", "Max-Forwards", "MIME-Version", "Min-Expires", "Min-SE", "Organization",
    "P-Asserted-Identity", "P-Preferred-Identity", "Path", "Priority", "Privacy", "Proxy-Authenticate",
    "Proxy-Authorization", "Proxy-Require", "RAck", "Reason", "Record-Route", "Refer-To", "Referred-By",
    "Reject-Contact", "Remote-Party-ID", "Replaces", "Reply-To", "Request-Disposition", "Require",
    "Retry-After", "Route", "RSeq", "Server", "Service-Route", "Session-Expires", "SIP-ETag",
    "SIP-If-Match", "Subject", "Subscription-State", "Supported", "Suppress-If-Match", "Timestamp", "To",
    "Unsupported", "User-Agent", "Via", "Warning", "WWW-Authenticate",
)
# fmt: on

_BY_LOWER: Final = {name.lower(): name for name in _NAMES} | _COMPACT

CANONICAL: Final[dict[str, str]] = {
    spelling: name
    for lower, name in _BY_LOWER.items()
    for spelling in (name, lower, lower.upper(), lower.title())
}
"""Spellings met in practice; any other goes through `canonical_name`."""


def canonical_name(name: str) -> str:
    """The canonical spelling of a header name in any case, long or compact; white space around it is ignored.

    A name that we do not know gets capitals after hyphens: `x-foo` is `X-Foo`.
    """
    known = CANONICAL.get(name)
    if known is not None:
        return known
    return _unusual_name(name) if len(name) <= 64 else _spell(name)


def _spell(name: str) -> str:
    if not name.isascii():
        return name
    lower = name.strip(" \t").lower()
    return _BY_LOWER.get(lower) or "-".join(part.capitalize() for part in lower.split("-"))


_unusual_name = lru_cache(maxsize=1024)(_spell)
