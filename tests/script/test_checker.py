from __future__ import annotations

from dataclasses import replace

import pytest

from openpy.script.checker import MOST_TOLD, check
from openpy.script.diagnostics import Diagnostic, Severity
from openpy.script.environment import Environment, Refusal
from openpy.script.parser import parse


def checked(text: str, environment: Environment) -> list[Diagnostic]:
    return check(parse(text, "test.cfg").script, environment)


def told(text: str, environment: Environment) -> list[tuple[str, int, int]]:
    return [
        (item.severity.value, item.position.line, item.position.column) for item in checked(text, environment)
    ]


def test_a_good_script(environment: Environment) -> None:
    text = """
route {
    if (method=="INVITE" && !(uri==myself)) { say("from $ru"); reply("200", "OK"); exit; }
    arm("1");
    switch ($rc) { case 1: route(1); break; default: $var(x) = $(ru{s.len}) + 1; }
    while ($var(x) > 0) { $var(x) -= 1; }
    drop;
}
route[1] { say("x"); }
failure_route[1] { say("x"); }
onreply_route { if (status=~"^2") { drop; } }
"""
    assert checked(text, environment) == []


def test_d12_a_function_that_its_module_refuses(environment: Environment) -> None:
    say = environment.functions["say"]
    environment.functions["say"] = replace(say, refusal=Refusal("it has no voice", "add: a voice"))
    first, second = checked('route {\n  say("x");\n  code("1");\n}\nroute[1] { say("y"); }', environment)
    assert (first.message, first.hint) == ("say() cannot be used: it has no voice", "add: a voice")
    assert (first.severity, first.position.line, second.position.line) == (Severity.ERROR, 2, 5)


def test_everything_is_told_in_the_order_of_the_script(environment: Environment) -> None:
    text = """route {
    sya("x");
    if ($nope == 1) { code("x"); }
    $rm = $nope;
    if ($ru =~ "[") { say("$rd."); }
    $nope += 1;
    switch ($nope) { case 1: route(7); }
}"""
    assert told(text, environment) == [
        ("error", 2, 5),
        ("error", 3, 9),
        ("error", 3, 28),
        ("error", 4, 5),
        ("error", 4, 11),
        ("error", 5, 16),
        ("error", 5, 27),
        ("error", 6, 5),
        ("error", 7, 13),
        ("warning", 7, 30),
    ]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "route { drop; } route { drop; }",
            "overwritting default request routing table",
            "also defined in line 1",
        ),
        ("route[1] { ; } route[1] { ; }", "overwritting request routing table", ""),
        ("failure_route[1] { ; } failure_route[1] { ; }", "overwritting failure routing table", ""),
        ("onreply_route { ; } onreply_route { ; }", "overwritting default reply routing table", ""),
        ("branch_route[1] { ; } branch_route[1] { ; }", "overwritting branch routing table", ""),
        ("error_route { ; } error_route { ; }", "overwritting default error routing table", ""),
        ("route[40] { ; }", "invalid routing table number: 40", "from 0 to 39"),
        ("failure_route[0] { ; }", "invalid reply routing table number: 0", "from 1 to 39"),
        ("onreply_route[40] { ; }", "invalid reply routing table number: 40", ""),
        ("branch_route[40] { ; }", "invalid branch routing table number: 40", ""),
        (
            'failure_route[1] { reply("200"); }',
            "Command cannot be used in the block: reply() in failure_route[1]",
            "it can be used in route",
        ),
    ],
)
def test_errors(environment: Environment, text: str, message: str, hint: str) -> None:
    found = checked(text, environment)
    assert [(item.severity, item.message) for item in found] == [(Severity.ERROR, message)]
    assert hint in found[0].hint


def test_numbers_and_names_are_free_of_each_other(environment: Environment) -> None:
    assert (
        checked(
            "route[RELAY] { ; } route[39] { ; } failure_route[39] { ; }"
            'route { arm("39"); route(RELAY); route(39); drop; }',
            environment,
        )
        == []
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("route { route(7); drop; }", "route(7) is not defined: null action list"),
        ("route { code(5); }", "arguments of code() are quoted in openser 1.3"),
        ("route { exit; say('x'); }", "this is never run: exit stands before it"),
        ('route { arm("7"); drop; }', "failure_route[7] is not defined"),
        ("route { if ($rU || $ru && $rd) { ; } drop; }", "&& and || have equal precedence"),
        ("route { if (method < 'x') { ; } drop; }", "method < is an error at run time"),
        ("route { if (method == 'INVTE') { ; } drop; }", "INVTE is not the name of a method"),
        ("route { if (1) { ; } drop; }", "this condition is always true"),
        ("route { drop; } route[1] { ; }", "route[1] is never run"),
        ("route { if ($ru) { reply(200); } exit; }", "can come to this exit without an answer"),
    ],
)
def test_warnings(environment: Environment, text: str, message: str) -> None:
    found = checked(text, environment)
    assert [item.severity for item in found] == [Severity.WARNING]
    assert message in found[0].message


def test_core_functions_take_numbers(environment: Environment) -> None:
    assert checked("route { reply(200); }", environment) == []


def test_functions_are_followed_through_routes(environment: Environment) -> None:
    text = """failure_route[1] { route(1); }
route[1] { route(2); }
route[2] { reply("200"); }
route { arm("1"); drop; }"""
    found = checked(text, environment)
    assert [(item.severity, item.position.line) for item in found] == [(Severity.WARNING, 3)]
    assert found[0].message == "script function reply does not support route type failure_route"
    assert found[0].hint == "it is reached by failure_route[1] -> route[1] -> route[2]"


def test_too_deep(environment: Environment) -> None:
    found = checked("route {" + "if (1) {" * 150 + ";" + "}" * 150 + "}", environment)
    assert [item.message for item in found] == ["nested more than 100 levels deep"]


def test_of_a_long_way_the_end_is_told(environment: Environment) -> None:
    text = "onreply_route { route(0); }" + "".join(f"route[r{n}] {{ route(r{n + 1}); }}" for n in range(20))
    (found,) = checked(
        text.replace("route(0)", "route(r0)") + 'route[r20] { reply("200"); } route { drop; }', environment
    )
    assert found.code == "W505"
    assert found.hint == "it is reached by ... -> " + " -> ".join(f"route[r{n}]" for n in range(15, 21))


def test_what_is_not_defined_is_guessed(environment: Environment) -> None:
    (found,) = checked(
        "route { route(RELAI); drop; } route[RELAY] { ; } onreply_route { route(RELAY); }", environment
    )
    assert (found.code, found.hint) == ("W405", 'did you mean "RELAY"?')


def test_blocks_that_never_run_are_not_told_beside_errors(environment: Environment) -> None:
    """What is misspelt may have been what uses them."""
    assert [item.code for item in checked("route { rout(1); drop; } route[1] { ; }", environment)] == ["E501"]


def test_no_more_is_told_than_anybody_reads(environment: Environment) -> None:
    found = checked("route {" + "nothing_like_it(); route(99);" * 5000 + "drop; }", environment)
    assert {code: sum(item.code == code for item in found) for code in ("E501", "W405")} == {
        "E501": MOST_TOLD,
        "W405": MOST_TOLD,
    }


def test_numbers_of_routes_may_be_long(environment: Environment) -> None:
    (found,) = checked(f'route {{ drop; }} route["{"9" * 5000}"] {{ ; }} ', environment)
    assert found.code == "E401"


def test_a_warning_that_begins_where_an_error_does_is_about_the_same_mistake(
    environment: Environment,
) -> None:
    (found,) = checked('route { if ($rm = "INVITE") { drop; } drop; }', environment)
    assert (found.code, found.position.column) == ("E604", 13)
    (found,) = checked("route { code(many); code($nope); drop; }".replace("code(many); ", ""), environment)
    assert found.code == "E503"
