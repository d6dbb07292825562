"""Bodies of several parts (RFC 2046 section 5.1): one part of them."""

from __future__ import annotations

import re
from email.parser import BytesHeaderParser
from email.policy import HTTP
from itertools import pairwise

from openpy.sip.headers import MediaType, unquote


def part_of(body: bytes, boundary: str, wanted: str) -> bytes | None:
    """The content of the first part of a type (`application/sdp`); None where there is none."""
    line = (
        rb"(?:\A|\r\n)--"
        + re.escape(boundary.encode("utf-8", "surrogateescape"))
        + rb"(--)?[ \t]*(?=\r\n|\Z)"
    )
    lines = list(re.finditer(line, body))
    for begin, end in pairwise(lines):
        if begin[1]:  # the end of all parts
            break
        head, _, content = body[begin.end() + 2 : end.start()].partition(b"\r\n\r\n")
        if _type_of(head) == wanted:
            return content
    return None


def boundary_of(media_type: MediaType) -> str | None:
    """The boundary that a multipart type names."""
    if media_type.type != "multipart":
        return None
    return unquote(media_type.params.get("boundary") or "") or None


def _type_of(head: bytes) -> str:
    fields = BytesHeaderParser(policy=HTTP).parsebytes(head + b"\r\n\r\n")
    return (fields.get("Content-Type") or "text/plain").partition(";")[0].strip().lower()
