from __future__ import annotations

from pathlib import Path

import pytest

from tests.modules.avpops.kit import SHOWN, printed


def result(folder: Path, call: str) -> list[str]:
    before = '$avp(s:x) = 1; $avp(s:x) = "b"; $avp(s:x) = "3"; $avp(s:y) = "old";'
    return printed(folder, f'{before} if ({call}) {{ xlog("1"); }} else {{ xlog("$rc"); }} {SHOWN}')


@pytest.mark.parametrize(
    ("source", "target", "code", "shown"),
    [
        ("$avp(s:x)", "$avp(s:y)", "1", "3, b, 1 | 3, old | <null>"),
        ("$avp(s:x)", "$avp(s:y)/d", "1", "b, 1 | 3, old | <null>"),
        ("$avp(s:x)", "$avp(s:y)/g", "1", "3, b, 1 | 1, b, 3, old | <null>"),
        ("$avp(s:x)", "$avp(s:y)/gd", "1", "<null> | 1, b, 3, old | <null>"),
        ("$avp(s:x)", "$avp(s:y)/DG", "1", "<null> | 1, b, 3, old | <null>"),
        ("$avp(s:x)", "$avp(i:5)", "1", "3, b, 1 | old | 3"),
        ("$avp(s:x)", "$avp(s:x)", "1", "3, 3, b, 1 | old | <null>"),
        ("$avp(s:x)", "$avp(s:x)/gd", "1", "1, b, 3 | old | <null>"),
        ("$avp(s:x)", "$avp(s:y)/gn", "-1", "3, b, 1 | old | <null>"),
        ("$avp(s:y)", "$avp(s:x)/n", "-1", "3, b, 1 | old | <null>"),
        ("$avp(s:none)", "$avp(s:y)", "-1", "3, b, 1 | old | <null>"),
        ("$avp(s:none)", "$avp(s:y)/g", "-1", "3, b, 1 | old | <null>"),
        ("$avp(s:x)", "$avp($hdr(Absent))", "-1", "3, b, 1 | old | <null>"),
    ],
)
def test_copy(tmp_path: Path, source: str, target: str, code: str, shown: str) -> None:
    assert result(tmp_path, f'avp_copy("{source}", "{target}")') == [code, shown]


@pytest.mark.parametrize(
    ("value", "flags", "kind"),
    [
        ("3", "n", "n"),
        ("-3", "n", "n"),
        ("3", "s", "s"),
        (3, "s", "s"),
        (3, "n", "n"),
        (3, "", "n"),
        ("3", "", "s"),
    ],
)
def test_copy_can_change_the_kind(tmp_path: Path, value: str | int, flags: str, kind: str) -> None:
    written = f'"{value}"' if isinstance(value, str) else value
    route = (
        f'$avp(s:x) = {written}; avp_copy("$avp(s:x)", "$avp(s:y){"/" if flags else ""}{flags}"); '
        f'if (is_avp_set("$avp(s:y)/{kind}")) {{ xlog("$avp(s:y)"); }}'
    )
    assert printed(tmp_path, route) == [str(value)]


@pytest.mark.parametrize(
    ("names", "substitution", "code", "shown"),
    [
        ("$avp(s:x)", "/3/c/", "1", "c, b, 1 | old | <null>"),
        ("$avp(s:x)", "/B/c/i", "1", "c, 3, 1 | old | <null>"),
        ("$avp(s:x)", "/B/c/", "-1", "3, b, 1 | old | <null>"),
        ("$avp(s:x)", "/1/c/", "-1", "3, b, 1 | old | <null>"),
        ("$avp(s:x)/g", "/(.)/<\\1>/", "1", "<b>, <3>, 1 | old | <null>"),
        ("$avp(s:x)/$avp(s:y)", "/(.)/$rU\\1/", "1", "3, b, 1 | bob3, old | <null>"),
        ("$avp(s:x)/$avp(s:y)/d", "/b/c/", "1", "3, 1 | c, old | <null>"),
        ("$avp(s:x)/$avp(s:y)/gd", "/./c/", "1", "1 | c, c, old | <null>"),
        ("$avp(s:x)/$avp(s:y)/g", "/./c/", "1", "3, b, 1 | c, c, old | <null>"),
        ("$avp(s:y)", "/[a-z]/-/g", "1", "3, b, 1 | --- | <null>"),
        ("$avp(s:none)", "/a/b/", "-1", "3, b, 1 | old | <null>"),
        ("$avp(s:x)/$avp($hdr(Absent))", "/./c/", "-1", "3, b, 1 | old | <null>"),
    ],
)
def test_substitute(tmp_path: Path, names: str, substitution: str, code: str, shown: str) -> None:
    assert result(tmp_path, f'avp_subst("{names}", "{substitution}")') == [code, shown]
