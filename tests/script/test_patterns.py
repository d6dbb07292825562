from __future__ import annotations

import pytest

from openpy.script.environment import ArgumentError
from openpy.script.patterns import SCRIPT, Flags, compile_pattern


def test_search_takes_text_and_bytes() -> None:
    pattern = compile_pattern("^sip:")
    assert pattern.search("SIP:bob@example.com")
    assert pattern.search(b"sip:bob")
    assert not pattern.search("tel:1")


def test_any_bytes_can_be_searched() -> None:
    pattern = compile_pattern("a\udcffb")
    assert pattern.search(b"xa\xffb")
    assert pattern.search("a\udcffb")


def test_span_is_leftmost_longest() -> None:
    pattern = compile_pattern("b|bcd|bc")
    assert pattern.span(b"abcd") == (1, 4)
    assert pattern.span(b"abcd bc", 4) == (5, 7)
    assert pattern.span(b"xyz") is None


def test_groups() -> None:
    pattern = compile_pattern("(a)|(b)", SCRIPT)
    assert pattern.groups(b"xb") == [(1, 2), (-1, -1), (1, 2)]
    assert pattern.groups(b"x") is None
    assert pattern.groups(b"aab", 2) == [(2, 3), (-1, -1), (2, 3)]


def test_flags_are_part_of_the_cache_key() -> None:
    lines = compile_pattern("^b$", Flags.IGNORE_CASE | Flags.NEWLINE)
    assert lines.search("a\nb\nc")
    assert not compile_pattern("^b$").search("a\nb\nc")
    assert compile_pattern("^b$", SCRIPT) is compile_pattern("^b$", SCRIPT)


@pytest.mark.parametrize("text", ["(", "a{1001}", "((((a{100}){100}){100}){100})", "a{2,1}"])
def test_bad_patterns_say_why(text: str) -> None:
    with pytest.raises(ArgumentError, match="bad regular expression") as caught:
        compile_pattern(text)
    assert text in str(caught.value)


def test_the_time_is_linear() -> None:
    assert not compile_pattern("(a*)*b").search("a" * 20_000)


def test_a_pattern_shows_itself() -> None:
    pattern = compile_pattern(r"\d", Flags.NEWLINE)
    assert repr(pattern) == "Pattern('\\\\d', <Flags.NEWLINE: 2>)"
    assert pattern.remarks
