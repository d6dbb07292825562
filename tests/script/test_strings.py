from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.script.strings import unquote
from tests.script.printing import quoted
from tests.script.trees import texts


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"a\nb\rc\ad\te"', "a\nb\rc\ad\te"),
        (r'"\"\\"', '"\\'),
        (r'"\x41\x4a"', "AJ"),
        (r'"\x9z"', "\tz"),
        (r'"\101\60"', "A0"),
        ('"a\\\nb"', "ab"),
        ('"a\\\r\nb"', "ab"),
        (r'"\q\1"', r"\q\1"),
        ('"two\nlines"', "two\nlines"),
        (r"'raw\n\\'", r"raw\n\\"),
        ('""', ""),
        ("''", ""),
        (r'"\x00"', "\0"),
    ],
)
def test_escapes(written: str, value: str) -> None:
    assert unquote(written) == value


def test_escapes_make_bytes_which_are_decoded_as_the_script_is() -> None:
    assert unquote(r'"\xc3\xa9"') == "é"
    assert unquote(r'"\303\251"') == "é"
    assert unquote(r'"\xe9"') == b"\xe9".decode("utf-8", "surrogateescape")


@given(st.text(st.characters(exclude_characters='"\\', exclude_categories=["Cs"])))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert unquote(f'"{text}"') == text


@given(texts)
def test_what_is_quoted_is_read_as_it_was(text: str) -> None:
    assert unquote(quoted(text)) == text
