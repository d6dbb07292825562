"""Each mistake: one diagnostic, its place, its words."""

from __future__ import annotations

import pytest

from openpy.script.diagnostics import Diagnostic, ScriptError
from openpy.script.parser import parse


def mistakes(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(ScriptError) as caught:
        parse(text, "t.cfg")
    return caught.value.diagnostics


def assert_one(text: str, line: int, column: int, fragment: str, hint: str = "") -> None:
    (found,) = mistakes(text)
    assert (found.position.line, found.position.column) == (line, column), found
    assert fragment in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("text", "column", "fragment", "hint"),
    [
        ("t_relay() exit;", 10, "bad command: missing ';'?", ""),
        ("if (a()) route(1) else route(2);", 18, "bad command: missing ';'?", "before else"),
        ("if (a()) { b() } else c();", 15, "bad command: missing ';'?", ""),
        ("append_branch exit;", 14, "bad command: missing ';'?", ""),
        ("switch ($rc) { case 1: a() case 2: b(); }", 27, "bad command: missing ';'?", ""),
        ("if (a()) { b(); }; else c();", 20, "else without if", "the ';' before it"),
        ("else c();", 1, "else without if", ""),
        ('if(is_method("BYE") { a(); }', 3, "missing '(' or ')' ?", "before '{'"),
        ('f("a";', 2, "missing '(' or ')' ?", "before ';'"),
        ("if (a())) { b(); }", 9, "')' without '('", ""),
        ("t_relay;", 1, "t_relay is called without parentheses", "t_relay()"),
        ('log "x";', 1, "log is called without parentheses", 'log("x")'),
        ("t_relay\nexit;", 1, "t_relay is called without parentheses", "t_relay()"),
        ('log("a" "b");', 9, "two strings side by side", "','"),
        ('$var(x) = "a" "b";', 15, "two strings side by side", "'+'"),
        ('return "x";', 8, "return takes a number", "return(1)"),
        ("return $var(x) + 1;", 16, "return does not calculate", "return($var(x))"),
        ('f("a" + $var(x));', 7, "an argument does not calculate", "$var"),
        ('if (uri="x") exit;', 8, "a single '='", "=="),
        ("foo = 3;", 1, "foo cannot be assigned to", "$var(foo)"),
        ("var(x) = 1;", 1, "var() cannot be assigned to", "$var(x)"),
        ("if (a()) b(); elseif (c()) d();", 15, "elseif is no keyword", "write else if"),
        ("IF (a()) { b(); }", 1, "IF is no keyword", "write if"),
        ("if (a()) { b(); } Else { c(); }", 19, "Else is no keyword", "write else"),
        ("EXIT;", 1, "EXIT is called without", "write exit"),
        ("if a() then b();", 8, "then is no keyword", "leave the word out"),
        ('switch (method) { case "INVITE": b(); }', 9, "a switch asks for a variable", "switch ($rm)"),
        ('if ($rU=="a" & $rU=="b") a();', 14, "a single '&'", "'&&'?"),
        ("if ($rU=='a'|'b') a();", 13, "a single '|'", '=~ "a|'),
        ("if (a() | b()) c();", 9, "a single '|'", "'||'"),
        ("if (a() & b()) c();", 9, "a single '&'", "'&&'"),
        ("if (a() | | b()) c();", 9, "a single '|'", ""),
        ("if (method==INVITE|ACK) a();", 19, "a single '|'", '=~ "INVITE|'),
        ("if ($var(x)+1==2) a();", 12, "a condition does not calculate", "[$var(x) + 1]"),
        ("$var(x) = -$var(y);", 11, "only a number can have a sign", "0 - $var(y)"),
        ("// comment", 1, "'//' begins no comment", "#"),
        ("a(); // comment", 6, "'//' begins no comment", "#"),
        ('if ($hdr(Via)[0]=="x") a();', 14, "an index needs the form", "$(hdr(Via)[0])"),
        ('if ($a=="x"=="y") b();', 12, "comparisons cannot be chained", "&&"),
        ("if (a()==1) b();", 8, "cannot be compared", "$retcode"),
        ("{ a(); }", 1, "a block belongs to", ""),
        ("case 1: a();", 1, "case outside of a switch", ""),
        ("$var(x) = ;", 11, "unexpected ';', a value is expected", ""),
        ("if () a();", 5, "unexpected ')', a condition is expected", ""),
        ("f(,);", 3, "an argument is missing", ""),
        ("$var(x);", 8, "an assignment or '=' is expected", ""),
        ("switch (a()) { case 1: b(); }", 9, "unexpected 'a', a variable is expected", ""),
        ("return(1 2);", 10, "unexpected '2', ')' is expected", ""),
        ("$var(x) = 1 == 2 == 3;", 18, "comparisons cannot be chained", ""),
        (f'f("{"x" * 60}" $a);', 66, "unexpected '$a'", ""),
    ],
)
def test_in_a_route(text: str, column: int, fragment: str, hint: str) -> None:
    found = mistakes("route {\n" + text + "\n}\n")
    assert [(d.position.line, d.position.column) for d in found[:1]] == [(2, column)], found
    assert fragment in found[0].message
    assert hint in found[0].hint


@pytest.mark.parametrize(
    ("text", "line", "column", "fragment", "hint"),
    [
        ("debug 3\nfork=no", 1, 1, "debug begins no statement", ""),
        ("debug==3\nfork=no", 1, 1, "a single '='", ""),
        ("debug=3\nif (a()) { b(); }\nexit;\nroute { c(); }", 2, 1, "'if' stands outside of any route", ""),
        ("route { }\n}\nt_relay();", 3, 1, "'t_relay' stands outside", "one too many"),
        ('include_file "x"', 1, 14, "there is no file x", "import_file"),
        ('incude_file "x"', 1, 1, "incude_file begins no statement", "include_file"),
        ('loadmodul "x"', 1, 1, "loadmodul begins no statement", "loadmodule"),
        ("some_route[tm:x] { a(); }", 1, 1, "some_route is no kind of route", "event_route"),
        ("loadmodule tm.so\nroute { a(); }", 1, 12, "unexpected 'tm.so', a string is expected", ""),
        ('modparam("a", "b", $x)', 1, 20, "a string or a number is expected", ""),
        ('modparam("a", "b", 1', 1, 9, "missing '(' or ')' ?", "end of the file"),
        ("route[ { a(); }", 1, 8, "a string, a number or a name is expected", ""),
        ("route[1 { a(); }", 1, 9, "unexpected '{', ':' or ']' is expected", ""),
        ("alias=", 1, 7, "the file ends in the middle", ""),
        ('"x"', 1, 1, "a parameter, loadmodule, modparam or a route is expected", ""),
        ("tls_server_domain[1.2.3.4] { foo }", 1, 30, "unexpected 'foo', a parameter", ""),
        ("dst_blacklist = x:{ }", 1, 21, "unexpected '}', '!' or '(' is expected", ""),
    ],
)
def test_in_the_global_section(text: str, line: int, column: int, fragment: str, hint: str) -> None:
    assert_one(text, line, column, fragment, hint)


def test_an_unclosed_block_is_told_at_its_brace() -> None:
    assert_one("route {\n  a();\n", 1, 7, "missing '}'")
    assert_one(
        "route { if (a()) { b(); }\nroute[1] { c(); }", 1, 7, "missing '}'", "before 'route' in line 2"
    )
    assert_one('route {\n a();\nloadmodule "x"', 1, 7, "missing '}'", "line 3")


def test_indentation_shows_which_block_is_not_closed() -> None:
    text = "route {\n  if (a()) {\n    b();\n\n  c();\n}\nroute[1] {\n  d();\n}\n"
    assert_one(text, 2, 12, "missing '}'", "line 6")


def test_an_unclosed_string_is_told_at_its_quote() -> None:
    assert_one('route {\n  log("abc);\n  exit;\n}\n', 2, 7, "unclosed string")
    assert_one(
        'route {\n  log("abc);\n  f("x");\n}\nroute[1] { log("y"); }', 2, 7, "unclosed string", "above"
    )
    assert_one('route { f("a" b"); }', 1, 11, "unclosed string", "one too many")


def test_an_unclosed_comment_is_told_at_its_beginning() -> None:
    assert_one("route { a(); /* b\n }", 1, 14, "unexpected EOF: the comment")


def test_an_unclosed_bracket_at_the_end_of_the_file() -> None:
    assert_one("route[1", 1, 6, "missing '(' or ')' ?", "']' is missing")
