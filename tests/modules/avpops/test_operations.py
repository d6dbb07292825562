from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.kit import request
from tests.modules.avpops.kit import SHOWN, bench, printed

BEFORE = (
    '$avp(s:x) = 7; $avp(s:x) = "t"; $avp(s:x) = 12; $avp(s:y) = "text"; '
    "$avp(i:5) = 2; $avp(i:5) = 3; $var(n) = 4;"
)


@pytest.mark.parametrize(
    ("names", "operation", "code", "shown"),
    [
        ("$avp(s:x)", "add/i:5", "1", "17, 12, t, 7 | text | 3, 2"),
        ("$avp(s:x)", "add/i:5/d", "1", "17, t, 7 | text | 3, 2"),
        ("$avp(s:x)", "add/i:5/g", "1", "12, 17, 12, t, 7 | text | 3, 2"),
        ("$avp(s:x)", "add/i:5/gd", "1", "12, 17, t | text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "ADD/i:5", "1", "12, t, 7 | 17, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "add/i:5/GD", "1", "t | 12, 17, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "sub/i:20", "1", "12, t, 7 | -8, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "mul/i:-2", "1", "12, t, 7 | -24, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "div/i:5", "1", "12, t, 7 | 2, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "div/i:-5", "1", "12, t, 7 | -2, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "mod/i:5", "1", "12, t, 7 | 2, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "mod/i:-5", "1", "12, t, 7 | 2, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "and/i:0x6", "1", "12, t, 7 | 4, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "or/i:3", "1", "12, t, 7 | 15, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "xor/i:5", "1", "12, t, 7 | 9, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "not/i:5", "1", "12, t, 7 | -6, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "add/$var(n)", "1", "12, t, 7 | 16, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "add/$sp", "1", "12, t, 7 | 5078, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "add/$avp(i:5)", "1", "12, t, 7 | 17, 15, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "add/$(avp(i:5)[1])", "1", "12, t, 7 | 14, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "mul/i:2147483647", "1", "12, t, 7 | -12, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "div/i:0", "1", "12, t, 7 | 0, text | 3, 2"),
        ("$avp(s:x)/$avp(s:y)", "mod/i:0", "1", "12, t, 7 | 0, text | 3, 2"),
        ("$avp(s:y)", "not/i:5", "1", "12, t, 7 | -6, text | 3, 2"),
        ("$avp(s:y)", "add/i:5", "-1", "12, t, 7 | text | 3, 2"),
        ("$avp(s:none)", "add/i:5", "-1", "12, t, 7 | text | 3, 2"),
        ("$avp(s:none)", "not/i:5", "-1", "12, t, 7 | text | 3, 2"),
        ("$avp(s:x)", "add/$ru", "-1", "12, t, 7 | text | 3, 2"),
        ("$avp(s:x)", "add/$avp(s:y)", "-1", "12, t, 7 | text | 3, 2"),
        ("$avp(s:x)", "add/$hdr(Absent)", "-1", "12, t, 7 | text | 3, 2"),
        ("$avp(s:x)/$avp($hdr(Absent))", "add/i:1", "-1", "12, t, 7 | text | 3, 2"),
    ],
)
def test_operations(tmp_path: Path, names: str, operation: str, code: str, shown: str) -> None:
    route = f'{BEFORE} if (avp_op("{names}", "{operation}")) {{ xlog("1"); }} else {{ xlog("$rc"); }} {SHOWN}'
    assert printed(tmp_path, route) == [code, shown]


@pytest.mark.parametrize(
    ("operator", "text"), [("div", "division by 0 in avp_op"), ("mod", "modulo by 0 in avp_op")]
)
def test_division_by_zero_is_logged(tmp_path: Path, operator: str, text: str) -> None:
    with bench(tmp_path, f'$avp(i:1) = 5; avp_op("$avp(i:1)", "{operator}/i:0");') as running:
        running.receive(request())
        assert any(text in line for line in running.log)


@pytest.mark.parametrize(("left", "operator", "right", "expected"), [
    (-7, "div", 2, "-3"), (-7, "mod", 2, "-1"), (-7, "div", -2, "3"), (7, "mod", -2, "1"),
    (-2147483648, "div", -1, "-2147483648"),
])  # fmt: skip
def test_division_rounds_towards_zero_as_in_c(
    tmp_path: Path, left: int, operator: str, right: int, expected: str
) -> None:
    route = f'$avp(i:1) = {left}; avp_op("$avp(i:1)", "{operator}/i:{right}"); xlog("$avp(i:1)");'
    assert printed(tmp_path, route) == [expected]
