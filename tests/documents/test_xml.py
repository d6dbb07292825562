"""Hostile XML is refused, and unusual XML is read."""

import asyncio
import contextlib
import gc
import resource
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from openpy.documents.xml import CEILING, LIMITS, DocumentError, Limits, parse_document


def nested(depth: int) -> bytes:
    return b"<a>" * depth + b"</a>" * depth


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "well-formed"),
        (b"<a>", "well-formed"),
        (b"<a></b>", "well-formed"),
        (b"<a/><b/>", "well-formed"),
        (b"<!DOCTYPE a><a/>", "document type"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "document type"),
        (b"<a>&x;</a>", "well-formed"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "encoding utf-7"),
        (b'<?xml version="1.0" encoding="utf-16"?><a>\xff', "not valid utf-16"),
        (nested(LIMITS.depth + 1), "too deep"),
        (b"<a>" + b"<b/>" * LIMITS.nodes + b"</a>", "too many elements"),
        (b"<a " + b"b = 'c' " * (LIMITS.attributes + 1) + b"/>", "too many attributes"),
        (b"<a>" + b"x" * LIMITS.octets + b"</a>", "too large"),
        (b"\xff\xfe\x00", "not valid utf-16"),
    ],
)
def test_what_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        parse_document(data)


def test_pidf_12_a_bomb_costs_nothing() -> None:
    entities = b"".join(b'<!ENTITY e%d "%b">' % (n + 1, b"&e%d;" % n * 10) for n in range(9))
    bomb = b'<!DOCTYPE a [<!ENTITY e0 "ha">' + entities + b"]><a>&e9;</a>"
    started = time.process_time()
    with pytest.raises(DocumentError):
        parse_document(bomb)
    assert time.process_time() - started < 0.05


def test_a_bomb_in_another_encoding_is_seen_too() -> None:
    with pytest.raises(DocumentError, match="document type"):
        parse_document('<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'.encode("utf-16"))


def test_names_that_are_made_up_are_not_kept() -> None:
    _read_made_up_names(4)  # once, so that allocators have what they keep
    before = _resident()
    _read_made_up_names(48)
    assert _resident() - before < 8 << 20


def test_a_document_outlives_the_table_of_its_names() -> None:
    old = parse_document(b"<a xmlns='urn:old'><b>text</b></a>")
    _read_made_up_names(2)
    new = parse_document(b"<c xmlns='urn:new'/>")
    new.append(old[0])
    assert [element.tag for element in (old, new, new[0])] == ["{urn:old}a", "{urn:new}c", "{urn:old}b"]
    assert parse_document(etree.tostring(new))[0].text == "text"


def test_what_else_is_kept_for_the_thread_stays() -> None:
    async def read() -> None:
        before = asyncio.get_running_loop()
        _read_made_up_names(8)
        gc.collect()
        assert asyncio.get_running_loop() is before

    asyncio.run(read())


def _read_made_up_names(mebibytes: int) -> None:
    for number in range(mebibytes << 5):
        parse_document(b"<a%d%b/>" % (number, b"x" * 32_768))


def _resident() -> int:
    """Octets."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_the_deepest_that_is_accepted() -> None:
    assert parse_document(nested(LIMITS.depth)).tag == "a"
    wide = b"<r>" + b"<a></a>" * 100 + b"</r>"
    assert len(parse_document(wide)) == 100


def test_limits_may_be_others() -> None:
    document = b"<a b='1' c='2'><d></d></a>"
    assert parse_document(document, Limits(depth=2, nodes=2, attributes=2)).tag == "a"
    for tight in (Limits(octets=20), Limits(depth=1), Limits(nodes=1), Limits(attributes=1)):
        with pytest.raises(DocumentError, match="too"):
            parse_document(document, tight)
    assert parse_document(nested(CEILING.depth), CEILING).tag == "a"


def test_what_only_looks_like_attributes_is_text() -> None:
    assert parse_document(b"<a>" + b"=" * 2 * LIMITS.attributes + b"</a>").tag == "a"


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "iso-8859-1", "windows-1252", "utf-16"])
def test_declared_encodings(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><a>\u00e9</a>'
    assert parse_document(text.encode(encoding)).text == "\u00e9"


def test_utf_16_without_a_declaration() -> None:
    assert parse_document("<a>\u00e9</a>".encode("utf-16")).text == "\u00e9"


def test_comments_and_instructions_are_left_out() -> None:
    assert len(parse_document(b"<a><!-- c --><?p i?><b/></a>")) == 1


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(DocumentError):
        parse_document(data)
