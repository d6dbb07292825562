from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.avps import avp_name
from openpy.script.diagnostics import ScriptError
from openpy.script.environment import ArgumentError
from tests.engine.kit import Bench, evaluate, request

ALIASES = 'avp_aliases="email=s:mail;other=i:7"'


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        (";", "$var(x)", "0"),
        ("$var(x)=5;", "$var(x)", "5"),
        ('$var(x)="text";', "$var(x)", "text"),
        ("$var(x)=5; $var(x)=NULL;", "$var(x)", "0"),
        ("$var(x)=5; $var(x)+=3;", "$var(x)", "8"),
        ('$var(a b)="two names"; $var(a-b)=1;', "$var(a b) $var(a-b)", "two names 1"),
        (";", "$avp(s:x)", "<null>"),
        ("$avp(s:x)=1; $avp(s:x)=2; $avp(s:x)=3;", "$avp(s:x) $(avp(s:x)[0]) $(avp(s:x)[-1])", "3 3 1"),
        ("$avp(s:x)=1; $avp(s:x)=2; $avp(s:x)=3;", "$(avp(s:x)[*]) $(avp(s:x)[3])", "3, 2, 1 <null>"),
        ("$avp(s:x)=1; $avp(s:x)=2; $avp(s:x)=NULL;", "$(avp(s:x)[*])", "1"),
        ("$avp(s:x)=1; $avp(s:x)=2; $avp(s:x):=NULL;", "$avp(s:x)", "<null>"),
        ("$avp(s:x)=1; $avp(s:x):=9;", "$(avp(s:x)[*])", "9"),
        ("$avp(s:x)=NULL;", "$avp(s:x) $rc", "<null> 1"),
        ("$avp(i:5)=1;", "$avp(i:5) $avp(s:5) $avp(i:0x5)", "1 <null> 1"),
        ("$avp(s:X)=1;", "$avp(s:X) $avp(s:x)", "1 <null>"),
        ("$avp(s1:x)=1;", "$avp(s:x)", "1"),
        ('$avp(email)="a@b"; $avp(OTHER)=7;', "$avp(s:mail) $avp(i:7) $avp(EMAIL)", "a@b 7 a@b"),
        ("$avp(bare)=1;", "$avp(s:bare)", "1"),
        ("$avp(email)=1; $avp(s:email)=2;", "$avp(s:mail) $avp(s:email)", "1 2"),
        ("$avp(serial_branch)=1;", "$avp(i:0xff3434) $avp(s:serial_branch)", "1 <null>"),
        ('$var(n)="x"; $avp(s:x)=4;', "$avp($var(n))", "4"),
        ('$var(n)="x"; $avp($var(n))=4;', "$avp(s:x)", "4"),
        ("$avp($hdr(Absent))=4;", "$rc $avp($hdr(Absent))", "-1 <null>"),
    ],
)
def test_what_scripts_store(tmp_path: Path, before: str, text: str, expected: str) -> None:
    assert evaluate(tmp_path, text, request(), before=before, more=ALIASES) == expected


def test_variables_and_avps_start_anew_for_each_message(tmp_path: Path) -> None:
    with Bench(
        tmp_path, '$var(n) = $var(n) + 1; $avp(s:n) = $var(n); xlog("$var(n) $(avp(s:n)[*])");'
    ) as bench:
        bench.receive(request())
        bench.receive(request(branch="z9hG4bKother"))
        assert list(bench.printed()) == ["1 1", "1 1"]


@pytest.mark.parametrize(
    ("text", "name"),
    [("s:x", "x"), ("i:5", 5), ("i2:5", 5), ("s12:x", "x"), ("i:0x10", 16), ("x", "x"), ("s:a:b", "a:b")],
)
def test_names(text: str, name: str | int) -> None:
    assert avp_name(text) == name


@pytest.mark.parametrize("text", ["", "s:", "i:x", "i:", "z:x", "sx:y"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ArgumentError, match="bad avp name"):
        avp_name(text)


@pytest.mark.parametrize("text", ["$var()", "$var", "$avp", "$avp(i:x)"])
def test_a_name_that_cannot_be_is_told_when_the_script_is_loaded(tmp_path: Path, text: str) -> None:
    with pytest.raises(ScriptError):
        evaluate(tmp_path, text, request())
    with pytest.raises(ScriptError):
        evaluate(tmp_path, "x", request(), before=f"{text}=1;")
