"""Messages that we make: replies, requests, ACK and CANCEL.

Rules:
1. A reply never fails: it copies what the request has (RFC 3261 section 8.2.6) and leaves out what it lacks.
2. Text that came in goes out with the same octets (surrogateescape both ways).
3. `headers` are complete lines, each ending in CRLF, and trusted to be so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openpy.sip import headers as values
from openpy.sip.errors import LocalError, RemoteError
from openpy.sip.grammar import LWS
from openpy.sip.message import Request, Response, parse_message

__all__ = ["ack_for", "cancel_for", "reason_phrase", "reply", "request", "stamped_via"]

_REASONS: Final = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    204: "No Notification",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    412: "Conditional Request Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}

_CLASSES: Final = {
    1: "Trying",
    2: "OK",
    3: "Redirect",
    4: "Client Error",
    5: "Server Error",
    6: "Global Failure",
}


def reason_phrase(status: int) -> str:
    """The usual phrase for `status`; for an unknown one that of its class."""
    return _REASONS.get(status) or _CLASSES.get(status // 100, "Unknown")


def reply(
    request: Request,
    status: int,
    reason: str,
    *,
    to_tag: str = "",
    headers: str = "",
    body: bytes = b"",
    record_route: bool = False,
) -> bytes:
    """A reply to `request`.

    All Vias are copied, the top one stamped with where the request came from (`request.source`, RFC 3261
    section 18.2.1, RFC 3581). `to_tag` is added to a To that has no tag. `headers` are complete lines, each
    ending in CRLF. `record_route` copies the Record-Route headers. A 100 says when the request was sent
    (`Timestamp`, RFC 3261 section 8.2.6.1).
    """
    if "\n" in reason or "\r" in reason:
        raise LocalError("A reason phrase cannot hold a line end")
    first = request._first
    more = request._more
    if status == 100 and "Timestamp" in first:
        headers = _lines("Timestamp", request.all("Timestamp")[:1]) + headers
    try:
        vias = stamped_via(request)
        if more is not None and "Via" in more:
            vias = "\r\nVia:".join((vias, *more["Via"]))
        if record_route and "Record-Route" in first:
            headers = _lines("Record-Route", request.all("Record-Route")) + headers
        to = first["To"]
        if to_tag and not _has_tag(request, to):
            to = f"{to};tag={to_tag}"
        head = (
            f"SIP/2.0 {status} {reason}\r\nVia:{vias}\r\nFrom:{first['From']}\r\nTo:{to}\r\n"
            f"Call-ID:{first['Call-ID']}\r\nCSeq:{first['CSeq']}\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
    except KeyError:
        head = _incomplete_reply(request, f"SIP/2.0 {status} {reason}\r\n", to_tag, headers, len(body))
    return head.encode("utf-8", "surrogateescape") + body


def stamped_via(request: Request) -> str:
    """The first Via line's value with `received` and `rport` as the receiving side fills them in (RFC 3581 4).

    Raises KeyError if the request has no Via.
    """
    value = request._first["Via"]
    if request.source is None:
        return value
    host, port = request.source
    try:
        via = request.via
    except RemoteError:
        return value
    params = via.params_text.lower()
    if not request.wants_rport and "rport" not in params and "received" not in params:
        if via.host == host or via.host.strip("[]").lower() == host.lower():
            return value
        return _with_first_via(value, f"{via};received={host}")
    if "," not in value and "received" not in params and '"' not in value:
        if value.endswith(";rport"):
            return f"{value}={port};received={host}"
        if ";rport;" in value:
            return value.replace(";rport;", f";rport={port};received={host};", 1)
    filled = [(name, text) for name, text in via.params.items() if name not in ("received", "rport")]
    if "rport" in via.params or request.wants_rport:
        filled.append(("rport", str(port)))
    filled.append(("received", host))
    at = "" if via.port is None else f":{via.port}"
    params = "".join(f";{name}" if text is None else f";{name}={text}" for name, text in filled)
    return _with_first_via(value, f"SIP/2.0/{via.transport} {via.host}{at}{params}")


def _with_first_via(value: str, via: str) -> str:
    return f" {via}{values.split_first(value)[1]}"


def _has_tag(request: Request, to: str) -> bool:
    if "=" not in to:
        return False
    try:
        return bool(request.to.tag)
    except RemoteError:
        return True


def _lines(name: str, texts: Sequence[str]) -> str:
    return "".join(f"{name}: {text}\r\n" for text in texts)


def _incomplete_reply(request: Request, start_line: str, to_tag: str, headers: str, length: int) -> str:
    """The head of a reply to a request that lacks headers that it must have."""
    vias = request.all("Via")
    if vias:
        vias[0] = stamped_via(request).strip(LWS)
    to = request.all("To")[:1]
    if to and to_tag and not _has_tag(request, to[0]):
        to[0] += f";tag={to_tag}"
    return (
        start_line
        + _lines("Via", vias)
        + _lines("From", request.all("From")[:1])
        + _lines("To", to)
        + _lines("Call-ID", request.all("Call-ID")[:1])
        + _lines("CSeq", request.all("CSeq")[:1])
        + f"{headers}Content-Length: {length}\r\n\r\n"
    )


def request(
    method: str,
    uri: str,
    *,
    via: str,
    from_: str,
    to: str,
    call_id: str,
    cseq: int,
    max_forwards: int = 70,
    routes: Sequence[str] = (),
    headers: str = "",
    body: bytes = b"",
) -> bytes:
    """A request of our own. `via`, `from_`, `to` and each of `routes` are whole header values.

    Raises LocalError if one of the values holds a line end.
    """
    start = f"{method} {uri} SIP/2.0"
    if any("\n" in text or "\r" in text for text in (start, via, from_, to, call_id, *routes)):
        raise LocalError("A header value cannot hold a line end")
    head = (
        f"{start}\r\nVia: {via}\r\n{_lines('Route', routes)}Max-Forwards: {max_forwards}\r\n"
        f"From: {from_}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n"
        f"{headers}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("utf-8", "surrogateescape") + body


def ack_for(sent: Request | bytes, response: Response) -> bytes:
    """The ACK to a final response other than 2xx to the INVITE `sent` (RFC 3261 section 17.1.1.3)."""
    return _hop_request("ACK", _as_request(sent), response.get("To") or "")


def cancel_for(sent: Request | bytes) -> bytes:
    """The CANCEL of the request `sent` (RFC 3261 section 9.1)."""
    invite = _as_request(sent)
    return _hop_request("CANCEL", invite, invite.get("To") or "")


def _as_request(sent: Request | bytes) -> Request:
    message = parse_message(sent) if isinstance(sent, bytes) else sent
    if not isinstance(message, Request):
        raise LocalError("Only a request has an ACK or a CANCEL")
    return message


def _hop_request(method: str, sent: Request, to: str) -> bytes:
    try:
        return request(
            method,
            sent.uri,
            via=values.split_first(sent.all("Via")[0])[0],
            from_=sent.get("From") or "",
            to=to,
            call_id=sent.call_id,
            cseq=sent.cseq.number,
            routes=sent.all("Route"),
        )
    except (RemoteError, IndexError) as error:
        raise LocalError(f"The request has no {method}: {error}") from error
