from __future__ import annotations

import pytest

from openpy.engine.module import ArgumentError, Regex
from openpy.modules.uac_redirect.filters import MOST, FilterKind, Filters, Reset, ResetKind


def pattern(text: str) -> Regex:
    found = FilterKind().convert(text, None)
    assert found is not None
    return found


def test_kinds() -> None:
    assert FilterKind().convert("", None) is None
    assert ResetKind().convert("", None) is Reset.NOTHING
    assert ResetKind().convert("reset_all", None) == Reset.DEFAULT | Reset.ADDED
    with pytest.raises(ArgumentError, match="none of reset_all, reset_default, reset_added"):
        ResetKind().convert("all", None)
    with pytest.raises(ArgumentError):
        FilterKind().convert("(", None)


def test_filters() -> None:
    filters = Filters(pattern("gold"))
    assert filters.match("sip:a@gold.example")
    assert not filters.match("sip:a@lead.example")
    assert filters.change(pattern("lead"), Reset.NOTHING)
    assert filters.match("sip:a@lead.example")
    assert filters.change(None, Reset.ADDED)
    assert not filters.match("sip:a@lead.example")
    assert filters.change(pattern("tin"), Reset.DEFAULT)
    assert not filters.match("sip:a@gold.example")
    assert filters.match("sip:a@TIN.example")


def test_there_is_an_end() -> None:
    filters = Filters(None)
    assert all(filters.change(pattern("x"), Reset.NOTHING) for _ in range(MOST))
    assert not filters.change(pattern("x"), Reset.NOTHING)
