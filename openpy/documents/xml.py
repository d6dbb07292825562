"""The one XML parser for bodies that strangers send.

Rules:
1. No DTD, no entities beyond XML's own five, no network, no files: a DOCTYPE is refused unread.
2. Size, depth, elements and attributes are bounded before anything walks the tree; but for the depth before
   anything is parsed.
3. Documents are UTF-8, or say that they are in one of `RECODED`; what is handed on is UTF-8.
4. Names that strangers make up are not kept: libxml2 never forgets one as long as its table of names lives, so the
   table is a new one after every RENEWAL octets.
"""

from __future__ import annotations

import ctypes
import re
import threading
from functools import lru_cache
from typing import NamedTuple

from lxml import etree


class Limits(NamedTuple):
    """The most that a document may have. No element lies deeper than `depth`; the root has depth 1."""

    octets: int = 262_144
    depth: int = 64
    nodes: int = 5000
    attributes: int = 5000


LIMITS = Limits()

CEILING = Limits(16 << 20, 250, 1_000_000, 1_000_000)
"""What limits may be raised to. Documents of our own, and those that were admitted before, are read with it."""

UTF_8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
"""What documents in UTF-8, or in the part of it that is ASCII, call their encoding; the short names are no standard."""

RECODED = frozenset({"iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"})
"""The encodings, besides UTF-8 and ASCII, that a document may declare."""

RENEWAL = 1 << 20
"""Octets of documents. A table of names that were all made up takes some ten times as much."""

_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_ATTRIBUTE = re.compile(rb"=[ \t\r\n]*[\"']")


class DocumentError(Exception):
    """A body that is not the document it should be; the text says why."""


class _Parsing:
    """A thread's parser, and the octets that it has read."""

    def __init__(self) -> None:
        self.parser = etree.XMLParser(
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
            collect_ids=False,
        )
        self.octets = 0


_threads = threading.local()

_address_of_state = ctypes.pythonapi.PyThreadState_GetDict
_address_of_state.restype = ctypes.c_void_p  # the reference is borrowed, which py_object would give back


def _thread_state() -> dict[str, object]:
    """What Python and its extensions keep for this thread."""
    state: dict[str, object] = ctypes.cast(_address_of_state(), ctypes.py_object).value
    return state


def forget_names() -> _Parsing:
    """Begin with another table of names in this thread; the documents that hold the one before keep it."""
    # lxml keeps the table for each thread, by this name, and takes it over from a parser that it knows.
    _thread_state().pop("_ParserDictionaryContext", None)
    parsing = _threads.parsing = _Parsing()
    return parsing


def _parser_for(octets: int) -> etree.XMLParser:
    """The parser of this thread, for so many octets more."""
    parsing: _Parsing | None = getattr(_threads, "parsing", None)
    if parsing is None or parsing.octets + octets > RENEWAL:
        parsing = forget_names()
    parsing.octets += octets
    return parsing.parser


def parse_document(data: bytes, limits: Limits = LIMITS) -> etree._Element:
    """Parse a whole document and return its root; raises DocumentError."""
    if len(data) > limits.octets:
        raise DocumentError("document too large")
    declared = _DECLARED.match(data)
    if declared is not None or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = _recoded(data, "utf-16" if declared is None else declared[1].decode("ascii").lower())
    if b"<!DOCTYPE" in data:
        raise DocumentError("document type declarations are not accepted")
    ends = data.count(b"</")
    if len(data) > min(limits.nodes, limits.attributes):  # shorter ones cannot have so many
        _count(data, ends, limits)
    try:
        root = etree.fromstring(data, _parser_for(len(data)))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentError(f"not well-formed XML: {_first_line(error)}") from None
    # Each level but one has an end tag of its own, so few end tags cannot nest deeply.
    if ends >= limits.depth - 1 and _deeper_than(limits.depth)(root):
        raise DocumentError("document nested too deeply")
    return root


def _count(data: bytes, ends: int, limits: Limits) -> None:
    if data.count(b"<") - ends > limits.nodes:
        raise DocumentError("too many elements")
    if data.count(b"=") > limits.attributes and len(_ATTRIBUTE.findall(data)) > limits.attributes:
        raise DocumentError("too many attributes")


@lru_cache
def _deeper_than(depth: int) -> etree.XPath:
    return etree.XPath("boolean(" + "/*" * (depth + 1) + ")")


def _recoded(data: bytes, encoding: str) -> bytes:
    if encoding in UTF_8:
        return data
    if encoding not in RECODED:
        raise DocumentError(f"encoding {encoding} is not supported")
    try:
        return data.decode(encoding).encode("utf-8")
    except UnicodeError:
        raise DocumentError(f"not valid {encoding}") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:80]
