from __future__ import annotations

from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, code_of, evaluate, request

URI = "sip:bob:pw@example.com:5070;transport=tcp"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('rewritehost("h2");', "sip:bob:pw@h2:5070;transport=tcp"),
        ('sethost("h2");', "sip:bob:pw@h2:5070;transport=tcp"),
        ('rewritehostport("h2:5080");', "sip:bob:pw@h2:5080;transport=tcp"),
        ('sethostport("h2");', "sip:bob:pw@h2;transport=tcp"),
        ('rewritehostport("[2001:db8::1]");', "sip:bob:pw@[2001:db8::1];transport=tcp"),
        ('rewritehostport("[2001:db8::1]:5080");', "sip:bob:pw@[2001:db8::1]:5080;transport=tcp"),
        ('rewriteport("5080");', "sip:bob:pw@example.com:5080;transport=tcp"),
        ("rewriteport(5080);", "sip:bob:pw@example.com:5080;transport=tcp"),
        ('setport("x");', URI),
        ('setport("65536");', URI),
        ('rewriteuser("carol");', "sip:carol:pw@example.com:5070;transport=tcp"),
        ('setuser("carol");', "sip:carol:pw@example.com:5070;transport=tcp"),
        ('setuser("");', "sip:example.com:5070;transport=tcp"),
        ('rewriteuserpass("carol:x");', "sip:carol:x@example.com:5070;transport=tcp"),
        ('setuserpass("carol");', "sip:carol@example.com:5070;transport=tcp"),
        ('rewriteuri("sip:x@y");', "sip:x@y"),
        ('seturi("sip:x@y");', "sip:x@y"),
        ('prefix("0");', "sip:0bob:pw@example.com:5070;transport=tcp"),
        ("strip(1);", "sip:ob:pw@example.com:5070;transport=tcp"),
        ("strip_tail(1);", "sip:bo:pw@example.com:5070;transport=tcp"),
        ('rewriteuri("sip:x@y"); revert_uri();', URI),
        ('rewriteuri("no uri"); rewritehost("h2");', "no uri"),
    ],
)
def test_rewriting_the_request_uri(tmp_path: Path, call: str, expected: str) -> None:
    assert evaluate(tmp_path, "$ru", request(uri=URI), before=call) == expected


@pytest.mark.parametrize("call", ["strip(9);", "strip_tail(9);"])
def test_stripping_more_than_there_is_empties_the_user_and_warns(tmp_path: Path, call: str) -> None:
    with Bench(tmp_path, f'{call} xlog("$ru");') as bench:
        bench.receive(request(uri="sip:bob@h"))
        assert list(bench.printed()) == ["sip:h"]
        assert "WARNING:script: stripping 9 characters of the user 'bob', which has 3" in bench.log


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('rewriteuser("x");', "sips:x@h"),
        ('rewritehost("i");', "sips:bob@i"),
        ('rewritehostport("i:1");', "sips:bob@i:1"),
        ('rewriteport("1");', "sips:bob@h:1"),
        ('rewriteuserpass("x:y");', "sips:x:y@h"),
        ('prefix("0");', "sips:0bob@h"),
        ("strip(1);", "sips:ob@h"),
        ("strip_tail(1);", "sips:bo@h"),
    ],
)
def test_a_secure_uri_stays_secure(tmp_path: Path, call: str, expected: str) -> None:
    assert evaluate(tmp_path, "$ru", request(uri="sips:bob@h"), before=call) == expected


@pytest.mark.parametrize(
    ("call", "expected", "code"),
    [
        ('rewriteuser("+99")', "tel:+99;ext=7", 1),
        ('rewriteuser("")', "tel:+1555;ext=7", -1),
        ('rewriteuserpass("+99:pw")', "tel:+99;ext=7", 1),
        ('prefix("00")', "tel:00+1555;ext=7", 1),
        ("strip(1)", "tel:1555;ext=7", 1),
        ("strip_tail(2)", "tel:+15;ext=7", 1),
        ("strip(5)", "tel:+1555;ext=7", -1),
        ('rewritehost("gw.example")', "sip:+1555;ext=7@gw.example", 1),
        ('rewritehostport("gw.example:5070")', "sip:+1555;ext=7@gw.example:5070", 1),
        ('rewriteport("5070")', "tel:+1555;ext=7", -1),
    ],
)
def test_a_number_keeps_its_scheme_until_it_gets_a_host(
    tmp_path: Path, call: str, expected: str, code: int
) -> None:
    message = request(uri="tel:+1555;ext=7")
    assert evaluate(tmp_path, "$ru $var(code)", message, before=f"$var(code)={call};") == f"{expected} {code}"


@pytest.mark.parametrize(
    ("before", "call", "code"),
    [
        (";", "isdsturiset()", -1),
        ('setdsturi("sip:a");', "isdsturiset()", 1),
        ('setdsturi("sip:a");', "isdsturiset", 1),
        ('setdsturi("sip:a"); resetdsturi();', "isdsturiset()", -1),
        ('rewriteuri("no uri");', 'rewritehost("h")', -1),
        (";", 'rewriteport("x")', -1),
    ],
)
def test_return_codes(tmp_path: Path, before: str, call: str, code: int) -> None:
    assert code_of(tmp_path, call, request(), before=before) == code


def test_a_negative_number_is_told_when_the_script_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(ScriptError):
        Bench(tmp_path, "strip(-1);")
