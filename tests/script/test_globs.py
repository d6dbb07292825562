from __future__ import annotations

import contextlib
import ctypes
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.script.environment import ArgumentError
from openpy.script.globs import LONGEST, compile_glob

LIBC = ctypes.CDLL(None)


def matches(pattern: str, text: str) -> bool:
    return compile_glob(pattern).search(text)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("abc", "abc", True), ("abc", "abcd", False), ("abc", "xabc", False), ("a.c", "abc", False),
        ("", "", True), ("", "a", False), ("*", "", True), ("a*c", "a/b\nc", True), ("**", ".a", True),
        ("a?c", "abc", True), ("a?c", "ac", False), ("[abc]", "b", True), ("[!abc]", "b", False),
        ("[^abc]", "d", True), ("[a-c]x", "bx", True), ("[]]", "]", True), ("[!]]", "]", False),
        ("[a-]", "-", True), ("[^-a]", "^", True), ("[^^]", "^", False), ("[[:digit:]]", "7", True),
        ("[a\\]]", "]", True), ("[a", "[a", True), ("a\\*", "a*", True), ("a\\*", "ab", False),
        ("\\\\", "\\", True), ("a\\", "a\\", True), ("$(x)+", "$(x)+", True), ("ABC", "abc", False),
    ],
)  # fmt: skip
def test_patterns(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


def test_letter_case_may_not_count() -> None:
    assert compile_glob("A[b-c]*", ignore_case=True).search("aBx")


@pytest.mark.parametrize("pattern", ["[z-a]", "x[b-a]", "a" * (LONGEST + 1), "[[:colour:]]"])
def test_what_is_refused(pattern: str) -> None:
    with pytest.raises(ArgumentError):
        compile_glob(pattern)


def test_no_pattern_takes_long() -> None:
    begun = time.process_time()
    assert not matches("*a" * (LONGEST // 2 - 1) + "b", "a" * 20_000)
    assert time.process_time() - begun < 0.1


@given(
    st.text(st.sampled_from("ab*?[]!^-\\"), max_size=7), st.text(st.sampled_from("abc]^-[\\*!"), max_size=4)
)
def test_it_is_what_fnmatch_does(pattern: str, text: str) -> None:
    if pattern.endswith("\\"):
        return  # there it matches nothing
    expected = LIBC.fnmatch(pattern.encode(), text.encode(), 0) == 0
    with contextlib.suppress(ArgumentError):  # a range the wrong way round, which matches nothing there
        assert matches(pattern, text) is expected
