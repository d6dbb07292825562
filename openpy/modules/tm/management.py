"""What management asks of tm: requests of its own, their CANCEL, and replies to what was written to an application.

The texts of errors and answers are those of openser 1.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpy.engine.destinations import DestinationError
from openpy.engine.mi import MiError, Reply
from openpy.engine.module import ArgumentError
from openpy.engine.socketids import read_socket
from openpy.engine.sockets import Endpoint
from openpy.modules.tm.applications import Written
from openpy.modules.tm.errors import ERRORS
from openpy.modules.tm.relaying import Relaying
from openpy.modules.tm.requests import Answer, OwnRequest, Requests
from openpy.sip.dialog import Dialog
from openpy.sip.errors import RemoteError
from openpy.sip.grammar import TOKEN
from openpy.sip.message import Request, Response, parse_message
from openpy.sip.places import header_lines
from openpy.sip.uri import cached_uri

if TYPE_CHECKING:
    from openpy.engine.server import Server

NOTHING = "."
FIRST_CSEQ = 10
OWN_HEADERS = ("To", "From", "Call-ID", "CSeq", "Via", "Max-Forwards", "Content-Length")
"""What the request gets from us: never copied from what was asked."""


async def send_request(
    server: Server, requests: Requests, parts: tuple[str, str, str, str], text: str, body: str
) -> Reply:
    """`t_uac_dlg`: `parts` are method, Request-URI, next hop and socket; raises MiError."""
    method, uri, next_hop, socket = parts
    if not TOKEN.fullmatch(method) or method in ("ACK", "CANCEL"):
        raise MiError(400, "Invalid method")
    if not _is_uri(uri):
        raise MiError(400, "Invalid RURI")
    if next_hop != NOTHING and not _is_uri(next_hop):
        raise MiError(400, "Invalid NEXTHOP")
    leaves_by = None if socket == NOTHING else _socket(server, socket)
    headers = _headers(method, text, body)
    from_ = headers.get("From") or ""
    if not headers.from_.tag:
        from_ += f";tag={server.token()}"
    asked = OwnRequest(
        method,
        uri,
        from_,
        headers.get("To") or "",
        headers.get("Call-ID") or server.token(),
        headers.cseq.number if headers.has("CSeq") else FIRST_CSEQ,
        "" if next_hop == NOTHING else next_hop,
        headers=_copied(headers),
        body=body.encode("utf-8", "surrogateescape"),
        max_forwards=70 if headers.max_forwards is None else headers.max_forwards,
        address_mark="!!",
        socket=leaves_by,
    )
    try:
        return _told(await requests.send(asked))
    except DestinationError as error:
        status, reason = ERRORS[error.code]
        reply = Reply()
        reply.add(value=f"{status} {reason} ({-error.code}/MI/UAC)")
        return reply


def reply_for_application(
    server: Server,
    relaying: Relaying,
    written: Written,
    parts: tuple[str, str, str, str],
    text: str,
    body: str,
) -> None:
    """`t_reply`: `parts` are code, reason, `hash:label` and To tag; raises MiError."""
    code, reason, name, to_tag = parts
    if not _is_number(code) or not 100 <= int(code) < 700:
        raise MiError(400, "Invalid reply code")
    index, colon, label = name.partition(":")
    if not colon:
        raise MiError(400, "Invalid trans_id")
    if not _is_number(index):
        raise MiError(400, "Invalid index in trans_id")
    if not _is_number(label):
        raise MiError(400, "Invalid label in trans_id")
    transaction = written.find(name)
    if transaction is None:
        raise MiError(404, "Transaction not found")
    lines = [] if text == NOTHING else [line for line in text.splitlines() if line.strip()]
    headers = "".join(f"{line}\r\n" for line in lines)
    tag = "" if to_tag == NOTHING else to_tag
    reply_parts = tag, headers, body.encode("utf-8", "surrogateescape")
    if "\n" in reason + tag or not relaying.answer_outside(
        server, transaction, int(code), reason, reply_parts
    ):
        raise MiError(500, "Reply failed")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12


def _socket(server: Server, text: str) -> Endpoint:
    try:
        wanted = read_socket(text)
    except ArgumentError:
        raise MiError(404, "Invalid local socket") from None
    found = server.sockets.listening(wanted)
    if found is None:
        raise MiError(404, "Local socket not found")
    return found


def _headers(method: str, text: str, body: str) -> Request:
    """The headers that were asked for, as those of a request; raises MiError."""
    lines = text.replace("\r\n", "\n").strip("\n").replace("\n", "\r\n")
    data = f"{method} sip:openpy.invalid SIP/2.0\r\n{lines}\r\n\r\n".encode("utf-8", "surrogateescape")
    headers = parse_message(data)
    assert isinstance(headers, Request)
    if not lines or (headers.defect and not headers.has("Content-Length")):
        raise MiError(400, "Bad headers")
    if body and not headers.has("Content-Type"):
        raise MiError(400, "Content-Type missing")
    if body and headers.has("Content-Length"):
        raise MiError(400, "Content-Length disallowed")
    for name in ("To", "From"):
        if not headers.has(name):
            raise MiError(400, f"{name} missing")
    try:
        _ = headers.from_.tag
    except RemoteError:
        raise MiError(400, "Error in From") from None
    try:
        if headers.has("CSeq") and headers.cseq.method != method:
            raise MiError(400, "CSeq method mismatch")
    except RemoteError:
        raise MiError(400, "Bad CSeq number") from None
    try:
        _ = headers.max_forwards
    except RemoteError:
        raise MiError(400, "Bad headers") from None
    return headers


def _copied(headers: Request) -> str:
    lines = (line for line in header_lines(headers) if line.canonical not in OWN_HEADERS)
    return "".join(f"{line.name}: {line.value}\r\n" for line in lines)


def _told(answer: Answer) -> Reply:
    """The final reply as nodes: status line, where the dialog goes, and the rest of the reply."""
    reply = Reply()
    reply.add(value=f"{answer.status} {answer.reason}")
    for text in _places(answer.dialog):
        reply.add(value=text)
    reply.add(value=NOTHING if answer.response is None else _rest(answer.response))
    return reply


def _places(dialog: Dialog | None) -> tuple[str, str, str]:
    if dialog is None:
        return NOTHING, NOTHING, NOTHING
    uri, routes, next_hop = dialog.request_parts()
    return uri, next_hop if routes else NOTHING, f"Route: {', '.join(routes)}" if routes else NOTHING


def _rest(response: Response) -> str:
    """All behind the status line, without the empty lines at its end, which would end the answer on a FIFO."""
    text = response.raw.decode("utf-8", "surrogateescape").partition("\n")[2]
    return text.rstrip("\r\n")


def _is_uri(text: str) -> bool:
    try:
        cached_uri(text)
    except RemoteError:
        return False
    return not any(character.isspace() for character in text)
