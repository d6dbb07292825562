"""The URIs of a request that rules are about, as 1.3 writes them.

Who asks (From, To) is as it stands in the message. What is asked for is plain: `sip:user@host`, whatever its scheme,
and without port, password, parameters and headers. A Request-URI without a user is `sip:@host`, any other `sip:host`,
and a TEL URI `sip:number@`. Of the user no more is escaped than has to be: `%30900` is `0900` (RFC 3261 19.1.4), and a
rule about that is not to be got around.
"""

from __future__ import annotations

from openpy.engine.run import Run
from openpy.sip.errors import RemoteError
from openpy.sip.headers import Star
from openpy.sip.uri import cached_uri, normal_escapes

__all__ = ["branches", "contacts", "plain"]


def plain(text: str, *, is_request_uri: bool = False) -> str:
    """The plain URI; raises RemoteError for what is no SIP, SIPS or TEL URI."""
    uri = cached_uri(text)
    if uri.is_sip:
        user = normal_escapes(uri.user or "")
        return f"sip:{user}@{uri.host}" if user or is_request_uri else f"sip:{uri.host}"
    if uri.scheme != "tel":
        raise RemoteError(400, "Unsupported URI scheme")
    return f"sip:{uri.subscriber}@"


def branches(run: Run, *, every: bool) -> list[str]:
    """Where a request is to go: the plain Request-URI, and those of `every` branch; raises RemoteError."""
    first = plain(run.uri, is_request_uri=True)
    return [first, *(plain(branch.uri) for branch in run.state.branches)] if every else [first]


def contacts(run: Run) -> list[str]:
    """What a REGISTER registers, in plain URIs; none if it asks, or takes all away. Raises RemoteError."""
    found = run.message.contacts
    return [] if isinstance(found, Star) else [plain(contact.uri_text) for contact in found]
