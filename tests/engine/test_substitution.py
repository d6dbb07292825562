from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import pytest

from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.engine.run import Run
from openpy.engine.substitution import SubstitutionKind
from openpy.script.environment import ArgumentError, Environment
from openpy.script.transformations import TRANSFORMATIONS
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, request

ENVIRONMENT = Environment(pseudo_variables=dict(PSEUDO_VARIABLES), transformations=dict(TRANSFORMATIONS))


@pytest.mark.parametrize(
    ("written", "text", "expected"),
    [
        ("/b/x/", "abab", "axab"),
        ("/b/x/g", "abab", "axax"),
        ("/B/x/", "abab", None),
        ("/B/x/gi", "abab", "axax"),
        ("!a(b+)!\\1\\1!", "abbc", "bbbbc"),
        ("/a|ab/<\\0>/", "abc", "<ab>c"),
        ("/(x)?b/[\\1]/", "ab", "a[]"),
        ("/b/\\7/", "abc", "ac"),
        ("/a\\/b/x/", "a/b", "x"),
        ("|a\\|b|x|", "a|b a", "x a"),
        ("/b/\\//", "abc", "a/c"),
        ("/b/\\n\\r\\t\\\\\\$\\q/", "b", "\n\r\t\\$q"),
        ("/b/\\u/", "b", "sip:bob@example.com"),
        ("/b/$rU-$$-$(rU{s.len})/", "abc", "abob-$-3c"),
        ("/b/$(ru{s.select,0,/})/", "b", "sip:bob@example.com"),
        ("/b/<$hdr(Absent)$(hdr(Absent){s.len})>/", "b", "<<null>>"),
        ("/b/$hdr(Subject)/", "b", "\\1/$ru"),
        ("/^/>/", "abc", ">abc"),
        ("/^b/x/", "a\nb", "a\nx"),
        ("/^b/x/s", "a\nb", None),
        ("/a.b/x/", "a\nb", None),
        ("/a.b/x/s", "a\nb", "x"),
        ("/c$/x/", "abc", "abx"),
        ("/b//", "abc", "ac"),
        ("/z/x/", "abc", None),
        ("/\u00e4/\u00f6/", "b\u00e4r\udcff", "b\u00f6r\udcff"),
    ],
)  # fmt: skip
def test_substitutions(tmp_path: Path, written: str, text: str, expected: str | None) -> None:
    data = request("OPTIONS", "sip:bob@example.com", "Subject: \\1/$ru")
    substitution = SubstitutionKind().convert(written, ENVIRONMENT)
    assert substitution.text == written
    with Bench(tmp_path) as bench:
        run = Run(bench.server, parse_message(data), bench.phone())
        assert substitution(run, text) == expected


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "is no substitution; write /expression/replacement/flags"),
        ("ab", "is no substitution"),
        ("abcb", "is no substitution"),
        ("\\a\\b\\", "is no substitution"),
        ("$a$b$", "is no substitution"),
        (" a b ", "is no substitution"),
        ("//b/", "is no substitution"),
        ("/a/", "does not end with /"),
        ("/a/b", "the replacement does not end with /"),
        ("/a\\/b/", "does not end with /"),
        ("/abc", "is no substitution"),
        ("/a/b\\", "does not end"),
        ("/a/b/c/d", '"c/d" is no flag'),
        ("/a/b/x", '"x" is no flag of a substitution: there are i, g and s'),
        ("/(a/b/", "bad regular expression"),
        ("/a/$nothing/", "unknown script variable"),
        ("/a/$/", "without a name"),
    ],
)
def test_what_is_refused(written: str, told: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        SubstitutionKind().convert(written, ENVIRONMENT)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("/^b/x/s", [(2, 3, b"x")]),
        ("/^(b)/\\1\\1/g", [(2, 3, b"bb"), (6, 7, b"bb")]),
        ("/b$/x/s", [(6, 7, b"x")]),
        ("/^a/x/", []),
    ],
)
def test_places_in_a_text_that_begins_further_on(
    written: str, expected: list[tuple[int, int, bytes]]
) -> None:
    substitution = SubstitutionKind().convert(written, ENVIRONMENT)
    assert substitution.changes(cast(Run, None), b"a\nbab\nb", 2) == expected


def test_no_expression_takes_long() -> None:
    run: Any = None
    substitution = SubstitutionKind().convert("/(a*)*(a|aa)+$/\\1/g", ENVIRONMENT)
    begun = time.process_time()
    assert substitution(run, "a" * 20_000 + "!") is None
    assert time.process_time() - begun < 0.1
