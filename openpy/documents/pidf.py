"""Presence documents (RFC 3863, 4479): read, merged into one, and closed.

Rules:
1. A document is checked when it is read. Its parts, serialised fragments that carry their own namespace
   declarations, are made when it is first merged; merging joins fragments and parses nothing.
   The only document of a presentity is told as it came, if it is as we would write it.
2. Merged by kind and id (tuple, person, device) or by text (note, other extensions); the newest
   document wins. Newer documents come first within the schema's order: tuples, notes, extensions.
3. The entity of what leaves is the presentity, whatever a publisher wrote.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from openpy.documents.xml import CEILING, LIMITS, DocumentError, Limits, parse_document

CONTENT_TYPE = "application/pidf+xml"
NAMESPACE = "urn:ietf:params:xml:ns:pidf"
DATA_MODEL = "urn:ietf:params:xml:ns:pidf:data-model"

_ROOT = f"{{{NAMESPACE}}}presence"
_TUPLE = f"{{{NAMESPACE}}}tuple"
_NOTE = f"{{{NAMESPACE}}}note"
_CONTACT = f"{{{NAMESPACE}}}contact"
_HARMLESS = 2048
"""Octets of a body whose parts cannot inherit too much, however many there are."""
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class Kind(IntEnum):
    """What a child of `presence` is, in the order of the schema."""

    TUPLE = 0
    NOTE = 1
    EXTENSION = 2


_KEYED = frozenset({_TUPLE, f"{{{DATA_MODEL}}}person", f"{{{DATA_MODEL}}}device"})


class Part(NamedTuple):
    """One child of `presence`: what it is, what it is merged by, and its bytes."""

    kind: Kind
    key: Hashable
    fragment: bytes


class Pidf:
    """A presence document that was checked. `body` is as it came."""

    __slots__ = ("_parts", "_verbatim", "body")

    def __init__(self, body: bytes, verbatim: str) -> None:
        self.body = body
        self._verbatim = verbatim  # the presentity whose watchers may be shown the body as it is
        self._parts: tuple[Part, ...] | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its parts in the order of the schema."""
        if self._parts is None:
            self._parts = _split(parse_document(self.body, CEILING))
        return self._parts

    def speaks_for(self, presentity_uri: str) -> bool:
        """Whether `body` is what the presentity's watchers are to see if nothing else is published."""
        return self._verbatim == presentity_uri


def parse(body: bytes, limits: Limits = LIMITS) -> Pidf:
    """Check a presence document; raises DocumentError."""
    root = parse_document(body, limits)
    if root.tag != _ROOT:
        raise DocumentError(f"the root element is not {_ROOT}")
    if len(body) > _HARMLESS and _inherited(root) * len(root) > LIMITS.octets:
        raise DocumentError("too much for each part to inherit")
    last = Kind.TUPLE
    in_order = True
    keys: set[Hashable] = set()
    for child in root:
        tag = child.tag
        key: Hashable = tag
        if tag in _KEYED:
            name = child.get("id")
            if not name:
                raise DocumentError(f"{etree.QName(child).localname} without id")
            key = (tag, name)
        kind = _kind(tag)
        in_order = in_order and kind >= last and key not in keys
        last = kind
        keys.add(key)
    return Pidf(body, root.get("entity") or "" if in_order and _is_plain(body) else "")


def _inherited(root: etree._Element) -> int:
    """Characters that a part may take over from the root when it is cut out."""
    declared = sum(len(prefix or "") + len(uri) for prefix, uri in root.nsmap.items())
    return declared + len(root.get(_LANGUAGE) or "")


def _kind(tag: str) -> Kind:
    return Kind.TUPLE if tag == _TUPLE else Kind.NOTE if tag == _NOTE else Kind.EXTENSION


def _is_plain(body: bytes) -> bool:
    """Whether a document says that it is UTF-8 and holds no comments or instructions, which are not passed on."""
    return _UTF_8.match(body) is not None and b"<!" not in body and body.find(b"<?", 2) < 0


def _split(root: etree._Element) -> tuple[Part, ...]:
    namespaces = root.nsmap
    declarations = [_declaration(prefix, uri) for prefix, uri in namespaces.items()]
    language = root.get(_LANGUAGE)
    parts: list[Part] = []
    for child in root:
        if language is not None and child.get(_LANGUAGE) is None:
            child.set(_LANGUAGE, language)
        fragment = _trimmed(etree.tostring(child, encoding="utf-8", with_tail=False), declarations)
        if None not in namespaces and None not in child.nsmap:
            fragment = _without_default(fragment)
        tag = child.tag
        key = (tag, child.get("id")) if tag in _KEYED else fragment
        parts.append(Part(_kind(tag), key, fragment))
    parts.sort(key=_by_kind)
    return tuple(parts)


def compose(presentity_uri: str, documents: Sequence[Pidf]) -> bytes:
    """Merge documents, newest last, into the one document that a watcher sees."""
    if len(documents) == 1 and documents[0].speaks_for(presentity_uri):
        return documents[0].body
    merged: dict[Hashable, Part] = {}
    for document in reversed(documents):
        for part in document.parts:
            merged.setdefault(part.key, part)
    parts = sorted(merged.values(), key=_by_kind)
    return _wrap(presentity_uri, b"".join([part.fragment for part in parts]))


def closed(presentity_uri: str, documents: Sequence[Pidf]) -> bytes:
    """The offline form: every tuple of the documents with basic status closed, and nothing else of them.

    Notes, persons, devices and extensions describe somebody who is there, so they go; contacts stay.
    """
    fragments: dict[Hashable, bytes] = {}
    for document in reversed(documents):
        for part in document.parts:
            if part.kind is Kind.TUPLE and part.key not in fragments:
                fragments[part.key] = _closed_tuple(part.fragment)
    return _wrap(presentity_uri, b"".join(fragments.values()))


def _by_kind(part: Part) -> Kind:
    return part.kind


def _wrap(presentity_uri: str, content: bytes) -> bytes:
    entity = quoteattr(presentity_uri).encode("utf-8", "replace")
    return (
        b'<?xml version="1.0" encoding="UTF-8"?>\r\n<presence xmlns="urn:ietf:params:xml:ns:pidf" entity=%b>'
        b"%b</presence>\r\n" % (entity, content)
    )


def _closed_tuple(fragment: bytes) -> bytes:
    """A tuple with its id, contact and a status that says closed."""
    # A fragment relies on the default namespace of the document around it.
    element = parse_document(b'<presence xmlns="%b">%b</presence>' % (NAMESPACE.encode(), fragment), CEILING)[
        0
    ]
    contact = b""
    for child in element.iter(_CONTACT):
        priority = child.get("priority")
        attribute = "" if priority is None else f" priority={quoteattr(priority)}"
        contact = f"<contact{attribute}>{escape((child.text or '').strip())}</contact>".encode()
        break
    name = quoteattr(element.get("id") or "").encode()
    return b"<tuple id=%b><status><basic>closed</basic></status>%b</tuple>" % (name, contact)


@lru_cache(256)
def _declaration(prefix: str | None, uri: str) -> tuple[bytes, bytes]:
    """How a namespace declaration stands in a start tag, and how a use of its prefix begins."""
    if prefix is None:
        return f" xmlns={quoteattr(uri)}".encode(), b""
    return f" xmlns:{prefix}={quoteattr(uri)}".encode(), f"{prefix}:".encode()


_UTF_8 = re.compile(rb"<\?xml[^>]{0,60}?\sencoding=[\"'][Uu][Tt][Ff]-8[\"']")
_PIDF_DEFAULT = f' xmlns="{NAMESPACE}"'.encode()
_START = re.compile(rb"<[^\s/>]+")


def _trimmed(fragment: bytes, declarations: list[tuple[bytes, bytes]]) -> bytes:
    """Drop what a fragment inherited and does not need: the default that `_wrap` gives, unused prefixes."""
    start, bracket, rest = fragment.partition(b">")
    for declaration, use in declarations:
        if (declaration == _PIDF_DEFAULT) if not use else (use not in fragment):
            start = start.replace(declaration, b"", 1)
    return start + bracket + rest


def _without_default(fragment: bytes) -> bytes:
    """Keep names without prefix out of the default namespace that `_wrap` gives."""
    name = _START.match(fragment)
    return fragment if name is None else b'%b xmlns=""%b' % (name[0], fragment[name.end() :])
