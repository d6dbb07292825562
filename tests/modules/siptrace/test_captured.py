"""How a message is known by its transaction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.modules.siptrace.captured import call_id_of, number_of
from tests.engine.kit import request


def test_as_it_is_written() -> None:
    data = request("INVITE", call_id="c@x", cseq=77)
    assert (call_id_of(data), number_of(data)) == (b"c@x", 77)


@pytest.mark.parametrize("head", [b"Call-ID: c", b"i:c", b"CALL-ID \t:  c", b"I : c", b"Call-ID:\r\n c"])
def test_however_the_call_id_is_written(head: bytes) -> None:
    assert call_id_of(b"BYE sip:a SIP/2.0\r\nVia: x\r\n" + head + b"\r\n\r\n") == b"c"


@pytest.mark.parametrize("head", [b"CSeq: 5 BYE", b"cseq:5 BYE", b"CSEQ :\r\n\t5 BYE"])
def test_however_the_cseq_is_written(head: bytes) -> None:
    assert number_of(b"BYE sip:a SIP/2.0\r\nVia: x\r\n" + head + b"\r\n\r\n") == 5


def test_a_body_says_nothing() -> None:
    data = b"BYE sip:a SIP/2.0\r\nVia: x\r\n\r\nv=0\r\ni: c\r\nCSeq: 5 BYE\r\n"
    assert (call_id_of(data), number_of(data)) == (None, None)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    call_id_of(data)
    number_of(data)
