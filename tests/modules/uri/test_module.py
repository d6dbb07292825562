from __future__ import annotations

from typing import Any

import pytest

from openpy.modules.uri.module import UriModule
from openpy.script.diagnostics import ScriptError
from openpy.testing.script import Script
from tests.modules.accounts import Caller, script_of, setting


def lines(route: str, uri: str = "sip:bob@example.com", **fields: Any) -> list[str]:
    with Script(script_of(route, "uri")) as script:
        script.send("INVITE", uri, **fields)
        return script.printed


def code(call: str, uri: str = "sip:bob@example.com", before: str = ";", **fields: Any) -> int:
    (line,) = lines(f'{before} $var(c) = {call}; xlog("$var(c)");', uri, **fields)
    return int(line)


def test_it_has_no_parameters() -> None:
    assert UriModule.parameters() == {}
    assert UriModule.function_names() == {
        *("is_user", "has_totag", "uri_param", "add_uri_param", "tel2sip", "is_uri_user_e164")
    }


@pytest.mark.parametrize(
    ("to", "expected"), [("<sip:b@x>;tag=1", 1), ("<sip:b@x>", -1), ("<sip:b@x>;tag=", -1)]
)
def test_has_totag(to: str, expected: int) -> None:
    assert code("has_totag()", To=to) == expected


def test_is_user() -> None:
    route = """
        $avp(s:u) = "alice"; $avp(s:p) = "secret";
        if (!pv_www_authorize("")) { if (is_user("alice")) xlog("too early"); www_challenge("", "1"); exit; }
        if (is_user("alice")) xlog("alice");
        if (is_user("Alice")) xlog("Alice");
        sl_send_reply("200", "OK");
    """
    settings = "".join(
        setting("auth", name, value)
        for name, value in (
            ("username_spec", "$avp(s:u)"),
            ("password_spec", "$avp(s:p)"),
            ("calculate_ha1", 1),
        )
    )
    with Script(script_of(route, "auth", "uri", settings=settings)) as script:
        alice = Caller(script)
        alice.be_asked()
        assert alice.answer(username="alice@example.com").status == 200
        assert script.printed == ["alice"]


@pytest.mark.parametrize(
    ("call", "uri", "expected"),
    [
        ('uri_param("lr")', "sip:b@x;lr", 1),
        ('uri_param("lr")', "sip:b@x;lr=on", -1),
        ('uri_param("LR")', "sip:b@x;lr", -1),
        ('uri_param("lr")', "sip:b@x", -1),
        ('uri_param("user", "phone")', "sip:b@x;a;user=phone", 1),
        ('uri_param("user", "phone")', "sip:b@x;user=Phone", -1),
        ('uri_param("user", "phone")', "sip:b@x;user=ip;user=phone", -1),
        ('uri_param("user", "phone")', "sip:b@x;user", -1),
    ],
)
def test_uri_param(call: str, uri: str, expected: int) -> None:
    assert code(call, uri) == expected


def test_uri_param_of_what_is_no_uri() -> None:
    assert code('uri_param("a")', before='$ru = "nonsense";') == -1


@pytest.mark.parametrize(
    ("uri", "parameter", "made"),
    [
        ("sip:b@x", "user=phone", "sip:b@x;user=phone"),
        ("sip:b@x:5070;lr", "a", "sip:b@x:5070;lr;a"),
        ("sips:b@x?Subject=y", "a=b", "sips:b@x;a=b?Subject=y"),
        ("tel:+1", "a", "tel:+1;a"),
        ("sip:b@x", "", "sip:b@x"),
    ],
)
def test_add_uri_param(uri: str, parameter: str, made: str) -> None:
    route = f'$ru = "{uri}"; $var(c) = add_uri_param("{parameter}"); xlog("$var(c) $ru");'
    assert lines(route) == [f"1 {made}"]


def test_what_cannot_be_added() -> None:
    assert code('add_uri_param("a")', before='$ru = "nonsense";') == -1
    for text in ("a b", "a\\r\\nX: y", ";", "a<", "a;"):
        with pytest.raises(ScriptError, match="is no parameter of a URI"):
            lines(f'add_uri_param("{text}");')


@pytest.mark.parametrize(
    ("uri", "from_", "result"),
    [
        (
            "tel:+358-555-1234567;postd=pp22",
            "<sip:a@foo.com:5080;x>;tag=1",
            "1 sip:+358-555-1234567;postd=pp22@foo.com;user=phone",
        ),
        ("sip:b@x", "<sip:a@foo.com>;tag=1", "1 sip:b@x"),
        ("tel:+1", "<tel:+2>;tag=1", "-1 tel:+1"),
    ],
)
def test_tel2sip(uri: str, from_: str, result: str) -> None:
    assert lines('$var(c) = tel2sip(); xlog("$var(c) $ru");', uri, From=from_) == [result]


def test_tel2sip_of_what_is_no_uri() -> None:
    assert code("tel2sip()", before='$ru = "nonsense";') == -1


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:+12@x", 1),
        ("sip:+12x@x", 1),
        ("tel:+123456789012345", 1),
        ("sip:+1@x", -1),
        ("sip:+1234567890123456@x", -1),
        ("sip:12345@x", -1),
        ("sip:x", -1),
    ],
)
def test_is_uri_user_e164(uri: str, expected: int) -> None:
    assert code('is_uri_user_e164("$ru")', uri) == expected


def test_is_uri_user_e164_of_what_is_no_uri() -> None:
    assert code('is_uri_user_e164("$hdr(X-None)")') == -1
    assert code('is_uri_user_e164("$rU")') == -1
    with pytest.raises(ScriptError, match="is no pseudo-variable"):
        lines('is_uri_user_e164("sip:+1@x");')


def test_where_they_can_be_called() -> None:
    Script(script_of('exit; }\nfailure_route[1] { is_uri_user_e164("$ru");', "uri")).close()
    with pytest.raises(ScriptError, match="cannot be used"):
        Script(script_of("exit; }\nfailure_route[1] { tel2sip();", "uri"))
