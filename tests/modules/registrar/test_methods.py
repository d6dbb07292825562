"""Methods as bits."""

from __future__ import annotations

import pytest

from openpy.modules.registrar.methods import bit_of, mask_of


@pytest.mark.parametrize(
    ("method", "bit"),
    [("INVITE", 1), ("CANCEL", 2), ("ACK", 4), ("BYE", 8), ("MESSAGE", 256), ("PUBLISH", 8192)],
)
def test_the_bits_of_1_3(method: str, bit: int) -> None:
    assert bit_of(method) == bit


def test_any_other_method_has_one_bit() -> None:
    assert bit_of("FOO") == bit_of("BAR") == 16384


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ('"INVITE, ACK,BYE"', 13),
        ("invite", 1),
        ("INVITE,FOO", 16385),
        ("", 0xFFFFFFFF),
        ('" , "', 0xFFFFFFFF),
    ],
)
def test_a_list(text: str, mask: int) -> None:
    assert mask_of(text) == mask
