"""Bodies of several parts (RFC 2046 section 5.1): one part of them."""

from __future__ import annotations

import re
from email.parser import BytesHeaderParser
from itertools import pairwise
from typing import NamedTuple

from openpy.sip.headers import MediaType, unquote


class Part(NamedTuple):
    """A part without its headers; `media_type` is as they have it, with its parameters."""

    media_type: str
    content: bytes


def part_of(body: bytes, boundary: str, wanted: str) -> Part | None:
    """The first part of a type (`application/sdp`); None where there is none."""
    line = (
        rb"(?:\A|\r\n)--"
        + re.escape(boundary.encode("utf-8", "surrogateescape"))
        + rb"(--)?[ \t]*(?=\r\n|\Z)"
    )
    lines = list(re.finditer(line, body))
    for begin, end in pairwise(lines):
        if begin[1]:  # the end of all parts
            break
        head, _, content = body[begin.end() : end.start()].partition(b"\r\n\r\n")
        media_type = _type_of(head.removeprefix(b"\r\n"))
        if media_type.partition(";")[0].replace(" ", "").lower() == wanted:
            return Part(media_type, content)
    return None


def boundary_of(media_type: MediaType) -> str | None:
    """The boundary that a multipart type names."""
    if media_type.type != "multipart":
        return None
    return unquote(media_type.params.get("boundary") or "") or None


def _type_of(head: bytes) -> str:
    """The type as it is written, on one line."""
    fields = BytesHeaderParser().parsebytes(head + b"\r\n\r\n")
    return " ".join(str(fields.get("Content-Type") or "text/plain").split())
