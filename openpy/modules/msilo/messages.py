"""What is kept of a MESSAGE for who is away, and how it is sent later (RFC 3428; openser 1.3 module msilo). Pure.

Rules:
1. A message is kept whole or not at all: one whose body means something only beside a header that no column holds
   (Content-Encoding), or whose type does not fit its column, is not kept.
2. The date goes before plain text only, in the text's own character set: any other body is sent as it came, and every
   message has a Date.
3. What rows hold may have been written by others: it cannot add a header line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import NamedTuple

from openpy.modules.tm.api import OwnRequest
from openpy.sip.errors import RemoteError
from openpy.sip.headers import MediaType, parse_media_type
from openpy.sip.message import Request
from openpy.sip.uri import cached_uri

FIRST_CSEQ = 10
"""As 1.3 numbers its own requests."""

LATEST = 2**31 - 1
"""The end of time, as the columns hold it."""

PLAIN = "text/plain"


class NotKept(Exception):
    """A message that cannot be kept: says why."""


class Owner(NamedTuple):
    """Whose messages: the user and the domain of an address-of-record."""

    user: str
    domain: str

    @property
    def uri(self) -> str:
        """The address-of-record."""
        return f"sip:{self.user}@{self.domain}"


class Message(NamedTuple):
    """A message that is kept. Times are Unix time; `due` is when to send a reminder, 0 for any other message."""

    sender: str
    recipient: str
    owner: Owner
    stored: int
    expires: int
    due: int
    content_type: str
    body: bytes


class Stored(NamedTuple):
    """A message as its row has it."""

    id: int
    message: Message


def owner_of(uri: str, *, fold: bool) -> Owner:
    """Whose messages those to a URI are; with `fold` the user's letter case does not count. Raises NotKept."""
    try:
        user, at, domain = cached_uri(uri).aor().removeprefix("sip:").rpartition("@")
    except RemoteError:
        at = ""
    if not at or not user:
        raise NotKept(f'"{uri}" is nobody\'s address')
    return Owner(user.lower() if fold else user, domain)


def read(request: Request, owner: Owner, now: int, lifetime: int, due: int = 0) -> Message:
    """What is kept of a request, for `lifetime` seconds or for as long as its Expires says; raises NotKept."""
    if not request.body:
        raise NotKept("the message has no body")
    if request.has("Content-Encoding") and request.get("Content-Encoding") != "identity":
        raise NotKept("the body is encoded, which no column says")
    content_type = request.get("Content-Type") or ""
    try:
        parse_media_type(content_type)
        sender, recipient = request.from_.uri, request.to.uri
    except RemoteError as error:
        raise NotKept(error.reason) from None
    try:
        wanted = request.expires
    except RemoteError:
        wanted = None
    if wanted is not None:
        lifetime = min(lifetime, wanted)
    if lifetime <= 0:
        raise NotKept("it has expired")
    expires = min(now + lifetime, LATEST)
    return Message(str(sender), str(recipient), owner, now, expires, due, content_type, request.body)


def content_types(text: str) -> Iterator[str]:
    """A Content-Type, and shorter ones that mean the same to who reads the body, for columns that are too narrow."""
    yield text
    media = parse_media_type(text)
    if media.type == "text":
        charset = media.params.get("charset")
        yield f"{media.full};charset={charset}" if charset else media.full


def due_time(text: str) -> int:
    """The time that `YYYYMMDDHHMMSS` is here, in Unix time; raises ValueError."""
    if not (len(text) == 14 and text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(time.mktime(time.strptime(text, "%Y%m%d%H%M%S")))


def sent_later(
    stored: Stored, label: str, sender: str, token: str, *, next_hop: str = "", dated: bool = True
) -> OwnRequest:
    """The request that brings a message: `label` says what it is, if it is `dated`; `sender` is its From."""
    message = stored.message
    content_type = "".join(c if c.isprintable() else " " for c in message.content_type) or PLAIN
    body = message.body
    if dated:
        body = _prefix(content_type, f"[{label} message - {time.ctime(message.stored)}] ") + body
    uri = message.recipient if _is_of(message.recipient, message.owner) else message.owner.uri
    headers = f"Date: {formatdate(message.stored, usegmt=True)}\r\n" + described(content_type, sender)
    return _message(uri, sender, message.recipient, token, next_hop, headers, body)


def notice(message: Message, uri: str, registrar: str, token: str, next_hop: str = "") -> OwnRequest:
    """What tells a sender, at this URI, that the message waits."""
    text = f"User [{message.recipient}] is offline. The message will be delivered when user goes online."
    body = text.encode("utf-8", "surrogateescape")
    return _message(uri, registrar, message.sender, token, next_hop, described(PLAIN, registrar), body)


def described(content_type: str, sender: str) -> str:
    """The header lines of our messages, by which 1.3's scripts know them."""
    return f"Content-Type: {content_type}\r\nContact: <{sender}>;msilo=yes\r\n"


def _message(
    uri: str, sender: str, recipient: str, token: str, next_hop: str, headers: str, body: bytes
) -> OwnRequest:
    return OwnRequest(
        "MESSAGE",
        uri,
        f"<{sender}>;tag={token}",
        f"<{recipient}>",
        token,
        FIRST_CSEQ,
        next_hop,
        (),
        headers,
        body,
    )


def _is_of(uri: str, owner: Owner) -> bool:
    """Whether a URI leads to an owner; it may say more, such as a port."""
    try:
        return cached_uri(uri).aor().lower() == owner.uri.lower()
    except RemoteError:
        return False


def _prefix(content_type: str, text: str) -> bytes:
    """What is put before a body: nothing where it could do harm."""
    try:
        media: MediaType = parse_media_type(content_type)
        if media.full != PLAIN:
            return b""
        charset = (media.params.get("charset") or "utf-8").strip('"')
        prefix = text.encode("ascii")
        return prefix if text.encode(charset) == prefix else b""
    except (RemoteError, LookupError, ValueError):  # an unknown character set, or none of text
        return b""
