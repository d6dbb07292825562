"""What each construct becomes."""

from __future__ import annotations

import pytest

from openpy.script.diagnostics import ScriptError
from openpy.script.parser import parse
from openpy.script.syntax import (
    And,
    Arithmetic,
    ArithmeticTruth,
    Assignment,
    BitNot,
    Block,
    Break,
    Call,
    Case,
    Comparison,
    Drop,
    Empty,
    Exit,
    Expression,
    If,
    Myself,
    Name,
    Network,
    Not,
    Null,
    Number,
    Operand,
    Or,
    PseudoVariable,
    Return,
    Route,
    RouteCall,
    RouteKind,
    Statement,
    String,
    Switch,
    TopLevel,
    While,
)


def top_level(text: str) -> tuple[TopLevel, ...]:
    return parse(text, "t.cfg").script.statements


def statements(text: str) -> tuple[Statement, ...]:
    (route,) = top_level(f"route {{ {text} }}")
    assert isinstance(route, Route)
    return route.body.statements


def condition(text: str) -> Expression:
    (statement,) = statements(f"if {text} ;")
    assert isinstance(statement, If)
    return statement.condition


def value(text: str) -> Expression:
    (statement,) = statements(f"$var(r) = {text};")
    assert isinstance(statement, Assignment)
    return statement.value


def errors(text: str) -> list[tuple[int, str]]:
    with pytest.raises(ScriptError) as caught:
        parse(text, "t.cfg")
    return [(d.position.column, d.message) for d in caught.value.diagnostics]


def variable(name: str) -> PseudoVariable:
    return PseudoVariable(f"$var({name})")


A, B, C = Call("a", ()), Call("b", ()), Call("c", ())
X, Y = variable("x"), variable("y")


# --- Routes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "kind", "name"),
    [
        ("route", RouteKind.REQUEST, "0"),
        ("request_route", RouteKind.REQUEST, "0"),
        ("route[0]", RouteKind.REQUEST, "0"),
        ("route[3]", RouteKind.REQUEST, "3"),
        ("route[RELAY]", RouteKind.REQUEST, "RELAY"),
        ('route["to gateway"]', RouteKind.REQUEST, "to gateway"),
        ("route[to-gw]", RouteKind.REQUEST, "to-gw"),
        ("failure_route[1]", RouteKind.FAILURE, "1"),
        ("onreply_route", RouteKind.ONREPLY, ""),
        ("onreply_route[2]", RouteKind.ONREPLY, "2"),
        ("branch_route[NAT]", RouteKind.BRANCH, "NAT"),
        ("error_route", RouteKind.ERROR, ""),
        ("reply_route", RouteKind.ONREPLY, ""),
        ("event_route[core:worker-one-init]", RouteKind.EVENT, "core:worker-one-init"),
        ("event_route[sl : filtered-ack]", RouteKind.EVENT, "sl:filtered-ack"),
        ("event_route[tm:branch-failure:x]", RouteKind.EVENT, "tm:branch-failure:x"),
        ("event_route[E_X]", RouteKind.EVENT, "E_X"),
        ("route[route]", RouteKind.REQUEST, "route"),
        ("failure_route[MANAGE_FAILURE]", RouteKind.FAILURE, "MANAGE_FAILURE"),
        ("onreply_route[MANAGE-REPLY]", RouteKind.ONREPLY, "MANAGE-REPLY"),
    ],
)
def test_routes(header: str, kind: RouteKind, name: str) -> None:
    assert top_level(header + " { a(); }") == (Route(kind, name, Block((A,))),)
    assert top_level(header + "{}") == (Route(kind, name, Block(())),)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("failure_route { }", 1),
        ("event_route { }", 1),
        ("reply_route[1] { }", 13),
        ("branch_route { }", 1),
        ("error_route[1] { }", 13),
        ("request_route[1] { }", 15),
    ],
)
def test_route_headers_that_are_refused(text: str, column: int) -> None:
    ((place, message),) = errors(text)
    assert place == column
    assert message.startswith(f"invalid {text.partition(' ')[0].partition('[')[0]} statement")


# --- Statements -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (";", Empty()),
        ("exit;", Exit()),
        ("exit();", Exit()),
        ("drop;", Drop()),
        ("drop();", Drop()),
        ("return;", Return(1)),
        ("return();", Return(1)),
        ("return(0);", Return(0)),
        ("return (-1);", Return(-1)),
        ("break;", Break()),
        ("esac;", Break()),
        ("route(1);", RouteCall("1")),
        ('route("1");', RouteCall("1")),
        ("route(RELAY);", RouteCall("RELAY")),
        ("route(exit);", RouteCall("exit")),
        ("append_branch;", Call("append_branch", ())),
        ("add_rport;", Call("force_rport", ())),
        ("force_rport();", Call("force_rport", ())),
        ("$var(x) = 1;", Assignment(X, "=", Number(1))),
        ("$var(x) := NULL;", Assignment(X, ":=", Null())),
        ("$var(x) ^= 2;", Assignment(X, "^=", Number(2))),
        ("if (a()) b();", If(A, Block((B,)), None)),
        ("if a() b();", If(A, Block((B,)), None)),
        ("if (a()) {} else { b(); c(); }", If(A, Block(()), Block((B, C)))),
        ("if (a()) ; else b();", If(A, Block((Empty(),)), Block((B,)))),
        (
            "if (a()) if (b()) c(); else a();",
            If(A, Block((If(B, Block((C,)), Block((A,))),)), None),
        ),
        (
            "if (a()) b(); else if (b()) c();",
            If(A, Block((B,)), Block((If(B, Block((C,)), None),))),
        ),
        ("while ($var(x) < 3) { a(); break; }", While(Comparison(X, "<", Number(3)), Block((A, Break())))),
    ],
)
def test_statements(text: str, expected: Statement) -> None:
    assert statements(text) == (expected,)


def test_the_semicolon_behind_a_block_is_a_statement_of_its_own() -> None:
    assert statements("if (a()) { b(); };") == (If(A, Block((B,)), None), Empty())


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("f()", ()),
        ('f("a", "b")', (String("a"), String("b"))),
        ("f('a', 'b', \"c\")", (String("a"), String("b"), String("c"))),
        ('f(1, "x")', (Number(1), String("x"))),
        ("f(-1)", (Number(-1),)),
        ("f(yes)", (Number(1),)),
        ('f($ru ,"x")', (PseudoVariable("$ru"), String("x"))),
        ("f(udp:1.2.3.4:5060)", (Name("udp:1.2.3.4:5060"),)),
        ("f(1.2.3.4)", (Name("1.2.3.4"),)),
        ("f(1.2.3.4, 5060)", (Name("1.2.3.4"), Number(5060))),
        ("f(uri:host, uri:port)", (Name("uri:host"), Name("uri:port"))),
        ("f(sip.log.com:5060)", (Name("sip.log.com:5060"),)),
        ("f(method)", (Name("method"),)),
        ("f(FLAG_ACC)", (Name("FLAG_ACC"),)),
        ("f([::1]:5060)", (Name("[::1]:5060"),)),
        ('f(a:"b")', (Name("a:b"),)),
        ("f(myself:NULL)", (Name("myself:NULL"),)),
    ],
)
def test_arguments(text: str, arguments: tuple[Expression, ...]) -> None:
    assert statements(text + ";") == (Call("f", arguments),)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("add_local_rport", "force_local_rport"),
        ("add_tcp_alias", "force_tcp_alias"),
        ("setbranchflag", "setbflag"),
        ("isscriptflagset", "issflagset"),
        ("sethost", "rewritehost"),
        ("seth", "rewritehost"),
        ("sethp", "rewritehostport"),
        ("setu", "rewriteuser"),
        ("setup", "rewriteuserpass"),
        ("setport", "rewriteport"),
        ("seturi", "rewriteuri"),
        ("setduri", "setdsturi"),
        ("avp_printf", "pv_printf"),
        ("t_relay", "t_relay"),
    ],
)
def test_aliases_become_the_first_name(written: str, name: str) -> None:
    assert statements(f'{written}("x");') == (Call(name, (String("x"),)),)


def test_switch() -> None:
    (switch,) = statements(
        'switch ($rc) { case 1: case -2: a(); break; case "x": b(); esac; default: c(); break; }'
    )
    assert switch == Switch(
        PseudoVariable("$rc"),
        (
            Case(Number(1), (), False),
            Case(Number(-2), (A,), True),
            Case(String("x"), (B,), True),
            Case(None, (C,), True),
        ),
    )


@pytest.mark.parametrize(
    ("text", "column", "fragment"),
    [
        ("switch ($rc) { case INVITE: a(); }", 29, "label of a case"),
        ("switch ($rc) { case 1: break; a(); }", 39, "after the break"),
        ("switch ($rc) { default: a(); case 1: b(); }", 24, "not the last"),
        ("switch ($rc) { default: a(); }", 9, "at least one case"),
        ("switch ($rc) { }", 9, "at least one case"),
        ("t_relay;", 9, "called without parentheses"),
        ("return(method);", 16, "takes a number"),
        ("return(NULL);", 16, "takes a number"),
        ("route($var(x));", 15, "bad routeargument"),
        ("route(1, 2);", 15, "bad routeargument"),
        ("$var(x) += NULL;", 20, "NULL cannot be used with +="),
        ("$var(x) = 1 + NULL;", 23, "NULL cannot be calculated with"),
        ("$var(x) = method;", 19, "method can only be compared"),
    ],
)
def test_statements_that_are_refused(text: str, column: int, fragment: str) -> None:
    ((place, message),) = errors(f"route {{ {text} }}")
    assert place == column
    assert fragment in message


# --- Conditions and values --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(1)", Number(1)),
        ("($ru)", PseudoVariable("$ru")),
        ("(a() && b())", And(A, B)),
        ("(a() and b())", And(A, B)),
        ("(a() || b() && c())", And(Or(A, B), C)),
        ("(a() && b() || c())", Or(And(A, B), C)),
        ("(a() || (b() && c()))", Or(A, And(B, C))),
        ("(a()) && (b())", And(A, B)),
        ("(!a() && b())", And(Not(A), B)),
        ("(not not a())", Not(Not(A))),
        ("(!uri==myself)", Not(Comparison(Operand("uri"), "==", Myself()))),
        ("(!$var(x)==1)", Not(Comparison(X, "==", Number(1)))),
        ("!(route(39))", Not(RouteCall("39"))),
        ("([$var(x)+1])", ArithmeticTruth(Arithmetic(X, "+", Number(1)))),
        ("($var(x)=1)", Assignment(X, "=", Number(1))),
        ("(force_rport && a())", And(Call("force_rport", ()), A)),
        ("({ a(); })", Block((A,))),
        ("(if (a()) b();)", If(A, Block((B,)), None)),
        ("(a() && exit)", And(A, Exit())),
        ("(return(1) || drop)", Or(Return(1), Drop())),
        ("(msg:len>max_len)", Comparison(Operand("msg:len"), ">", Name("max_len"))),
        ("(src_ip==10.0.0.0/8)", Comparison(Operand("src_ip"), "==", Network("10.0.0.0/8"))),
        ("(status==200)", Comparison(Operand("status"), "==", Number(200))),
    ],
)
def test_conditions(text: str, expected: Expression) -> None:
    assert condition(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2+3*4", Arithmetic(Arithmetic(Number(2), "+", Number(3)), "*", Number(4))),
        ("7%4*2", Arithmetic(Arithmetic(Number(7), "%", Number(4)), "*", Number(2))),
        ("6&3|8", Arithmetic(Arithmetic(Number(6), "&", Number(3)), "|", Number(8))),
        ("1^2+3", Arithmetic(Number(1), "^", Arithmetic(Number(2), "+", Number(3)))),
        ("2-3", Arithmetic(Number(2), "-", Number(3))),
        ("2 - -3", Arithmetic(Number(2), "-", Number(-3))),
        ("2*(3+4)", Arithmetic(Number(2), "*", Arithmetic(Number(3), "+", Number(4)))),
        ("~5+1", Arithmetic(BitNot(Number(5)), "+", Number(1))),
        ('"a"+"b"+$var(x)', Arithmetic(Arithmetic(String("a"), "+", String("b")), "+", X)),
        ("$var(x)==1", Comparison(X, "==", Number(1))),
        ("foo", Name("foo")),
        ("force_rport", Call("force_rport", ())),
        ("a()", A),
        ("route(1)", RouteCall("1")),
        ("NULL", Null()),
        ("$var(x)==$var(y)", Comparison(X, "==", Y)),
    ],
)
def test_values(text: str, expected: Expression) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ('"INVITE"==$rm', '$rm=="INVITE"'),
        ('"INVITE"!=method', 'method!="INVITE"'),
        ("1<$var(x)", "$var(x)>1"),
        ("1>$var(x)", "$var(x)<1"),
        ("1<=$var(x)", "$var(x)>=1"),
        ("-1>=$var(x)", "$var(x)<=-1"),
        ("NULL==$rU", "$rU==NULL"),
        ("$null!=$rU", "$rU!=NULL"),
        ("200==status", "status==200"),
        ('"10.0.0.1"==src_ip', 'src_ip=="10.0.0.1"'),
    ],
)
def test_a_literal_on_the_left_is_the_same(written: str, same: str) -> None:
    assert condition(f"({written})") == condition(f"({same})")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("return;", Return(1)),
        ("return();", Return(1)),
        ("return -1;", Return(-1)),
        ("return 5;", Return(5)),
        ("return(0);", Return(0)),
        ("return $var(x);", Return(X)),
        ("return($var(x));", Return(X)),
    ],
)
def test_return(text: str, expected: Return) -> None:
    assert statements(text) == (expected,)


def test_a_break_in_an_included_file_belongs_to_what_is_around_it() -> None:
    text = 'route {\n\n\n while (1) {\ninclude_file "x"\n}\n}'
    assert parse(text, "t.cfg", lambda path: b"break;").found == ()
