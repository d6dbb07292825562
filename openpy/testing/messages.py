"""Messages from a few words: requests as phones send them, replies as the next hop gives them.

Rules:
1. What is not said is filled in, so that the request is one that a server accepts: a PUBLISH has an event, a lifetime
   and a document. What is said replaces what would be filled in; None leaves the header out.
2. Headers are given by keyword (`Content_Type="text/plain"`) or, where their name is no Python word, in a mapping. A
   list gives one line for each of its members.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openpy.engine.sockets import bracketed
from openpy.sip.build import reason_phrase
from openpy.sip.message import Request
from openpy.sip.names import canonical_name

Header = str | int | Sequence[str] | None
"""The value of a header, or several, or that there is none."""

Headers = Mapping[str, Header]

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)
"""What an INVITE offers, unless another body is given."""

_COMPLETION: dict[str, dict[str, Header]] = {
    "INVITE": {"Contact": "<{contact}>", "Content-Type": "application/sdp"},
    "PUBLISH": {"Event": "presence", "Expires": 3600, "Content-Type": "application/pidf+xml"},
    "REGISTER": {"Contact": "<{contact}>", "Expires": 3600},
    "SUBSCRIBE": {"Event": "presence", "Expires": 3600, "Contact": "<{contact}>"},
    "NOTIFY": {"Event": "presence", "Subscription-State": "active", "Contact": "<{contact}>"},
    "REFER": {"Contact": "<{contact}>"},
    "UPDATE": {"Contact": "<{contact}>"},
}
"""What a request of a method has besides what every request has (rule 1)."""


def pidf(entity: str, basic: str = "open", note: str = "") -> bytes:
    """A presence document with one tuple; `basic` is `open` or `closed`."""
    noted = f"<note>{note}</note>" if note else ""
    return (
        f'<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="{entity}"><tuple id="phone"><status>'
        f"<basic>{basic}</basic></status>{noted}</tuple></presence>"
    ).encode()


def request(
    method: str,
    uri: str,
    headers: Headers | None = None,
    body: bytes | str | None = None,
    *,
    source: tuple[str, str, int] = ("udp", "192.0.2.1", 5060),
    number: int = 1,
) -> bytes:
    """A request from alice, at `source` (transport, host, port), to a URI. `number` tells it from others."""
    transport, host, port = source[0], bracketed(source[1]), source[2]
    given = named(headers or {})
    made: dict[str, Header] = {
        "Via": f"SIP/2.0/{transport.upper()} {host}:{port};branch=z9hG4bKtest{number}",
        "Max-Forwards": 70,
        "From": "<sip:alice@example.com>;tag=alice",
        "To": f"<{uri}>",
        "Call-ID": f"call{number}@{host}",
        "CSeq": f"1 {method}",
        **_COMPLETION.get(method, {}),
    }
    if body is None and "Content-Type" not in given:
        body = {"PUBLISH": pidf(uri), "INVITE": SDP}.get(method)
    if not body:
        made.pop("Content-Type", None)
    contact = f"sip:alice@{host}:{port}" + (";transport=tcp" if transport == "tcp" else "")
    lines = [
        line.replace("{contact}", contact) if name not in given else line
        for name, line in _lines({**made, **given})
    ]
    return _message(f"{method} {uri} SIP/2.0", lines, body)


def reply(
    to: Request,
    status: int,
    reason: str | None = None,
    headers: Headers | None = None,
    body: bytes | str | None = None,
) -> bytes:
    """A reply to a request that was sent to somebody, with a To-tag of theirs from 180 on."""
    target = to.get("To") or ""
    if status > 100 and ";tag=" not in target:
        target += ";tag=peer"
    made: dict[str, Header] = {
        "Via": to.all("Via"),
        "Record-Route": to.all("Record-Route"),
        "From": to.get("From"),
        "To": target,
        "Call-ID": to.get("Call-ID"),
        "CSeq": to.get("CSeq"),
        **named(headers or {}),
    }
    phrase = reason_phrase(status) if reason is None else reason
    return _message(f"SIP/2.0 {status} {phrase}", [line for _, line in _lines(made)], body)


def named(headers: Headers) -> dict[str, Header]:
    """Headers by the names that stand in a message: `Content_Type` is Content-Type."""
    return {canonical_name(name.replace("_", "-")): value for name, value in headers.items()}


def _lines(headers: Headers) -> list[tuple[str, str]]:
    """Each line with the name of its header."""
    found = []
    for name, value in headers.items():
        if value is not None:
            values = [str(value)] if isinstance(value, (str, int)) else value
            found += [(name, f"{name}: {item}") for item in values]
    return found


def _message(start: str, lines: Sequence[str], body: bytes | str | None) -> bytes:
    octets = body.encode() if isinstance(body, str) else body or b""
    head = [start, *lines, f"Content-Length: {len(octets)}"]
    return "\r\n".join(head).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + octets
