"""A presence document is refused, or can be merged, closed and filtered; what a watcher is told is a document again."""

from __future__ import annotations

from contextlib import suppress

from lxml import etree

from openpy.documents import dialoginfo, pidf, rules, summary, watcherinfo
from openpy.documents.permissions import Permissions
from openpy.documents.transformations import Unmentioned, apply
from openpy.documents.xml import CEILING, LIMITS, DocumentError, parse_document

ALICE = "sip:alice@example.org"
OTHER = pidf.parse(
    b'<?xml version="1.0" encoding="UTF-8"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:a@b">'
    b'<tuple id="t"><status><basic>open</basic></status></tuple><note>n</note></presence>'
)


def check(data: bytes) -> None:
    """Read a body as each kind of document."""
    with suppress(DocumentError):
        _check_presence(pidf.parse(data))
    with suppress(DocumentError):
        numbered = dialoginfo.parse(data).numbered(7)
        assert dialoginfo.parse(numbered).numbered(7) == numbered
    with suppress(DocumentError):
        rules.parse(data)
    with suppress(DocumentError):
        watcherinfo.parse(data)
    with suppress(DocumentError):
        summary.parse(data)


def _check_presence(document: pidf.Pidf) -> None:
    alone = pidf.compose(ALICE, [document])
    assert _entity(alone) == ALICE
    again = pidf.parse(alone)
    assert pidf.compose(ALICE, [again]) == alone
    both = pidf.compose(ALICE, [OTHER, document])
    assert _entity(both) == ALICE
    assert len(both) <= 2 * LIMITS.octets, "no document makes a much larger one"
    ids = {
        child.get("id")
        for child in parse_document(both, CEILING).iterchildren()
        if child.tag.endswith("}tuple")
    }
    assert "t" in ids
    closed = parse_document(pidf.closed(ALICE, [OTHER, document]), CEILING)
    assert all(basic.text == "closed" for basic in closed.iter("{*}basic"))
    for unmentioned in Unmentioned:
        assert _entity(apply(both, Permissions(), unmentioned)) == ALICE


def _entity(body: bytes) -> str | None:
    root: etree._Element = parse_document(body, CEILING)
    return root.get("entity")
