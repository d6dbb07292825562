from __future__ import annotations

import pytest

from openpy.engine.eventfields import LONGEST, as_written, cut, from_uri_of, method_of, sent_event, where
from openpy.script.syntax import (
    Arithmetic,
    Comparison,
    Expression,
    Myself,
    Name,
    Null,
    Number,
    Operand,
    PseudoVariable,
    String,
)
from openpy.script.values import Dual
from openpy.sip.message import parse_message
from tests.engine.kit import KeptFlow


def test_values_are_cut_and_can_be_written_as_utf_8() -> None:
    assert cut("x" * LONGEST) == "x" * LONGEST
    assert cut("x" * (LONGEST + 9)) == "x" * LONGEST + "…"
    assert cut(b"y" * (LONGEST + 9)) == "y" * LONGEST + "…"
    assert str(cut("a\udcffb")).encode() == "a???b".replace("???", "\ufffd").encode()
    assert cut(None) is None
    assert cut(7) == 7
    assert type(cut(Dual("5", 5))) is str


def test_what_leaves_is_described() -> None:
    flow = KeptFlow([], "tcp", "2001:db8::1", 5062)
    assert where(flow) == "tcp:[2001:db8::1]:5062"
    told = sent_event(b"ACK sip:x SIP/2.0\r\nCALL-ID:  c1 \r\n\r\n", flow)
    assert (told["start"], told["call_id"]) == ("ACK sip:x SIP/2.0", "c1")
    assert sent_event(b"ACK sip:x SIP/2.0\r\n\r\n", flow)["call_id"] == ""


def test_headers_that_cannot_be_read_are_empty() -> None:
    message = parse_message(b"SIP/2.0 200 OK\r\nFrom: <<\r\nCSeq: x\r\n\r\n")
    assert method_of(message) == ""
    assert from_uri_of(message) == ""


WRITTEN: dict[str, Expression] = {
    "$ru": PseudoVariable("$ru"),
    "UDP": Name("UDP"),
    "text": String("text"),
    "5": Number(5),
    "method": Operand("method"),
    "myself": Myself(),
    "NULL": Null(),
    'method == "A"': Comparison(Operand("method"), "==", String("A")),
    "": Arithmetic(Number(1), "+", Number(2)),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_operands_as_they_are_written(text: str) -> None:
    assert as_written(WRITTEN[text]) == text
