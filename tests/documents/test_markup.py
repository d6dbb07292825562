"""What is written is well-formed and reads as what was meant."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from openpy.documents.markup import attribute, content


@given(st.text())
def test_any_text_makes_a_well_formed_document(text: str) -> None:
    root = etree.fromstring(f"<a{attribute('b', text)}>{content(text)}</a>".encode())
    if text.isprintable():
        assert (root.text or "") == text
        assert root.get("b") == text


def test_what_xml_cannot_carry_is_replaced() -> None:
    assert content("a\x00<\ud800") == "a\ufffd&lt;\ufffd"
    assert attribute("b", '"\x1f') == " b='\"\ufffd'"
