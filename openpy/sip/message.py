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
from typing import Final, NamedTuple

from openpy.sip import headers
from openpy.sip.errors import RemoteError
from openpy.sip.grammar import LWS, TOKEN
from openpy.sip.headers import CSeq, Event, MediaType, NameAddr, Star, Via
from openpy.sip.names import CANONICAL, canonical_name

__all__ = ["HeaderLine", "Message", "Request", "Response", "find_body", "parse_message"]

_FOLD: Final = re.compile(r"\r?\n[ \t]++")


class HeaderLine(NamedTuple):
    """One header as it stands in `Message.raw`: `raw[start:end]` is the whole of it with its line end.

    `name` is as written, `canonical` its canonical spelling, `value` unfolded and stripped.
    """

    name: str
    canonical: str
    value: str
    start: int
    end: int


class Message:
    """What requests and responses share.

    `raw` are the message's bytes, `head` its text before the empty line, `body` its bytes, `source` the
    (host, port) it came from, set by the receiver. `defect` says what makes a line no header line, or is "".
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
    )

    def __init__(self, raw: bytes, head: str, lines: list[str], body_start: int) -> None:
        self.head = head
        self.source: tuple[str, int] | None = None
        self.defect = ""
        self._via: Via | None = None
        self._vias: list[Via] | None = None
        self._from: NameAddr | None = None
        self._to: NameAddr | None = None
        self._cseq: CSeq | None = None
        self._contacts: list[NameAddr] | Star | None = None
        self._more: dict[str, list[str]] | None = None
        first = self._index(lines)
        if first is None:
            self._more = None
            self.defect = ""
            first = self._index(_unfolded_lines(head))
        self._first: dict[str, str] = first or {}
        body = raw[body_start:]
        if "Content-Length" in self._first:
            size = _loose_number(self._first["Content-Length"])
            if 0 <= size < len(body):
                body = body[:size]
                raw = raw[: body_start + size]
        self.raw = raw
        self.body = body

    def _index(self, lines: list[str]) -> dict[str, str] | None:
        """The first value of each header; further ones go to `_more`. None: a line is folded."""
        first: dict[str, str] = {}
        names = CANONICAL
        more = None
        for line in lines:
            name, colon, value = line.partition(":")
            try:
                name = names[name]
            except KeyError:
                if line[:1] in _FOLD_STARTS:
                    return None
                if not colon or not TOKEN.match(name.rstrip(LWS)):
                    self.defect = self.defect or "Malformed header line"
                    continue
                name = canonical_name(name)
            if name not in first:
                first[name] = value
            else:
                if more is None:
                    more = self._more = {}
                more.setdefault(name, []).append(value)
        return first

    def get(self, name: str) -> str | None:
        """The value of the first header `name`, unfolded and stripped, or None."""
        value = self._first.get(name)
        if value is None:
            value = self._first.get(canonical_name(name))
            if value is None:
                return None
        return value.strip(LWS)

    def has(self, name: str) -> bool:
        """Whether there is a header `name`."""
        return name in self._first or canonical_name(name) in self._first

    def all(self, name: str) -> list[str]:
        """The values of all headers `name`, one a line, unfolded and stripped."""
        name = canonical_name(name)
        value = self._first.get(name)
        if value is None:
            return []
        if self._more is None or name not in self._more:
            return [value.strip(LWS)]
        return [value.strip(LWS), *[more.strip(LWS) for more in self._more[name]]]

    def values(self, name: str) -> list[str]:
        """The members of all headers `name`, which are comma separated lists; empty members are left out."""
        return [item for line in self.all(name) for item in headers.split_list(line) if item]

    def repeats(self) -> tuple[str, ...]:
        """The canonical names of the headers that have more than one line."""
        return tuple(self._more) if self._more else ()

    def header_lines(self) -> list[HeaderLine]:
        """Every header line in order, with its place in `raw`. Lines that are no headers are left out."""
        found: list[HeaderLine] = []
        lines = self.raw[: len(self.raw) - len(self.body)].split(b"\n")
        end = len(lines[0]) + 1
        index = 1
        while index < len(lines) - 1:
            start = end
            name, colon, value = lines[index].partition(b":")
            end += len(lines[index]) + 1
            index += 1
            if lines[index][:1] in _FOLD_OCTETS:
                pieces = [value.removesuffix(b"\r")]
                while lines[index][:1] in _FOLD_OCTETS:
                    pieces.append(lines[index].removesuffix(b"\r").lstrip(b" \t"))
                    end += len(lines[index]) + 1
                    index += 1
                value = b" ".join(pieces)
            if colon:
                written = name.decode("utf-8", "surrogateescape")
                content = value.decode("utf-8", "surrogateescape").strip(" \t\r")
                found.append(HeaderLine(written, canonical_name(written), content, start, end))
        return found

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

    @property
    def from_(self) -> NameAddr:
        """The From value."""
        if self._from is None:
            self._from = headers.parse_name_addr(self._required("From"))
        return self._from

    @property
    def to(self) -> NameAddr:
        """The To value."""
        if self._to is None:
            self._to = headers.parse_name_addr(self._required("To"))
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
        self,
        raw: bytes,
        head: str,
        lines: list[str],
        body_start: int,
        line: tuple[str, str, str],
        repaired: bool,
    ) -> None:
        self.method, self.uri, self.version = line
        self.repaired = repaired
        super().__init__(raw, head, lines, body_start)

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri}>"


class Response(Message):
    """A response: `status`, `reason` (may be empty), `version`."""

    __slots__ = ("reason", "status", "version")

    def __init__(
        self, raw: bytes, head: str, lines: list[str], body_start: int, version: str, status: int, reason: str
    ) -> None:
        self.version = version
        self.status = status
        self.reason = reason
        super().__init__(raw, head, lines, body_start)

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


def parse_message(data: bytes) -> Request | Response:
    """The message in a datagram, or in what a stream's framer cut out.

    Raises RemoteError (400) if it has no end of head or no start line: there is nothing to answer then.
    """
    if data[:1] in _LINE_END_STARTS:
        data = data.lstrip(b"\r\n")
    head_end, body_start = find_body(data)
    if head_end < 0:
        raise RemoteError(400, "No end of head")
    head = data[:head_end].decode("utf-8", "surrogateescape")
    lines = head.split("\r\n")
    if head.count("\n") >= len(lines):
        lines = [line.removesuffix("\r") for line in head.split("\n")]
    start_line = lines[0]
    del lines[0]
    words = start_line.split(" ")
    if len(words) == 3 and words[2][:4] == "SIP/":
        uri = words[1]
        if "?" not in uri and "<" not in uri:
            return Request(data, head, lines, body_start, (words[0], uri, words[2]), False)
    if start_line[:4].upper() == "SIP/":
        version, _, rest = start_line.partition(" ")
        code, _, reason = rest.partition(" ")
        if not (code.isascii() and code.isdigit() and len(code) <= 32):
            raise RemoteError(400, "Malformed status line")
        return Response(data, head, lines, body_start, version, int(code), reason.strip(LWS))
    line, repaired = _unusual_request_line(start_line)
    return Request(data, head, lines, body_start, line, repaired)


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
_FOLD_OCTETS: Final = (b" ", b"\t")
_LINE_END_STARTS: Final = (b"\r", b"\n")


def _unfolded_lines(head: str) -> list[str]:
    """The header lines with each folded one joined by a space."""
    rest = head.partition("\n")[2]
    return [line.removesuffix("\r") for line in _FOLD.sub(" ", rest).lstrip(LWS).split("\n")]


def _unusual_request_line(text: str) -> tuple[tuple[str, str, str], bool]:
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
    return (method, uri, version), f"{method} {uri} {version}" != text


def _loose_number(text: str) -> int:
    """The Content-Length to cut the body at, or -1 for one that validity.py will refuse."""
    try:
        return int(text)
    except ValueError:
        return -1
