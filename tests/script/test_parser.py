"""What is accepted, where nodes are, what is warned of, and that nothing else ever happens."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.script.diagnostics import ScriptError, Severity, render
from openpy.script.habits import habits_of
from openpy.script.lexer import KEYWORDS
from openpy.script.parser import parse
from openpy.script.syntax import Block, Call, Comparison, If, Node, Number, Position, Route, String


def route(text: str) -> Route:
    (statement,) = parse(text, "t.cfg").script.statements
    assert isinstance(statement, Route)
    return statement


def warnings(text: str) -> list[tuple[int, int, str]]:
    return [(d.position.line, d.position.column, d.message) for d in parse(text, "t.cfg").found]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment",
        ";;",
        "route { a(); } # no newline at the end",
        "route{ ; }",
        "route{}",
        "route{ if(a()) {} else {} while(b()) {} };",
        "modparam('a', 'b', 1); loadmodule 'x'; debug=3; ;",
        "request_route { a(); }",
        'route { route("1"); route(NAME); } route[NAME] { t_on_failure(1); }',
        "route { forward(1.2.3.4, 5060); forward(uri:host, uri:port); forward(); }",
        "route { force_send_socket(udp:1.2.3.4:5060); set_advertised_address(1.2.3.4); }",
        'route { append_branch("x","0.5"); setflag(3); log(1,"x"); log(yes, \'y\'); }',
        'route { pv_printf("$ru","x"); avp_printf($ru, \'y\'); }',
        "#!define FLAG 1\n#!KAMAILIO\nroute { setflag(FLAG); }",
        "route { switch($rc) { case 1: if (a()) { break; } default: break; } while (1) { break; } }",
        "route\n{\nif\n(\na()\n)\nb()\n;\n}",
        "/* a /* b */ c */ route { /* # */ a(); }",
        'route { if (method=="INVITE" || method=="ACK" && uri==myself) exit; }',
        'error_route { xlog("$err.class $(err.info)"); }',
    ],
)
def test_accepted_without_a_word(text: str) -> None:
    assert warnings(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("route { a(); }\n\texit;\n}\n", [(2, 2, "a stray 'exit; }'")]),
        ("route { a(); }\nexit();\n", [(2, 1, "a stray 'exit;'")]),
        ("}\nroute { a(); }", [(1, 1, "a stray '}'")]),
        ("route { a(); } };", [(1, 16, "a stray '}'")]),
        ("route { if (a()) { break; } b(); break; }", [(1, 20, "break outside"), (1, 34, "break outside")]),
        ("route { while (1) { break; } break; }", [(1, 30, "break outside")]),
        ("@ route { a(); }", [(1, 1, "the character '@'")]),
    ],
)
def test_accepted_with_a_warning(text: str, expected: list[tuple[int, int, str]]) -> None:
    found = warnings(text)
    assert [place[:2] for place in found] == [place[:2] for place in expected]
    assert all(known[2] in told[2] for told, known in zip(found, expected, strict=True))


def test_the_warning_of_a_stray_end_names_its_place_and_the_cause() -> None:
    (found,) = parse("route { a(); }\n##route[2] {\n\texit;\n}\nonreply_route[2] { b(); }\n", "t.cfg").found
    assert found.severity is Severity.WARNING
    assert "line 3, column 2" in found.message
    assert "header of a route above may be commented out" in found.hint


def span(node: Node) -> tuple[int, int, int, int]:
    return node.position.line, node.position.column, node.position.end_line, node.position.end_column


def test_positions() -> None:
    body = route('route[1] {\n  if (a("x") && uri =~ "^y") {\n    b();\n  }\n}\n')
    assert span(body) == (1, 1, 5, 2)
    (decision,) = body.body.statements
    assert isinstance(decision, If)
    assert span(decision) == (2, 3, 4, 4)
    assert span(decision.condition) == (2, 7, 2, 28)
    assert span(decision.body) == (2, 30, 4, 4)
    (call,) = decision.body.statements
    assert call.position == Position("t.cfg", 3, 5, 3, 8)


def test_parentheses_belong_to_the_span_of_what_they_are_part_of() -> None:
    (decision,) = route("route { if ((a() || b()) && c()) d(); }").body.statements
    assert isinstance(decision, If)
    assert span(decision.condition)[1] == 13
    (decision,) = route("route { if (a() || b() && c()) d(); }").body.statements
    assert isinstance(decision, If)
    assert span(decision.condition)[1] == 13


def test_bytes_are_decoded_and_survive() -> None:
    (call,) = route('route { log("é"); }').body.statements
    assert parse('route { log("é"); }'.encode(), "t.cfg").script.statements[0] == route('route { log("é"); }')
    assert call == Call("log", (String("é"),))
    parsed = parse(b'route { log("\xe9"); }', "t.cfg").script.statements[0]
    assert isinstance(parsed, Route)
    assert parsed.body.statements == (Call("log", (String(b"\xe9".decode("utf-8", "surrogateescape")),)),)


def test_text_that_cannot_be_encoded() -> None:
    with pytest.raises(ScriptError) as caught:
        parse("route {\n \ud800 }", "t.cfg")
    assert caught.value.diagnostics[0].position.line == 2


def test_only_errors_are_raised() -> None:
    with pytest.raises(ScriptError) as caught:
        parse("@ route { a() }\n}", "t.cfg")
    assert [d.severity for d in caught.value.diagnostics] == [Severity.ERROR]


def test_errors_come_in_the_order_of_the_script() -> None:
    with pytest.raises(ScriptError) as caught:
        parse("route { if (method) a(); b(); c(08); d(,); $var(x) = 1 }", "t.cfg")
    columns = [d.position.column for d in caught.value.diagnostics]
    assert columns == sorted(columns)
    assert len(columns) == 4


# --- The corpus -------------------------------------------------------------------------------------------


def code_blocks(text: str) -> list[str]:
    return re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_idioms_of_the_time_parse_without_a_warning(shared: Path) -> None:
    blocks = code_blocks((shared / "reference" / "stock-script.md").read_text())
    assert len(blocks) == 42
    for block in blocks:
        assert parse(block, "idiom.cfg").found == ()


# --- Depth, speed and garbage -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("if (a()) { ", " }"),
        ("if (a()) ", ""),
        ("while (a()) { ", " }"),
        ("if (a()) b(); else ", ""),
        ("switch ($rc) { case 1: ", " }"),
    ],
)
def test_statements_nest_as_deep_as_you_like(before: str, after: str) -> None:
    parse("route { " + before * 2000 + "c();" + after * 2000 + " }", "t.cfg")


@pytest.mark.parametrize("opening", ["(", "!(", "{ if (", "! "])
def test_conditions_nest_as_deep_as_you_like(opening: str) -> None:
    closing = {"(": ")", "!(": ")", "{ if (": ") b(); }", "! ": ""}[opening]
    parse("route { if " + opening * 2000 + "a()" + closing * 2000 + " exit; }", "t.cfg")
    parse("route { $var(x) = " + "(~" * 2000 + "1" + ")" * 2000 + "; }", "t.cfg")


@pytest.mark.parametrize("opening", ["(", "if (a()) {", "{", "[", "switch ($rc) { case 1: "])
def test_unfinished_nesting_is_a_script_error(opening: str) -> None:
    with pytest.raises(ScriptError):
        parse("route { if " + opening * 2000, "t.cfg")


def test_a_long_script_is_parsed_fast() -> None:
    line = '    if (is_method("INVITE|ACK") && !$avp(s:x)==NULL) { xlog("L_INFO", "$ru from $si\\n"); t_relay(); }\n'
    text = "route {\n" + line * 400 + "}\n"
    parse("", "t.cfg")
    took = []
    for _ in range(3):  # other processes slow this one down: the fastest time counts
        start = time.process_time()
        parse(text, "t.cfg")
        took.append(time.process_time() - start)
    assert min(took) < (0.3 if sys.gettrace() is None else 1.5)


PIECES = [
    *KEYWORDS,
    *(
        "route",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ";",
        ":",
        ",",
        ".",
        "=",
        "==",
        "=~",
        "<",
        "+",
        "-",
        "*",
        "/",
        "&",
    ),
    *("|", "^", "~", "!", "&&", "||", ":=", "+=", "$ru", "$var(x", "$(a[1])", "0", "08", "0x", "1.2.3.4"),
    *(
        '"a"',
        "'b\n'",
        '"',
        "'",
        "#",
        "/*",
        "*/",
        "\\",
        "@",
        "\n",
        "[::1]",
        "a.b",
        "t_relay",
        "::",
        "\x00",
        "é",
    ),
]


LATER = [
    *(
        '"a" "b"',
        "for (",
        "async(",
        "$x in",
        "eq",
        "defined $ru",
        "++",
        "return -1;",
        "return $ru;",
        "case /x/:",
    ),
    *(
        "\n#!define A ",
        "\n#!define B A",
        "\n#!ifdef A\n",
        "\n#!ifndef A\n",
        "\n#!else\n",
        "\n#!endif\n",
        "A",
        "B",
    ),
    *(
        '\n#!subst "/a/b/g"\n',
        '\n#!substdef "/A/x B/"\n',
        'include_file "t.cfg"',
        'import_file "x"',
        '"INVITE"==$rm',
    ),
    *(
        "event_route[a:b-c:d] {",
        "event_route",
        "reply_route {",
        "flags A:1,",
        "loadpath",
        "socket=udp:1.2.3.4 as x",
    ),
    *(
        "@ruri.user",
        "$null",
        "$xavp(a=>b)",
        "modparamx(",
        "timer_route[a, 1] {",
        "a.b = 1 desc",
        ",,",
        "route(A, 1)",
    ),
]


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*PIECES, *LATER]), max_size=40).map(" ".join), st.sampled_from([*LATER, ""]))
def test_any_text_of_other_dialects_parses_or_is_a_script_error(text: str, other: str) -> None:
    try:
        found = parse(text, "t.cfg", lambda path: other.encode("utf-8", "surrogateescape")).found
    except ScriptError as failure:
        found = failure.diagnostics
        assert found
    for diagnostic in found:
        assert render(diagnostic, text if diagnostic.position.file == "t.cfg" else other)


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join)))
def test_any_text_parses_or_is_a_script_error(text: str) -> None:
    try:
        found = parse(text, "t.cfg").found
    except ScriptError as failure:
        found = failure.diagnostics
        assert found
    for diagnostic in found:
        assert render(diagnostic, text)


@settings(max_examples=100)
@given(st.data())
def test_one_wrong_piece_in_a_good_script_is_survived(data: st.DataObject) -> None:
    good = 'route { if (a("x") && !uri==myself) { $var(x) = 1 + 2; } else route(1); switch ($rc) { case 1: b(); } }'
    at = data.draw(st.integers(0, len(good)))
    text = good[:at] + data.draw(st.sampled_from(PIECES)) + good[at + data.draw(st.integers(0, 3)) :]
    try:
        found = parse(text, "t.cfg").found
    except ScriptError as failure:
        found = failure.diagnostics
    assert all(diagnostic.place >= (1, 1) for diagnostic in found)


def test_comparison_nodes_keep_what_was_written() -> None:
    (decision,) = route('route { if (status=="200") exit; }').body.statements
    assert isinstance(decision, If)
    assert isinstance(decision.condition, Comparison)


def test_included_files_and_definitions() -> None:
    files = {"conf/a.cfg": b"route[A] { b( }\n"}
    with pytest.raises(ScriptError) as caught:
        parse('foo\ninclude_file "a.cfg"\n', "conf/t.cfg", files.__getitem__)
    assert [d.position.file for d in caught.value.diagnostics] == ["conf/t.cfg", "conf/a.cfg"]
    files["conf/a.cfg"] = b"route[A] { b(X); }"
    parsed = parse('include_file "a.cfg"', "conf/t.cfg", files.__getitem__, [("X", "1")])
    (route,) = parsed.script.statements
    assert isinstance(route, Route)
    assert route.position.file == "conf/a.cfg"
    assert route.body == Block((Call("b", (Number(1),)),))
    assert parsed.sources == {"conf/t.cfg": 'include_file "a.cfg"', "conf/a.cfg": "route[A] { b(X); }"}


def test_a_block_that_goes_on_in_another_file_has_its_place_in_one() -> None:
    parsed = parse('route {\ninclude_file "a"', "t.cfg", lambda path: b"\n\n\nexit; }")
    (route,) = parsed.script.statements
    assert (route.position.file, route.position.line, route.position.end_line) == ("t.cfg", 1, 1)


def test_parentheses_of_a_defined_name_are_seen() -> None:
    text = "#!define BOTH (a() || b())\nroute { if (BOTH && c()) exit; }"
    (route,) = parse(text, "t.cfg").script.statements
    assert isinstance(route, Route)
    assert list(habits_of(route)) == []
    (mixed,) = parse(text.replace("(a() || b())", "a() || b()"), "t.cfg").script.statements
    assert isinstance(mixed, Route)
    assert len(list(habits_of(mixed))) == 1
