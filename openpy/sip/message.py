"""SIP messages as received: split once, parsed when asked.

Rules:
1. `parse_message` is lenient: it refuses only what is no SIP message at all. What is wrong inside is found by
   validity.py or by reading a property, so that a refusal can be built from what is there.
2. A message keeps its bytes. `raw` is the message alone: no line ends before it, nothing behind its body.
3. Values are kept as they stand after the colon, and stripped when read. Folded lines are joined by a space.
4. A structured value is parsed when first read, and kept. Reading may raise RemoteError (400), nothing else.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from openpy.sip import headers
from openpy.sip.errors import RemoteError
from openpy.sip.grammar import LWS, TOKEN
from openpy.sip.headers import CSeq, Event, MediaType, NameAddr, Star, Via
from openpy.sip.names import CANONICAL, canonical_name

__all__ = ["Message", "Request", "Response", "find_body", "parse_message"]

_FOLD: Final = re.compile(r"\r?\n[ \t]++")

_Text: TypeAlias = tuple[str, dict[str, str], dict[str, list[str]] | None, str, int]
"""A head, its first and further values by name, what is wrong with it, and where the body starts."""


class Message:
    """What requests and responses share.

    `raw` are the message's bytes, `head` its text before the empty line, `body` its bytes, `source` the
    (host, port) it came from, set by the receiver; `wants_rport` says that its top Via counts as one with `rport`
    (RFC 3581). `defect` says what is wrong with its lines or its length, or is "".
    """

    __slots__ = (
        "_contacts",
        "_cseq",
        "_first",
        "_from",
        "_more",
        "_to",
        "_via",
        "_vias",
        "body",
        "defect",
        "head",
        "raw",
        "source",
        "wants_rport",
    )

    def __init__(self, data: bytes, text: _Text) -> None:
        head, first, more, defect, body_start = text
        self.head = head
        self.defect = defect
        self.source: tuple[str, int] | None = None
        self.wants_rport = False
        self._first = first
        self._more = more
        self._via: Via | None = None
        self._vias: list[Via] | None = None
        self._from: NameAddr | None = None
        self._to: NameAddr | None = None
        self._cseq: CSeq | None = None
        self._contacts: list[NameAddr] | Star | None = None
        body = data[body_start:]
        if "Content-Length" in first:
            size = self._stated_size(first["Content-Length"], len(body))
            if size != len(body):
                body = body[:size]
                data = data[: body_start + size]
        self.raw = data
        self.body = body

    def _stated_size(self, text: str, size: int) -> int:
        """What Content-Length says of a body of `size` octets; `size` where it cannot be right."""
        try:
            stated = headers.parse_number(text, "Content-Length")
        except RemoteError as error:
            self.defect = self.defect or error.reason
            return size
        if stated > size:
            self.defect = self.defect or "Content-Length larger than message"
            return size
        return stated

    def get(self, name: str) -> str | None:
        """The value of the first header `name`, unfolded and stripped, or None."""
        first = self._first
        if name in first:
            return first[name].strip(LWS)
        name = canonical_name(name)
        return first[name].strip(LWS) if name in first else None

    def has(self, name: str) -> bool:
        """Whether there is a header `name`."""
        return name in self._first or canonical_name(name) in self._first

    def all(self, name: str) -> list[str]:
        """The values of all headers `name`, one a line, unfolded and stripped."""
        first, more = self._first, self._more
        if name not in first:
            name = canonical_name(name)
            if name not in first:
                return []
        if more is None or name not in more:
            return [first[name].strip(LWS)]
        return [first[name].strip(LWS), *[value.strip(LWS) for value in more[name]]]

    def values(self, name: str) -> list[str]:
        """The members of all headers `name`, which are comma separated lists; empty members are left out."""
        return [item for line in self.all(name) for item in headers.split_list(line) if item]

    def count(self, name: str) -> int:
        """How many lines have a header `name`."""
        first, more = self._first, self._more
        if name not in first:
            name = canonical_name(name)
            if name not in first:
                return 0
        return 1 if more is None or name not in more else 1 + len(more[name])

    def repeats(self) -> tuple[str, ...]:
        """The canonical names of the headers that have more than one line."""
        return tuple(self._more) if self._more else ()

    def _required(self, name: str) -> str:
        try:
            return self._first[name]
        except KeyError:
            raise RemoteError(400, f"Missing {name}") from None

    @property
    def via(self) -> Via:
        """The top Via."""
        if self._via is None:
            value = self._required("Via")
            self._via = headers.parse_via(headers.split_first(value)[0] if "," in value else value)
        return self._via

    @property
    def vias(self) -> list[Via]:
        """All Vias in order, the top one first."""
        if self._vias is None:
            self._required("Via")
            self._vias = [via for line in self.all("Via") for via in headers.parse_via_list(line)]
        return self._vias

    def _name_addr(self, text: str) -> NameAddr:
        """One that identifies the dialog: a To tag tells that there is one."""
        if "tag=" in self._first.get("To", ""):
            return headers.recalled_name_addr(text)
        return headers.parse_name_addr(text)

    @property
    def from_(self) -> NameAddr:
        """The From value."""
        if self._from is None:
            self._from = self._name_addr(self._required("From"))
        return self._from

    @property
    def to(self) -> NameAddr:
        """The To value."""
        if self._to is None:
            self._to = self._name_addr(self._required("To"))
        return self._to

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self._required("Call-ID").strip(LWS)

    @property
    def cseq(self) -> CSeq:
        """The CSeq number and method."""
        if self._cseq is None:
            self._cseq = headers.parse_cseq(self._required("CSeq"))
        return self._cseq

    @property
    def contacts(self) -> list[NameAddr] | Star:
        """All Contact values, or STAR; an empty list if there is no Contact."""
        if self._contacts is None:
            self._contacts = headers.parse_contacts(self.all("Contact"))
        return self._contacts

    @property
    def max_forwards(self) -> int | None:
        """Max-Forwards, at most 255; None if absent."""
        value = self._number("Max-Forwards")
        return None if value is None else min(value, 255)

    @property
    def content_length(self) -> int | None:
        """Content-Length as stated; None if absent. See `body` for what is there."""
        return self._number("Content-Length")

    @property
    def expires(self) -> int | None:
        """Expires in seconds, at most 2**32 - 1; None if absent."""
        return self._number("Expires")

    def _number(self, name: str) -> int | None:
        value = self._first.get(name)
        return None if value is None else headers.parse_number(value, name)

    @property
    def event(self) -> Event | None:
        """The Event value; None if absent."""
        value = self._first.get("Event")
        return None if value is None else headers.parse_event(value)

    @property
    def content_type(self) -> MediaType | None:
        """The Content-Type; None if absent."""
        value = self._first.get("Content-Type")
        return None if value is None else headers.parse_media_type(value)


class Request(Message):
    """A request: `method`, `uri` as text, `version`.

    `repaired` is set if the request line was not as it should be (brackets, spaces or headers in the
    Request-URI, spaces too many): `uri` is what it should have been, and a forwarded request gets a new line.
    """

    __slots__ = ("method", "repaired", "uri", "version")

    def __init__(
        self, data: bytes, text: _Text, method: str, uri: str, version: str, repaired: bool = False
    ) -> None:
        super().__init__(data, text)
        self.method = method
        self.uri = uri
        self.version = version
        self.repaired = repaired

    def identity(self) -> tuple[str, str, str] | None:
        """What all copies of a request outside of a dialog share, as written: From, Call-ID, CSeq (section 8.2.2.2).

        None in a dialog, which the To tag shows, and where a header is missing.
        """
        first = self._first
        try:
            return None if "tag=" in first["To"] else (first["From"], first["Call-ID"], first["CSeq"])
        except KeyError:
            return None

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri}>"


class Response(Message):
    """A response: `status`, `reason` (may be empty), `version`."""

    __slots__ = ("reason", "status", "version")

    def __init__(self, data: bytes, text: _Text, version: str, status: int, reason: str) -> None:
        super().__init__(data, text)
        self.version = version
        self.status = status
        self.reason = reason

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


def parse_message(data: bytes) -> Request | Response:
    """The message in a datagram, or in what a stream's framer cut out.

    Raises RemoteError (400) if it has no end of head or no start line: there is nothing to answer then.
    """
    if data[:1] in _LINE_END_STARTS:
        data = data.lstrip(b"\r\n")
    head_end = data.find(b"\r\n\r\n")
    body_start = head_end + 4
    head = data[:head_end].decode("utf-8", "surrogateescape") if head_end >= 0 else ""
    lines = head.split("\r\n")
    inside = "".join(lines)
    is_broken = "\r" in inside
    if head_end < 0 or "\n" in inside:  # some lines end in a bare LF, and so may the head
        head_end, body_start = find_body(data)
        if head_end < 0:
            raise RemoteError(400, "No end of head")
        head = data[:head_end].decode("utf-8", "surrogateescape")
        lines = [line.removesuffix("\r") for line in head.split("\n")]
        is_broken = head.count("\r") != head.count("\r\n")
    start_line = lines[0]
    del lines[0]
    first, more, defect = _index(lines) or _index(_unfolded_lines(head)) or ({}, None, "")
    if is_broken:
        defect = defect or "Carriage return inside a line"
    text = head, first, more, defect, body_start
    words = start_line.split(" ")
    if len(words) == 3 and words[2][:4] == "SIP/":
        method, uri, version = words
        if "?" not in uri and "<" not in uri:
            return Request(data, text, method, uri, version)
    if start_line[:4].upper() == "SIP/":
        version, _, rest = start_line.partition(" ")
        code, _, reason = rest.partition(" ")
        if not (code.isascii() and code.isdigit() and len(code) <= 32):
            raise RemoteError(400, "Malformed status line")
        return Response(data, text, version, int(code), reason.strip(LWS))
    return Request(data, text, *_unusual_request_line(start_line))


def _index(lines: list[str]) -> tuple[dict[str, str], dict[str, list[str]] | None, str] | None:
    """The first value of each header, the further ones, and what is wrong. None: a line is folded."""
    first: dict[str, str] = {}
    more: dict[str, list[str]] | None = None
    defect = ""
    names = CANONICAL
    for line in lines:
        name, colon, value = line.partition(":")
        try:
            name = names[name]
        except KeyError:
            if line[:1] in _FOLD_STARTS:
                return None
            if not TOKEN.match(name.rstrip(LWS)):
                defect = "Malformed header line"
                continue
            name = canonical_name(name)
        if not colon:
            defect = "Malformed header line"
        elif name not in first:
            first[name] = value
        else:
            if more is None:
                more = {}
            more.setdefault(name, []).append(value)
    return first, more, defect


def find_body(data: bytes | bytearray, start: int = 0) -> tuple[int, int]:
    """Where the head ends and the body starts: (end of the last line's text, first octet of the body).

    Looks from `start` on for the first empty line, which may end in a bare LF. (-1, -1) if there is none.
    """
    crlf = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, crlf + 1 if crlf >= 0 else len(data))
    if bare >= 0:
        end, body = bare, bare + 2
    elif crlf >= 0:
        end, body = crlf, crlf + 3
    else:
        return -1, -1
    return (end - 1 if end > 0 and data[end - 1] == 13 else end), body


_FOLD_STARTS: Final = (" ", "\t")
_LINE_END_STARTS: Final = (b"\r", b"\n")


def _unfolded_lines(head: str) -> list[str]:
    """The header lines with each folded one joined by a space."""
    rest = head.partition("\n")[2]
    return [line.removesuffix("\r") for line in _FOLD.sub(" ", rest).lstrip(LWS).split("\n")]


def _unusual_request_line(text: str) -> tuple[str, str, str, bool]:
    """The parts of a line that is not plain `METHOD URI SIP/2.0`, and whether it has to be written anew.

    Raises RemoteError (400) if it is no request line.
    """
    method, _, rest = text.replace("\t", " ").strip(" ").partition(" ")
    uri, space, version = rest.strip(" ").rpartition(" ")
    if not space or version[:4].upper() != "SIP/":
        raise RemoteError(400, "Malformed start line")
    uri = uri.strip(" ")
    if uri.startswith("<") and uri.endswith(">"):
        uri = uri[1:-1]
    uri = uri.replace(" ", "")
    if uri[:4].lower() == "sip:" or uri[:5].lower() == "sips:":
        userinfo, at, hostport = uri.rpartition("@")
        uri = userinfo + at + hostport.partition("?")[0]
    return method, uri, version, f"{method} {uri} {version}" != text
