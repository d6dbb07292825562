from __future__ import annotations

import pytest

from openpy.script.deadends import BEFORE_BEGIN, BEHIND_END
from openpy.script.patterns import Flags, compile_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "^a$", "^(a|^b)", "a*^b", "(x|y*)^z", "x$", "(x$|y)z", "^^a", "a{0,1}^", "a{0}^b", "$^", "^$", "",
        "(^sip:|^tel:)x$", "x$y*", "x$(y?)", "a?^b", "[^a]b", "a\\^b", "a$|^b", "a**^b",
    ],
)  # fmt: skip
def test_what_may_match(pattern: str) -> None:
    assert compile_pattern(pattern).dead == ""


@pytest.mark.parametrize(
    ("pattern", "dead"),
    [
        ("a^b", BEFORE_BEGIN),
        ("(x|a^b)", BEFORE_BEGIN),
        ("a(^b|c)", BEFORE_BEGIN),
        ("a(^b)?c", BEFORE_BEGIN),
        ("(a|b)^c", BEFORE_BEGIN),
        ("[ab]+^c", BEFORE_BEGIN),
        ("x|a^b", BEFORE_BEGIN),
        ("x$y", BEHIND_END),
        ("(x$)y", BEHIND_END),
        ("(a$|b$)c", BEHIND_END),
        ("a$(b)", BEHIND_END),
        ("a$b{1,2}", BEHIND_END),
    ],
)
def test_what_never_matches(pattern: str, dead: str) -> None:
    found = compile_pattern(pattern)
    assert found.dead == dead


@pytest.mark.parametrize("pattern", ["a^b", "x$y"])
def test_where_lines_have_ends_of_their_own_nothing_is_said(pattern: str) -> None:
    assert compile_pattern(pattern, Flags.NEWLINE).dead == ""
