"""Text as it stands in an XML document that we write: escaped, and only characters that XML can carry."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may contain, even escaped (section 2.2)."""


def content(text: str) -> str:
    """`text` as the content of an element; characters that XML cannot carry become U+FFFD."""
    return escape(_NO_CHARACTER.sub("\ufffd", text))


def attribute(name: str, value: str) -> str:
    """` name="value"` with a blank before it, for a start tag."""
    return f" {name}={quoteattr(_NO_CHARACTER.sub(chr(0xFFFD), value))}"
