from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.engine.module import ArgumentError
from openpy.engine.parameters import compile_expression
from openpy.modules.permissions.basic import extended


@pytest.mark.parametrize(
    ("basic", "expected"),
    [
        (r"^sip:.*@example\.com$", r"^sip:.*@example\.com$"),
        ("^sip:+49", r"^sip:\+49"),
        ("a?b(c){2}|d", r"a\?b\(c\)\{2\}\|d"),
        (r"a\?\(b\|c\)\{2\}\+", "a?(b|c){2}+"),
        ("*a", r"\*a"),
        ("^*a*", r"^\*a*"),
        (r"\(*a\)", r"(\*a)"),
        ("a^b$c", r"a\^b\$c"),
        (r"\(^a$\)", "(^a$)"),
        (r"a$\|^b", "a$|^b"),
        ("[+?]a[]|]", "[+?]a[]|]"),
        ("[[:digit:]+]$", "[[:digit:]+]$"),
        (r"a\.\\b", r"a\.\\b"),
        ("[", "["),
    ],
)
def test_what_is_written(basic: str, expected: str) -> None:
    assert extended(basic) == expected


GREP = shutil.which("grep")


@pytest.mark.skipif(GREP is None, reason="there is no grep to compare with")
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["a", "b", "+", "?", "|", "(", ")", "{", "}", ".", "a*", "[ab]", "[+|]"]),
        min_size=1,
        max_size=6,
    ),
    st.text(alphabet="ab+?|(){}", min_size=1, max_size=6),
    st.sampled_from(["", "^"]),
    st.sampled_from(["", "$"]),
)
def test_it_matches_what_grep_does(parts: list[str], text: str, begin: str, end: str) -> None:
    basic = begin + "".join(parts) + end
    assert GREP is not None
    found = subprocess.run(
        [GREP, "-q", "-e", basic], input=text + "\n", text=True, env={"LC_ALL": "C"}, check=False
    )
    assert found.returncode in (0, 1)
    assert compile_expression(extended(basic), ignore_case=False).search(text) == (found.returncode == 0)


@given(st.text(alphabet="ab*^$\\()[]{}|+?.:", max_size=20))
def test_whatever_is_written_is_an_expression_or_refused(text: str) -> None:
    with suppress(ArgumentError):
        compile_expression(extended(text), ignore_case=False).search("ab")
