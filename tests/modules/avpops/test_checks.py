from __future__ import annotations

from pathlib import Path

import pytest

from openpy.modules.avpops.checks import is_set
from tests.engine.kit import request
from tests.modules.avpops.kit import bench

BEFORE = (
    '$avp(s:x) = "Old"; $avp(s:x) = 3; $avp(s:x) = "text"; $avp(i:5) = 5; $avp(i:6) = 9; $avp(i:6) = 6; $var(n) = 5; '
    '$var(t) = "TEXT"; $avp(s:p) = "t*"; $avp(s:empty) = "";'
)


def holds(folder: Path, value: str, check: str) -> bool:
    route = f'{BEFORE} if (avp_check("{value}", "{check}")) {{ xlog("yes"); }} else {{ xlog("no $rc"); }}'
    with bench(folder, route) as running:
        running.receive(request())
        (line,) = running.printed()
    assert line in ("yes", "no -1")
    return line == "yes"


@pytest.mark.parametrize(
    ("value", "check", "expected"),
    [
        # texts
        ("$avp(s:x)", "eq/s:text", True),
        ("$avp(s:x)", "eq/text", True),
        ("$avp(s:x)", "EQ/text", True),
        ("$avp(s:x)", "eq/TEXT", False),
        ("$avp(s:x)", "eq/TEXT/i", True),
        ("$avp(s:x)", "eq/TEXT/I", True),
        ("$avp(s:x)", "eq/$var(t)", False),
        ("$avp(s:x)", "eq/$var(t)/i", True),
        ("$avp(s:x)", "ne/text", False),
        ("$avp(s:x)", "ne/TEXT", True),
        ("$avp(s:x)", "ne/TEXT/i", False),
        ("$avp(s:x)", "lt/texu", True),
        ("$avp(s:x)", "lt/TEXU", True),
        ("$avp(s:x)", "lt/texts", True),
        ("$avp(s:x)", "lt/text", False),
        ("$avp(s:x)", "le/TEXT", True),
        ("$avp(s:x)", "le/tex", False),
        ("$avp(s:x)", "gt/tex", True),
        ("$avp(s:x)", "gt/TEXT", False),
        ("$avp(s:x)", "ge/TEXT", True),
        ("$avp(s:x)", "ge/texts", False),
        ("$avp(s:x)", "re/^T.x", True),
        ("$avp(s:x)", "re/^x", False),
        ("$avp(s:x)", "re/^[a-z]{4}$", True),
        ("$avp(s:x)", "fm/t?x*", True),
        ("$avp(s:x)", "fm/ext", False),
        ("$avp(s:x)", "fm/T*", False),
        ("$avp(s:x)", "fm/T*/i", True),
        ("$avp(s:x)", "fm/$avp(s:p)", True),
        ("$avp(s:x)", "fm/[!s-u]*", False),
        # numbers
        ("$avp(i:5)", "eq/i:5", True),
        ("$avp(i:5)", "eq/i:0x5", True),
        ("$avp(i:5)", "eq/$var(n)", True),
        ("$avp(i:5)", "ne/i:5", False),
        ("$avp(i:5)", "ne/i:-5", True),
        ("$avp(i:5)", "lt/i:6", True),
        ("$avp(i:5)", "lt/i:5", False),
        ("$avp(i:5)", "le/i:5", True),
        ("$avp(i:5)", "le/i:4", False),
        ("$avp(i:5)", "gt/i:4", True),
        ("$avp(i:5)", "gt/i:5", False),
        ("$avp(i:5)", "ge/i:5", True),
        ("$avp(i:5)", "ge/i:6", False),
        ("$avp(i:5)", "and/i:4", True),
        ("$avp(i:5)", "and/i:2", False),
        ("$avp(i:5)", "or/i:0", True),
        ("$avp(s:zero)", "or/i:0", False),
        ("$var(zero)", "or/i:0", False),
        ("$avp(i:5)", "xor/i:5", False),
        ("$avp(i:5)", "xor/i:4", True),
        # kinds
        ("$avp(i:5)", "eq/s:5", False),
        ("$avp(i:5)", "ne/s:5", False),
        ("$avp(s:x)", "ne/i:5", False),
        ("$avp(i:5)", "re/5", False),
        ("$avp(s:x)", "and/$avp(s:x)", False),
        ("$sp", "eq/i:5066", True),
        ("$sp", "eq/s:5066", True),
        # several values
        ("$avp(s:x)", "eq/Old", False),
        ("$avp(s:x)", "eq/Old/g", True),
        ("$avp(s:x)", "eq/i:3/g", True),
        ("$avp(s:x)", "eq/none/g", False),
        ("$(avp(s:x)[2])", "eq/Old", True),
        ("$avp(i:6)", "eq/i:9/g", True),
        ("$avp(i:6)", "eq/i:9", False),
        ("$var(nine)", "lt/$avp(i:6)", True),
        ("$avp(i:5)", "eq/$avp(i:6)", False),
        # nothing
        ("$avp(s:none)", "ne/s:x", False),
        ("$avp(s:x)", "ne/$avp(s:none)", False),
        ("$hdr(Absent)", "ne/s:x", False),
        ("$avp(s:x)", "ne/$hdr(Absent)", False),
        # pseudo-variables
        ("$ru", "eq/s:sip:bob@example.com", True),
        ("$ru", "eq/sip:bob@example.com", True),
        ("$(ru{uri.user})", "eq/bob", True),
        ("$rU", "eq/$(ru{s.select,0,@}{s.select,1,:})/i", True),
    ],
)  # fmt: skip
def test_checks(tmp_path: Path, value: str, check: str, expected: bool) -> None:
    assert holds(tmp_path, value, check) is expected


def test_a_pattern_that_comes_with_a_message_and_cannot_be_read_matches_nothing(tmp_path: Path) -> None:
    route = 'if (avp_check("$rU", "fm/$hdr(Pattern)")) { xlog("yes"); } else { xlog("no"); }'
    with bench(tmp_path, route) as running:
        for number, pattern in enumerate(("b*", "[z-a]", "*" + "?*" * 600)):
            running.receive(
                request("OPTIONS", "sip:bob@example.com", f"Pattern: {pattern}", branch=f"z9hG4bK{number}")
            )
        assert list(running.printed()) == ["yes", "no", "no"]


def test_bytes_decide_the_order_of_texts(tmp_path: Path) -> None:
    with bench(tmp_path, 'if (avp_check("$rb", "gt/s:z")) { xlog("yes"); } else { xlog("no"); }') as running:
        running.receive(request(body="\u00e9".encode()))
        assert list(running.printed()) == ["yes"]


@pytest.mark.parametrize(
    ("value", "flags", "expected"),
    [
        (None, "", False), ("", "", True), (0, "", True), ("", "e", True), (0, "e", True), ("a", "e", False),
        (1, "e", False), ("a", "s", True), (1, "s", False), (1, "n", True), ("1", "n", False), (0, "ne", True),
        ("", "ne", False),
    ],
)  # fmt: skip
def test_is_set(value: str | int | None, flags: str, expected: bool) -> None:
    assert is_set(value, frozenset(flags)) is expected
