"""Places as editors count them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.editor.places import Places
from openpy.script.syntax import Position

TEXT = "ab\né𝄞x\r\ny\rz"


@pytest.mark.parametrize(
    ("encoding", "character"),
    [("utf-8", 6), ("utf-16", 3), ("utf-32", 2)],
)
def test_characters_are_counted_as_agreed(encoding: str, character: int) -> None:
    places = Places(TEXT, encoding)
    assert places.place(TEXT.index("x")) == (1, character)
    assert places.offset((1, character)) == TEXT.index("x")


def test_lines_end_in_three_ways() -> None:
    places = Places(TEXT)
    assert [places.place(TEXT.index(letter)) for letter in "ayz"] == [(0, 0), (2, 0), (3, 0)]
    assert places.offset((3, 0)) == TEXT.index("z")


def test_a_place_outside_of_the_text_is_the_nearest_in_it() -> None:
    places = Places(TEXT)
    assert places.offset((0, 99)) == 2
    assert places.offset((1, 99)) == TEXT.index("\r\n")
    assert places.offset((99, 0)) == len(TEXT)
    assert places.place(99) == (3, 1)
    assert places.place(-1) == (0, 0)


def test_the_middle_of_a_character_is_its_end() -> None:
    assert Places("𝄞x").offset((0, 1)) == 1


def test_positions_of_a_script() -> None:
    places = Places(TEXT)
    assert places.span(Position("", 2, 2, 2, 3)) == (4, 5)
    assert places.span(Position("", 9, 1, 9, 9)) == (len(TEXT), len(TEXT))
    assert places.span(Position("", 1, 2, 1, 1)) == (1, 1)


@given(st.text(st.sampled_from("ab\n\ré𝄞\ud800")), st.sampled_from(("utf-8", "utf-16", "utf-32")), st.data())
def test_there_and_back(text: str, encoding: str, data: st.DataObject) -> None:
    places = Places(text, encoding)
    offset = data.draw(st.integers(0, len(text)))
    if text[offset - 1 : offset + 1] != "\r\n":
        assert places.offset(places.place(offset)) == offset
