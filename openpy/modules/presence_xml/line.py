"""The event `dialog;sla`: the state of a line that several phones share (draft-anil-sipping-bla-03).

Rules:
1. One publication is told at a time, never a mixture: the newest that shows a call, else the newest. So a phone that
   reports itself idle does not make a line look idle on which another one talks.
2. Every watcher is told full states, numbered for him (RFC 4235 section 4.1); of an idle line of which nothing is
   published, that there are no dialogs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import NamedTuple

from lxml import etree

from openpy.documents import dialoginfo
from openpy.documents.dialoginfo import DialogInfo
from openpy.documents.markup import attribute
from openpy.documents.xml import CEILING, LIMITS, DocumentError, Limits, parse_document
from openpy.modules.presence.api import EventPackage, Subs
from openpy.sip.errors import RemoteError


class Line(NamedTuple):
    """A document, and whether it shows a call."""

    body: bytes
    busy: bool


def sla_event(limits: Limits = LIMITS) -> EventPackage:
    """The event package, for documents within these limits."""
    return EventPackage(
        "dialog;sla",
        dialoginfo.CONTENT_TYPE,
        etag_not_new=True,
        read_body=partial(read_line, limits=limits),
        agg_nbody=line_state,
        empty_nbody=no_dialogs,
        aux_body_processing=number,
    )


def read_line(body: bytes, limits: Limits = LIMITS) -> Line:
    """A published document; raises RemoteError (400) for one that is none."""
    try:
        dialoginfo.parse(body, limits)
        return Line(body, _is_busy(parse_document(body, CEILING)))
    except DocumentError as error:
        reason = " ".join(f"Bad dialog document: {error}".split())
        raise RemoteError(400, reason) from None


def line_state(presentity_uri: str, documents: Sequence[Line]) -> bytes:
    """What is told of a line."""
    for document in reversed(documents):
        if document.busy:
            return document.body
    return documents[-1].body


def no_dialogs(presentity_uri: str) -> bytes:
    """A line on which nothing happens."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\r\n<dialog-info xmlns="{dialoginfo.NAMESPACE}" version="0" '
        f'state="full"{attribute("entity", presentity_uri)}/>\r\n'
    ).encode()


def number(body: bytes, subs: Subs) -> bytes:
    """The document with the number of the watcher's NOTIFY."""
    return _parsed(body).numbered(subs.version)


@lru_cache(64)
def _parsed(body: bytes) -> DialogInfo:
    return dialoginfo.parse(body, CEILING)


def _is_busy(root: etree._Element) -> bool:
    for dialog in root:
        if etree.QName(dialog).localname == "dialog":
            states = [(item.text or "").strip() for item in dialog if etree.QName(item).localname == "state"]
            if states != ["terminated"]:
                return True
    return False
