"""The sphere that a presentity says to be in (RFC 4480 section 3.11), by which rules may decide."""

from __future__ import annotations

from lxml import etree

from openpy.documents.xml import CEILING, parse_document

_SPHERE = "{urn:ietf:params:xml:ns:pidf:rpid}sphere"


def sphere_of(body: bytes) -> str | None:
    """The sphere of a composed presence document, such as `work`; raises DocumentError.

    None if its persons name none, or several (RFC 5025 section 3.1.2: it is undefined then).
    """
    if b"sphere" not in body:
        return None
    root = parse_document(body, CEILING)
    spheres = {
        value
        for person in root
        for child in person
        if child.tag == _SPHERE
        for value in _values(child)
        if value
    }
    return spheres.pop() if len(spheres) == 1 else None


def _values(sphere: etree._Element) -> list[str]:
    """What a sphere is called: by an element (`<work/>`) or by a text."""
    return [etree.QName(child).localname for child in sphere] or [(sphere.text or "").strip()]
