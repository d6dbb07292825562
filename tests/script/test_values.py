from __future__ import annotations

import pytest
from hypothesis import given, strategies

from openpy.script.values import Dual, as_number, as_text, wrap


@pytest.mark.parametrize(
    ("number", "wrapped"), [(2**31, -(2**31)), (-(2**31) - 1, 2**31 - 1), (2**32 + 5, 5), (-1, -1)]
)
def test_wrap(number: int, wrapped: int) -> None:
    assert wrap(number) == wrapped


@given(strategies.integers())
def test_wrap_keeps_the_low_bits(number: int) -> None:
    assert -(2**31) <= wrap(number) < 2**31
    assert (wrap(number) - number) % 2**32 == 0


def test_a_dual_has_both_views() -> None:
    port = Dual("5060", 5060)
    assert port == "5060"
    assert port.number == 5060
    assert as_text(port) == "5060"
    assert as_number(port) == 5060


def test_views() -> None:
    assert as_text(None) == "<null>"
    assert as_text(7) == "7"
    assert as_number(7) == 7
    assert as_number("7") is None
    assert as_number(None) is None
