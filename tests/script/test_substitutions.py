from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.script.substitutions import read_substitution


@pytest.mark.parametrize(
    ("written", "text", "expected"),
    [
        ("/b/x/", "abab", "axab"),
        ("/b/x/g", "abab", "axax"),
        ("/B/x/gi", "abab", "axax"),
        ("!a(b+)!\\1\\1!", "abbc", "bbbbc"),
        ("/a|ab/<\\0>/", "abc", "<ab>c"),
        ("/(x)?b/[\\1]/", "ab", "a[]"),
        ("/b/\\7/", "abc", "ac"),
        ("/a\\/b/x/", "a/b", "x"),
        ("/b/\\//", "abc", "a/c"),
        ("/b/\\n/", "abc", "anc"),
        ("/x*/-/g", "abc", "-a-b-c-"),
        ("/^/>/", "abc", ">abc"),
        ("/b//", "abc", "ac"),
        ('"/b/x/"', "abc", "axc"),
        ("/\u00e4/\u00f6/", "b\u00e4r\udcff", "b\u00f6r\udcff"),
    ],
)
def test_apply(written: str, text: str, expected: str) -> None:
    assert read_substitution(written).apply(text) == expected


@pytest.mark.parametrize(
    ("written", "fragment"),
    [
        ("", "no substitution"),
        ("ab", "no substitution"),
        ("abcb", "no substitution"),
        ("/a/b", "expression/replacement/flags"),
        ("//b/", "expression/replacement/flags"),
        ("/a/b/c/d", "expression/replacement/flags"),
        ("/a/b/x", '"x" is no flag'),
        ("/(a/b/", "bad regular expression"),
    ],
)
def test_refused(written: str, fragment: str) -> None:
    with pytest.raises(ValueError, match=re.escape(fragment)):
        read_substitution(written)


@given(st.text(st.sampled_from("ab/\\1.*()!xg"), max_size=12), st.text(st.sampled_from("abx\\/"), max_size=8))
def test_whatever_is_written_is_a_substitution_or_refused(written: str, text: str) -> None:
    try:
        substitution = read_substitution(written)
    except ValueError:
        return
    assert isinstance(substitution.apply(text), str)
