"""What section 10 of the language's reference copies from 1.3, and what it mends: a test for each row."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.cli.options import parse_options
from openpy.script.parser import parse
from tests.engine.kit import Bench, evaluate, is_true, request
from tests.engine.test_config import applied

SIPS = request(uri="sips:bob:pw@example.com:5061;x=1")
TWO = request("OPTIONS", "sip:bob@example.com", "Subject: one", "Subject: two")


# --- as in 1.3 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("1 || 0 && 0", False),
        ("0 && 0 || 1", True),
        ("1 || 1 && 0", False),
    ],
)
def test_and_and_or_are_equal(tmp_path: Path, condition: str, expected: bool) -> None:
    assert is_true(tmp_path, condition, request()) is expected


@pytest.mark.parametrize(
    ("value", "expected"), [("2+3*4", "20"), ("7%4*2", "6"), ("6&3|8", "10"), ("~5+1", "-5")]
)
def test_arithmetic_goes_from_left_to_right(tmp_path: Path, value: str, expected: str) -> None:
    assert evaluate(tmp_path, "$var(x)", request(), before=f"$var(x) = {value};") == expected


@pytest.mark.parametrize("condition", ["$ru==5", "!($ru==5)", "$ru==5 || 1"])
def test_an_error_in_a_comparison_is_false(tmp_path: Path, condition: str) -> None:
    assert not is_true(tmp_path, condition, request())


@pytest.mark.parametrize(
    "condition", ['$rm=="options"', '$ru=~"EXAMPLE"', 'method=="Options"', '$rm!~"^invite$"']
)
def test_letter_case_does_not_count(tmp_path: Path, condition: str) -> None:
    assert is_true(tmp_path, condition, request())


# --- mended ---------------------------------------------------------------------------------------------------


def test_var_starts_at_0_in_each_run(tmp_path: Path) -> None:
    with Bench(tmp_path, '$var(n) = $var(n) + 1; sl_send_reply("20$var(n)", "n");') as bench:
        starts = [bench.receive(request(call_id=f"{n}", branch=f"z9hG4bK{n}"))[0].start for n in range(3)]
    assert starts == ["SIP/2.0 201 n"] * 3


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ('$rU = "carol";', "sips:carol:pw@example.com:5061;x=1"),
        ('$rd = "b.example";', "sips:bob:pw@b.example:5061;x=1"),
        ('rewriteuser("carol");', "sips:carol:pw@example.com:5061;x=1"),
        ('rewritehost("b.example");', "sips:bob:pw@b.example:5061;x=1"),
        ('rewritehostport("b.example:7");', "sips:bob:pw@b.example:7;x=1"),
        ('rewriteport("7");', "sips:bob:pw@example.com:7;x=1"),
        ('prefix("9");', "sips:9bob:pw@example.com:5061;x=1"),
        ("strip(1);", "sips:ob:pw@example.com:5061;x=1"),
        ("strip_tail(1);", "sips:bo:pw@example.com:5061;x=1"),
    ],
)
def test_edits_keep_the_scheme(tmp_path: Path, edit: str, expected: str) -> None:
    assert evaluate(tmp_path, "$ru", SIPS, before=edit) == expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("+=", 8), ("-=", 2), ("*=", 15), ("/=", 1), ("%=", 2), ("&=", 1), ("|=", 7), ("^=", 6), (":=", 3)],
)
def test_compound_assignment(tmp_path: Path, operator: str, expected: int) -> None:
    assert evaluate(tmp_path, "$var(x)", request(), before=f"$var(x) = 5; $var(x) {operator} 3;") == str(
        expected
    )


def test_compound_assignment_joins_strings(tmp_path: Path) -> None:
    assert evaluate(tmp_path, "$var(x)", request(), before='$var(x) = "a"; $var(x) += "b";') == "ab"


def test_return_in_while_leaves_the_route_only(tmp_path: Path) -> None:
    with Bench(
        tmp_path, 'route(1); sl_send_reply("20$rc", "on");', more="route[1] { while (1) { return(5); } }"
    ) as bench:
        (sent,) = bench.receive(request())
    assert sent.start == "SIP/2.0 205 on"


def test_a_case_falls_through_into_default(tmp_path: Path) -> None:
    switch = "switch ($var(x)) { case 1: $var(y) = 1; case 2: $var(y) += 2; default: $var(y) += 4; }"
    for value, expected in ((1, "7"), (2, "6"), (3, "4")):
        assert evaluate(tmp_path, "$var(y)", request(), before=f"$var(x) = {value}; {switch}") == expected


@pytest.mark.parametrize(
    ("expression", "message", "expected"),
    [
        ("$(hdr(Subject)[*])", TWO, "one,two"),
        ("$(ru{uri.r2})", request(uri="sip:a@b;r2=on"), "on"),
    ],
)
def test_values_that_were_wrong(tmp_path: Path, expression: str, message: bytes, expected: str) -> None:
    assert evaluate(tmp_path, expression, message).replace(", ", ",") == expected


def test_parameters_that_were_wrong() -> None:
    config, wrong = applied("tls_log=3")
    assert config.values["tls_port_no"] == 5061
    assert wrong == []
    _, (found,) = applied("tos=FOO")
    assert '"FOO" is not known' in found.message
    config, wrong = applied("tos=IPTOS_RELIABILITY")
    assert (config.text("tos"), wrong) == ("IPTOS_RELIABILITY", [])


def test_r_is_no_log_level() -> None:
    assert parse_options(["-R"]).louder == 0


def test_the_stock_script_and_semicolons() -> None:
    parsed = parse("debug=3; ;\nroute { ; };\n#route[2] {\n\texit;\n}\n", "openser.cfg")
    assert [item.message for item in parsed.found] == [
        "a stray 'exit; }' outside of any route is skipped (line 4, column 2)"
    ]


@pytest.mark.parametrize("text", ["50%", "%d %s %n", "100%%"])
def test_log_is_no_format(tmp_path: Path, text: str) -> None:
    with Bench(tmp_path, f'log(1, "{text}");') as bench:
        bench.receive(request())
        assert bench.log[-1].endswith(text)


@pytest.mark.parametrize(
    ("condition", "before"),
    [
        ("$cs==7", ";"),
        ('$cs=="7"', ";"),
        ("$sp==5066", ";"),
        ("$var(x)==5067", "$var(x) = $sp; $var(x) = 1 + $sp;"),
        ("$var(x)==5067", "$var(x) = $sp + 1;"),
        ("$var(x)==8", "$var(x) = $cs + 1;"),
    ],
)
def test_strings_with_an_integer_view_calculate(tmp_path: Path, condition: str, before: str) -> None:
    assert is_true(tmp_path, condition, request(), before=before)
