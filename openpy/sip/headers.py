"""Structured header values: name-addr, Via, CSeq, Event, media types and what they are made of.

Rules:
1. Folding is undone before a value comes here (message.py does it).
2. What has one obvious meaning is accepted, as RFC 4475 lets a liberal element do: a display name whose
   closing quote is missing or that should be quoted, spaces inside angle brackets. Empty members of lists
   and empty parameters are not.
3. Parsing never goes back: time is linear in the length of a value, whatever it contains.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from openpy.sip import grammar
from openpy.sip.errors import RemoteError
from openpy.sip.grammar import LWS
from openpy.sip.names import canonical_name
from openpy.sip.uri import Uri, cached_uri

__all__ = [
    "STAR",
    "CSeq",
    "Event",
    "MediaType",
    "NameAddr",
    "Params",
    "Star",
    "Via",
    "canonical_name",
    "parse_contacts",
    "parse_cseq",
    "parse_event",
    "parse_media_type",
    "parse_name_addr",
    "parse_name_addr_list",
    "parse_number",
    "parse_params",
    "parse_via",
    "parse_via_list",
    "quote",
    "recalled_name_addr",
    "split_first",
    "split_list",
    "unquote",
]

_RECALLED_LENGTH: Final = 160

Params = dict[str, str | None]
"""Parameters by name in lower case; the value as written (quotes included), None for a valueless one."""


class Star:
    """The Contact `*` of a REGISTER that removes all bindings."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "STAR"


STAR: Final = Star()


class NameAddr:
    """A From, To, Contact, Route ... value, not to be changed: `display` and `uri_text` as written, the parameters."""

    __slots__ = ("_params", "_params_text", "_tag", "_uri", "display", "uri_text")

    def __init__(self, display: str, uri_text: str, params_text: str = "") -> None:
        self.display: Final = display
        self.uri_text: Final = uri_text
        self._params_text: Final = params_text
        self._params: Params | None = None
        self._uri: Uri | None = None
        self._tag: str | None = None

    @property
    def uri(self) -> Uri:
        """The parsed URI."""
        if self._uri is None:
            self._uri = cached_uri(self.uri_text)
        return self._uri

    @property
    def params(self) -> Params:
        """The header parameters; raises RemoteError (400) if they are malformed."""
        if self._params is None:
            self._params = parse_params(self._params_text)
        return self._params

    def param(self, name: str) -> str | None:
        """The value of the parameter `name` (lower case); "" if it has none, None if it is absent."""
        if not self._params_text:
            return None
        params = self.params
        return (params[name] or "") if name in params else None

    @property
    def tag(self) -> str:
        """The `tag` parameter, or ""."""
        if self._tag is None:
            text = self._params_text
            is_alone = text[:5] == ";tag=" and grammar.TOKEN.match(text, 5)
            self._tag = text[5:] if is_alone else self.param("tag") or ""
        return self._tag

    def __str__(self) -> str:
        display = self.display + " " if self.display else ""
        return f"{display}<{self.uri_text}>{self._params_text}"

    def __repr__(self) -> str:
        return f"<NameAddr {self}>"


def parse_name_addr(text: str) -> NameAddr:
    """One name-addr or addr-spec with its header parameters (RFC 3261 section 20.10).

    Raises RemoteError (400), for a malformed URI too.
    """
    found = grammar.NAME_ADDR_NORMAL.match(text) or grammar.ADDR_SPEC_NORMAL.match(text)
    if not found:
        return _parse_unusual_name_addr(text.strip(LWS))
    display, uri_text, params_text = found.groups()
    return NameAddr(display.strip(), uri_text, params_text)


_recalled_name_addr = lru_cache(maxsize=1024)(parse_name_addr)


def recalled_name_addr(text: str) -> NameAddr:
    """`parse_name_addr` with a bounded memory for short texts: the messages of a dialog have the same ones."""
    return _recalled_name_addr(text) if len(text) <= _RECALLED_LENGTH else parse_name_addr(text)


def _parse_unusual_name_addr(text: str) -> NameAddr:
    quoted = grammar.QUOTED_STRING.match(text)
    opening = text.find("<", quoted.end() if quoted else 0)
    if opening < 0:
        uri_text, semicolon, params_text = text.partition(";")
        address = NameAddr("", uri_text.rstrip(LWS), semicolon + params_text)
    else:
        closing = text.find(">", opening)
        if closing < 0:
            raise RemoteError(400, "Missing > after URI")
        display = text[:opening].rstrip(LWS)
        if display.startswith('"') and not quoted:
            display = display.rstrip("\\") + '"'
        address = NameAddr(display, text[opening + 1 : closing].strip(LWS), text[closing + 1 :].strip(LWS))
    _ = address.uri, address.params
    return address


def parse_name_addr_list(text: str) -> list[NameAddr]:
    """The members of a Contact, Route ... value. Raises RemoteError (400), for an empty one too."""
    if "," not in text:
        return [parse_name_addr(text)]
    return [parse_name_addr(item) for item in _members(text)]


def parse_contacts(lines: list[str]) -> list[NameAddr] | Star:
    """The Contact values of all Contact lines of a message, or STAR. Raises RemoteError (400)."""
    if len(lines) == 1 and lines[0].strip(LWS) == "*":
        return STAR
    contacts: list[NameAddr] = []
    for line in lines:
        contacts += parse_name_addr_list(line)
    return contacts


class Via:
    """One Via value: `transport` in upper case, `host` and `params_text` as written, `branch` or ""."""

    __slots__ = ("_params", "branch", "host", "params_text", "port", "transport")

    def __init__(self, transport: str, host: str, port: int | None, params_text: str, branch: str) -> None:
        self.transport: Final = transport
        self.host: Final = host
        self.port: Final = port
        self.branch: Final = branch
        self.params_text: Final = params_text
        self._params: Params | None = None

    @property
    def params(self) -> Params:
        """The parameters, by name in lower case."""
        if self._params is None:
            self._params = parse_params(self.params_text)
        return self._params

    def param(self, name: str) -> str | None:
        """The value of the parameter `name` (lower case); "" if it has none, None if it is absent."""
        params = self.params
        return (params[name] or "") if name in params else None

    @property
    def received(self) -> str | None:
        """The `received` address (RFC 3261 section 18.2.1), or None."""
        return self.param("received")

    @property
    def rport(self) -> int | None:
        """The `rport` (RFC 3581): 0 if it asks for one without a value, None if absent or not a port."""
        value = self.param("rport")
        if value == "":
            return 0
        if not value or len(value) > 5 or not (value.isascii() and value.isdigit()):
            return None
        return int(value) if int(value) <= 65535 else None

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {self.host}{port}{self.params_text}"

    def __repr__(self) -> str:
        return f"<Via {self}>"


def parse_via(text: str) -> Via:
    """One Via value. Raises RemoteError (400)."""
    found = grammar.VIA_NORMAL.match(text)
    if found:
        transport, host, digits, params_text, branch = found.groups()
        return Via(transport, host, int(digits) if digits else None, params_text, branch)
    text = text.strip(LWS)
    found = grammar.VIA_PARM.match(text)
    if not found:
        raise RemoteError(400, "Malformed Via")
    transport, host, digits = found.groups()
    params_text = text[found.end() :]
    if digits and int(digits) > 65535:
        raise RemoteError(400, "Malformed Via port")
    params = parse_params(params_text)
    via = Via(
        transport.upper(), host, int(digits) if digits else None, params_text, params.get("branch") or ""
    )
    via._params = params
    return via


def parse_via_list(text: str) -> list[Via]:
    """The members of one Via line. Raises RemoteError (400), for an empty one too."""
    if "," not in text:
        return [parse_via(text)]
    return [parse_via(item) for item in _members(text)]


class CSeq:
    """A sequence number and its method."""

    __slots__ = ("method", "number")

    def __init__(self, number: int, method: str) -> None:
        self.number: Final = number
        self.method: Final = method


def parse_cseq(text: str) -> CSeq:
    """A CSeq value. Raises RemoteError (400), for a number above 2**31 - 1 too (RFC 3261 section 8.1.1.5)."""
    found = grammar.CSEQ.match(text)
    if not found:
        raise RemoteError(400, "Malformed CSeq")
    digits, method = found.groups()
    number = int(digits) if len(digits) <= 9 else _bounded(digits)
    if number > 2**31 - 1:
        raise RemoteError(400, "CSeq number too large")
    return CSeq(number, method)


def parse_number(text: str, name: str) -> int:
    """A header that is a number (Expires, Max-Forwards ...), at most 2**32 - 1: larger ones count as that.

    Raises RemoteError (400) naming the header.
    """
    digits = text.strip(LWS)
    if not (digits.isdigit() and digits.isascii()):
        raise RemoteError(400, f"Malformed {name}")
    return int(digits) if len(digits) <= 9 else min(_bounded(digits), 2**32 - 1)


def _bounded(digits: str) -> int:
    """The number, or 2**32 for anything longer than ten digits."""
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= 10 else 2**32


class Event(NamedTuple):
    """An Event value (RFC 6665): the package in lower case with its templates, `id` or None."""

    package: str
    id: str | None
    params: Params


def parse_event(text: str) -> Event:
    """An Event value. Raises RemoteError (400)."""
    text = text.strip(LWS)
    found = grammar.EVENT_TYPE.match(text)
    if not found:
        raise RemoteError(400, "Malformed Event")
    params = parse_params(text[found.end() :])
    return Event(found[1].lower(), params.get("id"), params)


class MediaType(NamedTuple):
    """A media type: `type` and `subtype` in lower case, parameters."""

    type: str
    subtype: str
    params: Params

    @property
    def full(self) -> str:
        """`type/subtype`."""
        return f"{self.type}/{self.subtype}"


def parse_media_type(text: str) -> MediaType:
    """A Content-Type or one member of Accept. Raises RemoteError (400)."""
    text = text.strip(LWS)
    found = grammar.MEDIA_TYPE.match(text)
    if not found:
        raise RemoteError(400, "Malformed media type")
    return MediaType(found[1].lower(), found[2].lower(), parse_params(text[found.end() :]))


def parse_params(text: str) -> Params:
    """The parameters in `;a=1;b`. Of several with one name the first counts. Raises RemoteError (400)."""
    params: Params = {}
    position, end = 0, len(text.rstrip(LWS))
    while position < end:
        found = grammar.GENERIC_PARAM.match(text, position)
        if not found:
            raise RemoteError(400, "Malformed header parameter")
        params.setdefault(found[1].lower(), found[2])
        position = found.end()
    return params


def split_list(text: str) -> list[str]:
    """The members of a comma separated value, stripped. Commas in quotes and angle brackets do not separate.

    Empty members are kept as "". After a quote or bracket that is never closed, nothing separates.
    """
    return list(_members(text)) if "," in text else [text.strip(LWS)]


def split_first(text: str) -> tuple[str, str]:
    """The first member of a comma separated value, stripped, and the rest from its comma on ("" if none)."""
    end = _member_end(text, 0)
    return text[:end].strip(LWS), text[end:]


def _members(text: str) -> Iterator[str]:
    start = 0
    while (end := _member_end(text, start)) < len(text):
        yield text[start:end].strip(LWS)
        start = end + 1
    yield text[start:].strip(LWS)


def _member_end(text: str, start: int) -> int:
    """Where the member that begins at `start` ends: at its comma or the end of `text`."""
    found = grammar.LIST_ITEM.match(text, start)
    end = found.end() if found else len(text)
    return end if text[end : end + 1] == "," else len(text)


def unquote(text: str) -> str:
    """The content of a quoted string, escapes undone; anything else as it is."""
    if len(text) < 2 or not (text[0] == text[-1] == '"'):
        return text
    content = text[1:-1]
    return grammar.QUOTED_PAIR.sub(r"\1", content) if "\\" in content else content


def quote(text: str) -> str:
    """`text` as a quoted string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
