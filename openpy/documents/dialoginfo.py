"""Dialog information (RFC 4235): the state of a line, as its phones publish it and its watchers are told it.

Rules:
1. A publication replaces the state of its line, so what is told is the full state.
2. `version` counts the documents of one subscription (RFC 4235 section 4.1), so the publisher's goes; a document
   is serialised once, and each watcher gets it with a number of his own.
"""

from __future__ import annotations

import re

from lxml import etree

from openpy.documents.xml import CEILING, LIMITS, DocumentError, Limits, parse_document

CONTENT_TYPE = "application/dialog-info+xml"
NAMESPACE = "urn:ietf:params:xml:ns:dialog-info"

_ROOTS = frozenset({f"{{{NAMESPACE}}}dialog-info", "dialog-info"})
_START = re.compile(rb"<[^\s/>]+")


class DialogInfo:
    """A document that was checked. `body` is as it came."""

    __slots__ = ("_around", "body")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._around: tuple[bytes, bytes] | None = None

    def numbered(self, version: int, *, full: bool = True) -> bytes:
        """The document with this version; `full` says whether it tells every dialog of the line."""
        if self._around is None:
            self._around = _split(parse_document(self.body, CEILING))
        before, behind = self._around
        return b'%b version="%d" state="%b"%b' % (before, version, b"full" if full else b"partial", behind)


def parse(body: bytes, limits: Limits = LIMITS) -> DialogInfo:
    """Check a document: well-formed, root `dialog-info` (also without namespace). Raises DocumentError."""
    root = parse_document(body, limits)
    if root.tag not in _ROOTS:
        raise DocumentError("the root element is not dialog-info")
    return DialogInfo(body)


def _split(root: etree._Element) -> tuple[bytes, bytes]:
    """What stands before and behind the attributes that change."""
    for name in ("version", "state"):
        root.attrib.pop(name, "")
    text = etree.tostring(root, encoding="utf-8", with_tail=False, xml_declaration=False)
    end = 0
    if (start := _START.match(text)) is not None:
        end = start.end()
    return b'<?xml version="1.0" encoding="UTF-8"?>\r\n' + text[:end], text[end:] + b"\r\n"
