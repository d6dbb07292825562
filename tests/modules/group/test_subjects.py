from __future__ import annotations

import pytest

from openpy.engine.module import ArgumentError
from openpy.modules.group.subjects import SubjectKind
from openpy.testing.script import Script
from tests.modules.accounts import Caller, fill, script_of, setting


@pytest.mark.parametrize("text", ["", "Nobody", "$fu", "$avp(x:1)", "From "])
def test_who_is_nobody(text: str) -> None:
    with pytest.raises(ArgumentError):
        SubjectKind().convert(text, None)


@pytest.mark.parametrize(
    ("who", "user"),
    [
        ("Request-URI", "ruri"),
        ("request-uri", "ruri"),
        ("To", "callee"),
        ("From", "caller"),
        ("$avp(s:uri)", "avp"),
    ],
)
def test_each_word(who: str, user: str) -> None:
    route = f"""$avp(s:uri) = "sip:avp@x"; $avp(s:bad) = "avp";
        $var(c) = is_user_in("{who}", "g"); $var(n) = is_user_in("$avp(s:bad)", "g"); xlog("$var(c) $var(n)");"""
    with Script(script_of(route, "group")) as script:
        fill(script, "grp", {"username": user, "grp": "g"})
        script.send("INVITE", "sip:ruri@x", From="<sip:caller@x>;tag=1", To="<sip:callee@x>")
        assert script.printed == ["1 -1"]


@pytest.mark.parametrize(
    "who", ["Request-URI", "To", "From", "Credentials", "$avp(s:none)", "$avp(s:number)"]
)
def test_where_there_is_no_user(who: str) -> None:
    route = f'$avp(s:number) = 5; $var(c) = is_user_in("{who}", "g"); xlog("$var(c)");'
    with Script(script_of(route, "group")) as script:
        script.send("INVITE", "sip:x", From="<sip:x>;tag=1", To="<sip:x>")
        assert script.printed == ["-1"]


@pytest.mark.parametrize(("settings", "code"), [("", 1), (setting("group", "use_domain", 1), -6)])
def test_the_user_of_a_tel_uri_is_its_number(settings: str, code: int) -> None:
    route = '$var(c) = is_user_in("From", "g"); $var(n) = is_user_in("To", "g"); xlog("$var(c) $var(n)");'
    with Script(script_of(route, "group", settings=settings)) as script:
        fill(script, "grp", {"username": "+1", "domain": "example.com", "grp": "g"})
        script.send("INVITE", "sip:x", From="<tel:+1;a=b>;tag=1", To="<urn:service:sos>")
        assert script.printed == [f"{code} -1"]


def test_credentials() -> None:
    route = """$avp(s:u) = "alice"; $avp(s:p) = "secret";
        if (!pv_www_authorize("")) { www_challenge("", "1"); exit; }
        if (is_user_in("Credentials", "g")) xlog("in");"""
    settings = "".join(
        setting("auth", name, value)
        for name, value in (
            ("username_spec", "$avp(s:u)"),
            ("password_spec", "$avp(s:p)"),
            ("calculate_ha1", 1),
        )
    )
    with Script(
        script_of(route, "auth", "group", settings=settings + setting("group", "use_domain", 1))
    ) as script:
        fill(script, "grp", {"username": "alice", "domain": "example.com", "grp": "g"})
        alice = Caller(script)
        alice.be_asked()
        alice.send(Authorization=alice.credentials(username="alice@example.com"))
        assert script.printed == ["in"]
