from __future__ import annotations

import pytest

from openpy.script.callgraph import routes_of
from openpy.script.environment import Environment
from openpy.script.misfits import misfits_of, shown
from openpy.script.parser import parse
from openpy.script.syntax import Number, Operand, PseudoVariable


def told(body: str, environment: Environment, header: str = "route") -> list[tuple[str, str]]:
    (route,) = routes_of(parse(f"{header} {{ {body} }}", "test.cfg").script)
    return [(item.code, item.hint) for item in misfits_of(route, environment)]


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ('method=="INVTE"', 'did you mean "INVITE"?'),
        ("method==INVTE", 'did you mean "INVITE"?'),
        ('$rm!="PUBLIC"', 'did you mean "PUBLISH"?'),
        ('$(rm)=="OPTION"', 'did you mean "OPTIONS"?'),
        ('$rm=~"^(INVITE|SUBSCIRBE)$"', 'did you mean "SUBSCRIBE"?'),
        ('is_method("OPTIONS|CANCLE")', 'did you mean "CANCEL"?'),
    ],
)
def test_misspelt_methods(condition: str, hint: str, environment: Environment) -> None:
    assert told(f"if ({condition}) exit;", environment) == [("W711", hint)]


@pytest.mark.parametrize(
    "condition",
    [
        'method=="invite"', '$rm=="KDMQ"', '$rm=~"INV"', '$rm=~"^[A-Z]+$"', 'is_method("INVITE | ACK")',
        '$rU=="INVTE"', 'say("INVTE")',
    ],
)  # fmt: skip
def test_methods_that_may_be(condition: str, environment: Environment) -> None:
    assert told(f"if ({condition}) exit;", environment) == []


def test_labels_are_methods_where_the_subject_is(environment: Environment) -> None:
    assert told('switch ($rm) { case "INVTE": exit; case "BYE": exit; case 1: exit; }', environment) == [
        ("W711", 'did you mean "INVITE"?')
    ]
    assert told('switch ($rU) { case "INVTE": exit; }', environment) == []


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ('$ru=="bob@example.com"', 'write "sip:bob@example.com"'),
        ('uri=="example.com"', 'its domain is compared by $rd == "example.com"'),
        ("uri==example.com", 'its domain is compared by $rd == "example.com"'),
        ('from_uri!="alice"', 'its user is compared by $fU != "alice"'),
        ('$(tu)=="b.example"', 'its domain is compared by $td == "b.example"'),
        ('$rd=="sip:b.example"', "the whole URI is in $ru"),
        ('$fd!="bob@b.example"', "the whole URI is in $fu"),
    ],
)
def test_uris_and_domains(condition: str, hint: str, environment: Environment) -> None:
    assert told(f"if ({condition}) exit;", environment) == [("W712", hint)]


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ('$ru=~"^bob@"', 'write "^sip:bob@"'),
        ('uri=~"^00"', 'write "^sip:00"'),
        ('$fu!~"^alice@.*"', 'write "^sip:alice@.*"'),
    ],
)
def test_expressions_for_uris(condition: str, hint: str, environment: Environment) -> None:
    assert told(f"if ({condition}) exit;", environment) == [("W706", hint)]


@pytest.mark.parametrize(
    "condition",
    [
        '$ru=="sip:bob@example.com"', '$ru=="tel:+49"', '$ru==""', '$ru==$var(x)', "uri==myself", '$rd=="b.example"',
        '$ru=~"bob"', '$ru=~"^sip:bob"', '$ru=~"^sips?:bob"', '$ru=~"^s"', '$ru=~"^bob|^sip:"', '$ru=~"^(sip|tel):"',
        '$ru=~"^im:bob"', '$ru=~"^b*ob"', '$rU=="bob@x"', '$ru < "bob"',
    ],
)  # fmt: skip
def test_what_may_be_equal(condition: str, environment: Environment) -> None:
    assert told(f"if ({condition}) exit;", environment) == []


def test_uri_is_the_status_in_a_reply_route(environment: Environment) -> None:
    assert told('if (uri=="200") exit;', environment, "onreply_route") == []


def test_names_of_values() -> None:
    values = PseudoVariable("$(rm)"), PseudoVariable("$rm"), Operand("method"), Number(1)
    assert [shown(value) for value in values] == ["$rm", "$rm", "method", ""]


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ("$rU == 100", 'write $rU == "100"'),
        ("$(rU) != 100", 'write $rU != "100"'),
        ("100 == $rU", 'write $rU == "100"'),
        ("$hdr(X-Hops) > 5", "write $(hdr(X-Hops){s.int}) > 5"),
        ("$(hdr(X-Hops)[0]) > 5", "write $(hdr(X-Hops)[0]{s.int}) > 5"),
    ],
)
def test_text_beside_a_number(condition: str, hint: str, environment: Environment) -> None:
    assert told(f"if ({condition}) exit;", environment) == [("W703", hint)]


@pytest.mark.parametrize(
    "condition", ["$sp == 5060", "$var(x) == 1", "$(ru{s.len}) > 5", '$rU == "100"', "$rm == 1"]
)
def test_what_may_be_a_number(condition: str, environment: Environment) -> None:
    assert told(f"if ({condition}) exit;", environment) == []


def test_labels_are_text_where_the_subject_is(environment: Environment) -> None:
    body = 'switch ($rU) { case 100: exit; case "200": exit; }'
    assert told(body, environment) == [("W712", 'write case "100":')]


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ('$si == "10.0.0.0/8"', "write src_ip == 10.0.0.0/8"),
        ('$Ri != "10.0.0.0/255.0.0.0"', "write dst_ip != 10.0.0.0/255.0.0.0"),
    ],
)
def test_an_address_is_no_network(condition: str, hint: str, environment: Environment) -> None:
    assert told(f"if ({condition}) exit;", environment) == [("W712", hint)]
    assert told('if ($si == "10.0.0.1" || $si =~ "^10/") exit;', environment) == []


@pytest.mark.parametrize(
    ("assignment", "hint"),
    [
        ("$rU = 100", 'write $rU = "100"'),
        ("$ru := 5", 'write $ru := "5"'),
        ("$rU += 1", 'write $rU += "1"'),
        ("$rU -= 1", ""),
        ("$ru = NULL", ""),
        ("$br = NULL", ""),
    ],
)
def test_assignments_that_always_fail(assignment: str, hint: str, environment: Environment) -> None:
    assert told(f"{assignment};", environment) == [("W607", hint)]


@pytest.mark.parametrize(
    "assignment", ["$rU = NULL", "$du = NULL", "$avp(s:x) = 5", '$rU = "5"', "$rd = $var(x)"]
)
def test_assignments_that_may_work(assignment: str, environment: Environment) -> None:
    assert told(f"{assignment};", environment) == []
