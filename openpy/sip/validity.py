"""Whether a message may be worked with (RFC 3261 sections 8.2, 16.3 and 18.3, RFC 4475).

Rules:
1. A request that fails is answered with the error raised; a response that fails is dropped.
2. The usual spelling of a header passes one expression; anything else is parsed in full.
3. Only what every element needs is checked: what one method or module reads is checked when it is read.
"""

from __future__ import annotations

from typing import Final

from openpy.sip import grammar, headers
from openpy.sip.errors import RemoteError
from openpy.sip.message import Message, Request, Response
from openpy.sip.uri import parse_uri

__all__ = ["check_request", "check_response"]

_SINGLE: Final = frozenset(("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"))
_SCHEMES: Final = ("sip", "sips", "tel")


def check_request(request: Request) -> None:
    """Raises RemoteError if `request` must be refused.

    505: not SIP/2.0. 416: a Request-URI that is neither SIP, SIPS nor TEL. 400: something is malformed,
    missing or repeated; the reason names the fault.
    """
    if request.version != "SIP/2.0" and request.version.upper() != "SIP/2.0":
        raise RemoteError(505, "Version Not Supported")
    method = _check_common(request)
    if method != request.method:
        raise RemoteError(400, "CSeq method does not match")
    value = request._first.get("Max-Forwards")
    if value is not None:
        headers.parse_number(value, "Max-Forwards")
    if not grammar.SIP_URI_NORMAL.match(request.uri) and parse_uri(request.uri).scheme not in _SCHEMES:
        raise RemoteError(416, "Unsupported URI Scheme")


def check_response(response: Response) -> None:
    """Raises RemoteError if `response` must be dropped."""
    if response.version.upper() != "SIP/2.0":
        raise RemoteError(505, "Version Not Supported")
    if not 100 <= response.status <= 699:
        raise RemoteError(400, "Status code out of range")
    _check_common(response)


def _check_common(message: Message) -> str:
    """Checks what requests and responses share; returns the method in CSeq."""
    if message.defect:
        raise RemoteError(400, message.defect)
    if message._more is not None:
        _check_repeated(message)
    first = message._first
    try:
        via, call_id, cseq = first["Via"], first["Call-ID"], first["CSeq"]
    except KeyError as missing:
        raise RemoteError(400, f"Missing {missing.args[0]}") from None
    _ = message.via, message.from_, message.to
    if "," in via:
        _ = message.vias
    if not grammar.CALLID.match(call_id):
        raise RemoteError(400, "Malformed Call-ID")
    if "Contact" in first:
        _ = message.contacts
    found = grammar.CSEQ.match(cseq)
    return found[2] if found and len(found[1]) <= 9 else message.cseq.method


def _check_repeated(message: Message) -> None:
    for name in message.repeats():
        if name in _SINGLE:
            raise RemoteError(400, f"Two {name} header fields")
    if "Via" in message.repeats():
        _ = message.vias
