"""The one XML parser for bodies that strangers send.

Rules:
1. No DTD, no entities beyond XML's own five, no network, no files: a DOCTYPE is refused unread.
2. Size and depth are bounded before anything walks the tree.
3. Documents are UTF-8, or say that they are in one of `RECODED`; what is handed on is UTF-8.
"""

from __future__ import annotations

import re

from lxml import etree

MAX_BYTES = 262_144
"""No document is larger."""

MAX_DEPTH = 64
"""No element lies deeper; the root has depth 1."""

RECODED = frozenset({"iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"})
"""The encodings, besides UTF-8 and ASCII, that a document may declare."""

_PARSER = etree.XMLParser(
    encoding="utf-8",
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
    collect_ids=False,
)
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_TOO_DEEP = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")


class DocumentError(Exception):
    """A body that is not the document it should be; the text says why."""


def parse_document(data: bytes) -> etree._Element:
    """Parse a whole document and return its root; raises DocumentError."""
    if len(data) > MAX_BYTES:
        raise DocumentError("document too large")
    declared = _DECLARED.match(data)
    if declared is not None or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = _recoded(data, "utf-16" if declared is None else declared[1].decode("ascii").lower())
    if b"<!DOCTYPE" in data:
        raise DocumentError("document type declarations are not accepted")
    try:
        root = etree.fromstring(data, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentError(f"not well-formed XML: {_first_line(error)}") from None
    # Each level but one has an end tag of its own, so few end tags cannot nest deeply.
    if data.count(b"</") >= MAX_DEPTH - 1 and _TOO_DEEP(root):
        raise DocumentError("document nested too deeply")
    return root


def _recoded(data: bytes, encoding: str) -> bytes:
    if encoding in ("utf-8", "us-ascii"):
        return data
    if encoding not in RECODED:
        raise DocumentError(f"encoding {encoding} is not supported")
    try:
        return data.decode(encoding).encode("utf-8")
    except UnicodeError:
        raise DocumentError(f"not valid {encoding}") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:80]
