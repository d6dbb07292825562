from __future__ import annotations

import pytest

from openpy.modules.textops.multipart import Part, boundary_of, part_of
from openpy.sip.headers import parse_media_type

BODY = (
    b"before\r\n--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n"
    b"--b  \r\ncontent-type: Application/SDP; x=y\r\nX: 1\r\n\r\nv=0\r\n--bc is no boundary\r\n\r\n"
    b"--b\r\nContent-Type: application/sdp\r\n\r\nsecond\r\n"
    b"--b\r\n\r\nno head\r\n--b--\r\nContent-Type: text/html\r\n\r\nbehind the end\r\n"
)


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("text/plain", Part("text/plain", b"plain")),
        ("application/sdp", Part("Application/SDP; x=y", b"v=0\r\n--bc is no boundary\r\n")),
        ("text/html", None),
        ("audio/x", None),
    ],
)
def test_the_first_part_of_a_type(wanted: str, part: Part | None) -> None:
    assert part_of(BODY, "b", wanted) == part
    assert part_of(BODY, "other", wanted) is None
    assert part_of(b"", "b", wanted) is None


def test_a_part_begins_at_the_very_begin() -> None:
    assert part_of(b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n--b--", "b", "a/b") == Part("a/b", b"x")


@pytest.mark.parametrize(
    ("head", "media_type", "content"),
    [
        (b"\r\n", "text/plain", b"a\r\n\r\nb"),
        (b"X: 1\r\n\r\n", "text/plain", b"a\r\n\r\nb"),
        (b"Content-Type: text/plain;\r\n\tcharset=x\r\n\r\n", "text/plain; charset=x", b"a\r\n\r\nb"),
        (b"Content-Type: text / plain\r\n\r\n", "text / plain", b"a\r\n\r\nb"),
    ],
)
def test_headers_of_a_part(head: bytes, media_type: str, content: bytes) -> None:
    body = b"--b\r\n" + head + content + b"\r\n--b--"
    assert part_of(body, "b", "text/plain") == Part(media_type, content)


@pytest.mark.parametrize(
    ("written", "boundary"),
    [
        ("multipart/mixed;boundary=abc", "abc"),
        ('multipart/mixed; boundary="a b"', "a b"),
        ("multipart/mixed", None),
        ('multipart/mixed;boundary=""', None),
        ("text/plain;boundary=abc", None),
    ],
)
def test_the_boundary(written: str, boundary: str | None) -> None:
    assert boundary_of(parse_media_type(written)) == boundary
