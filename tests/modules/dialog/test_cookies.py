"""The parameter that names a dialog."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.modules.dialog.cookies import read, written
from openpy.modules.dialog.record import Name


def test_the_lowest_digit_comes_first() -> None:
    assert written(Name(0x1AB, 0x30F)) == "ba1.f03"
    assert read("ba1.f03") == Name(0x1AB, 0x30F)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_there_and_back(entry: int, number: int) -> None:
    assert read(written(Name(entry, number))) == (entry, number)


@pytest.mark.parametrize("text", ["", ".", "1", "1.", ".1", "1.x", "1.2.3", "-1.2", "123456789.1", "1.١"])
def test_what_is_none(text: str) -> None:
    assert read(text) is None
