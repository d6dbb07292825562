"""The translation, seen through what it matches; `test_patterns.py` has the API."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from openpy.script.environment import ArgumentError
from openpy.script.patterns import Flags, Pattern
from openpy.script.posix import CLASSES, translate

BOTH = Flags.IGNORE_CASE | Flags.NEWLINE


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("[[:digit:]]{3}", "a123", "123"),
        ("[[:alpha:]_]+", "1aB_2", "aB_"),
        ("a{,2}b", "aaab", "aab"),
        ("a{2}", "aaaa", "aa"),
        ("a{2,}", "aaaa", "aaaa"),
        ("a**b", "aab", "aab"),
        ("(ab)+?c", "ababc", "ababc"),
        ("a|ab|abc", "abcd", "abc"),
        ("(a|ab)(c|bcd)?", "abcd", "abcd"),
        (r"1\.2\+3", "1.2+3", "1.2+3"),
        (r"[\.]+", r"a\.b", r"\."),
        ("[]x]+", "a]x]", "]x]"),
        ("[^]x]+", "]ab", "ab"),
        ("[a-]+", "b-a-", "-a-"),
        ("[[.-.]a]+", "b-a-", "-a-"),
        ("[[=a=]]+", "baab", "aa"),
        ("[+--]+", "a+,-b", "+,-"),
        ("a)", "a)", "a)"),
        ("()b", "ab", "b"),
        ("a||b", "b", "b"),
        (r"\w+", "-a_1-", "a_1"),
        (r"\W", "a-", "-"),
        (r"\s\S", "a b", " b"),
        (r"\<foo\>", "xfoo foo", "foo"),
        (r"\bfoo\B", "foox", "foo"),
        (r"\`a", "aa", "a"),
        (r"a\'", "aab a", "a"),
        ("é", "xéy", "é"),
        ("}", "a}", "}"),
    ],
)
def test_matches(pattern: str, text: str, found: str) -> None:
    data = text.encode()
    span = Pattern(pattern, Flags.IGNORE_CASE).span(data)
    assert span is not None
    assert data[slice(*span)].decode() == found


@pytest.mark.parametrize(
    ("pattern", "text", "flags", "expected"),
    [
        ("^b", "a\nb", Flags.IGNORE_CASE, False),
        ("^b", "a\nb", BOTH, True),
        ("a$", "a\nb", Flags.IGNORE_CASE, False),
        ("a$", "a\nb", BOTH, True),
        ("a.b", "a\nb", Flags.IGNORE_CASE, True),
        ("a.b", "a\nb", BOTH, False),
        ("a[^x]b", "a\nb", Flags.IGNORE_CASE, True),
        ("a[^x]b", "a\nb", BOTH, False),
        ("ABC", "abc", Flags.NONE, False),
        ("ABC", "abc", Flags.IGNORE_CASE, True),
        ("[a-c]+$", "ABC", Flags.IGNORE_CASE, True),
        ("[^a]", "A", Flags.IGNORE_CASE, False),
        ("É", "é", Flags.IGNORE_CASE, False),
        ("k", "\N{KELVIN SIGN}", Flags.IGNORE_CASE, False),
        (r"\d", "5", Flags.IGNORE_CASE, False),
        (r"\d", "d", Flags.IGNORE_CASE, True),
    ],
)
def test_flags(pattern: str, text: str, flags: Flags, expected: bool) -> None:
    assert Pattern(pattern, flags).search(text) is expected


def test_a_set_of_all_bytes_negated_matches_nothing() -> None:
    everything = "[^\x01-\x7f\udc80-\udcff\x00]"
    assert not Pattern(everything, Flags.NONE).search(b"a\xff")


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(a", '"(" is not closed'),
        ("[a", '"[" is not closed'),
        ("[", '"[" is not closed'),
        ("[[:digit", '"[:" is not closed'),
        ("*a", 'nothing to repeat before "*"'),
        ("a|+", 'nothing to repeat before "+"'),
        ("(?a)", 'nothing to repeat before "?"'),
        ("^*", 'nothing to repeat before "*"'),
        ("a{x}", '"{" starts no repetition'),
        ("a{1", '"{" starts no repetition'),
        ("a{}", '"{" starts no repetition'),
        ("a{3,1}", "wrong way round"),
        ("[z-a]", "wrong way round"),
        (r"(a)\1", r'back-reference "\1"'),
        ("a\\", "backslash at the end"),
        ("[[:foo:]]", 'unknown character class "[:foo:]"'),
        ("[[.ch.]]", 'unknown collating element "ch"'),
    ],
)
def test_errors(pattern: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        translate(pattern.encode(), ignore_case=True, newline=False)
    assert reason in str(caught.value)


def test_remarks_name_what_is_taken_for_perl() -> None:
    assert translate(rb"\d\.\t", ignore_case=True, newline=False).remarks == (
        r'"\d" matches the character "d" itself',
        r'"\t" matches the character "t" itself',
    )


def test_classes_agree_with_the_posix_locale() -> None:
    assert CLASSES[b"punct"] == frozenset(b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
    assert CLASSES[b"alnum"] == CLASSES[b"alpha"] | CLASSES[b"digit"]
    assert b"\x7f"[0] in CLASSES[b"cntrl"]


@given(strategies.binary(max_size=30), strategies.booleans())
def test_nothing_but_argument_errors(pattern: bytes, newline: bool) -> None:
    try:
        translation = translate(pattern, ignore_case=True, newline=newline)
    except ArgumentError:
        return
    assert isinstance(translation.text, bytes)


@given(strategies.text("abA.()|*+?[]^$-\\", max_size=8), strategies.text("abAB\n", max_size=6))
def test_letter_case_never_matters(pattern: str, text: str) -> None:
    try:
        compiled = Pattern(pattern, Flags.IGNORE_CASE)
    except ArgumentError:
        return
    assert compiled.search(text) == compiled.search(text.swapcase())
