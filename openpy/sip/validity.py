"""Whether a message may be worked with (RFC 3261 sections 8.2, 16.3 and 18.3, RFC 4475).

Rules:
1. A request that fails is answered with the error raised; a response that fails is dropped.
2. The usual spelling of a header passes one expression; anything else is parsed in full.
3. Only what every element needs is checked: what one method or module reads is checked when it is read.
4. Limits are looked at only where the size of the head makes it possible that one is passed.
"""

from __future__ import annotations

from typing import Final

from openpy.sip import grammar, headers
from openpy.sip.errors import RemoteError
from openpy.sip.grammar import LWS
from openpy.sip.message import Message, Request, Response
from openpy.sip.uri import parse_uri

__all__ = ["LIMITS", "Limits", "check_request", "check_response"]

_SINGLE: Final = frozenset(("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"))
_SCHEMES: Final = ("sip", "sips", "tel")
_LISTS: Final = ("Via", "Route", "Record-Route", "Contact")
_SHORTEST_LINE: Final = 4  # octets: `a:` and its line end


class Limits:
    """The most that a message may have: characters of its head and of a Request-URI, header lines.

    One Via, Route, Record-Route or Contact has no more values than a message has lines.
    """

    __slots__ = ("harmless", "head", "lines", "uri")

    def __init__(self, head: int = 65_535, lines: int = 256, uri: int = 4096) -> None:
        self.head: Final = head
        self.lines: Final = lines
        self.uri: Final = uri
        self.harmless: Final = min(head, uri, _SHORTEST_LINE * lines)
        """A head of no more characters is within all limits."""


LIMITS: Final = Limits()


def check_request(request: Request, limits: Limits = LIMITS) -> None:
    """Raises RemoteError if `request` must be refused.

    505: not SIP/2.0. 416: a Request-URI that is neither SIP, SIPS nor TEL. 414: one that is too long. 513: a head
    that is too long. 400: something is malformed, missing, repeated or too much; the reason names the fault.
    """
    if len(request.head) > limits.harmless:
        _check_size(request, limits)
        if len(request.uri) > limits.uri:
            raise RemoteError(414, "Request-URI Too Long")
    if request.version != "SIP/2.0" and request.version.upper() != "SIP/2.0":
        raise RemoteError(505, "Version Not Supported")
    _check_common(request)
    found = grammar.CSEQ.match(request._first["CSeq"])
    method = found[2] if found and len(found[1]) <= 9 else request.cseq.method
    if method != request.method:
        raise RemoteError(400, "CSeq method does not match")
    if "Contact" in request._first:
        _ = request.contacts
    value = request._first.get("Max-Forwards")
    if value is not None:
        headers.parse_number(value, "Max-Forwards")
    if not grammar.SIP_URI_NORMAL.match(request.uri) and parse_uri(request.uri).scheme not in _SCHEMES:
        raise RemoteError(416, "Unsupported URI Scheme")


def check_response(response: Response, limits: Limits = LIMITS) -> None:
    """Raises RemoteError if `response` must be dropped."""
    if len(response.head) > limits.harmless:
        _check_size(response, limits)
    if response.version.upper() != "SIP/2.0":
        raise RemoteError(505, "Version Not Supported")
    if not 100 <= response.status <= 699:
        raise RemoteError(400, "Status code out of range")
    _check_common(response)
    _ = response.cseq


def _check_size(message: Message, limits: Limits) -> None:
    if len(message.head) > limits.head:
        raise RemoteError(513, "Message Too Large")
    if message.head.count("\n") > limits.lines:
        raise RemoteError(400, "Too many header lines")
    for name in _LISTS:
        if len(message.values(name)) > limits.lines:
            raise RemoteError(400, f"Too many {name} values")


def _check_common(message: Message) -> None:
    """Check what requests and responses share; CSeq is there then."""
    if message.defect:
        raise RemoteError(400, message.defect)
    if message._more is not None:
        _check_repeated(message, message._more)
    first = message._first
    try:
        via, call_id, _ = first["Via"], first["Call-ID"], first["CSeq"]
    except KeyError as missing:
        raise RemoteError(400, f"Missing {missing.args[0]}") from None
    _ = message.via, message.from_, message.to
    if "," in via:
        _ = message.vias
    if not (_is_plain_word(call_id.strip(LWS)) or grammar.CALLID.match(call_id)):
        raise RemoteError(400, "Malformed Call-ID")


def _is_plain_word(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text and text != ""


def _check_repeated(message: Message, more: dict[str, list[str]]) -> None:
    """`more` are the lines behind the first one of each name."""
    for name, further in more.items():
        if name in _SINGLE:
            raise RemoteError(400, f"Two {name} header fields")
        if name == "Via":
            for line in further:
                if not grammar.VIA_NORMAL.match(line):
                    _ = message.vias
