"""Sections 3.4 and 3.5 of the language, as an `if` sees them."""

from __future__ import annotations

from typing import Any

import pytest

from openpy.script.binding import Binder
from openpy.script.comparison_binding import bind_comparison, case_table
from openpy.script.diagnostics import Severity
from openpy.script.environment import Environment, OperandSpec
from openpy.script.syntax import (
    Case,
    Comparison,
    Expression,
    Myself,
    Name,
    Network,
    Null,
    Number,
    Operand,
    PseudoVariable,
    String,
)
from openpy.script.values import Dual


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        # pv op NULL
        ("$rU==NULL", "true"),
        ("$rU!=NULL", "false"),
        ("$ru==NULL", "false"),
        ("$ru!=NULL", "true"),
        ("$var(x)==NULL", "false"),
        ("$(rU{s.len})==NULL", "error"),
        ("$(ru{s.len})!=NULL", "true"),
        # left NULL, constant right
        ('$rU=="x"', "false"),
        ('$rU!="x"', "true"),
        ('$rU=~"x"', "false"),
        ('$rU!~"x"', "true"),
        ("$rU==5", "false"),
        ("$rU!=5", "true"),
        ("$rU<5", "false"),
        ('$hdr(absent)==""', "false"),
        ('$hdr(absent)!=""', "true"),
        # numbers
        ("$rs==200", "true"),
        ("$rs>=300", "false"),
        ("$sp==5070", "true"),
        ("$ru==5", "error"),
        # strings
        ('$ru=="SIP:BOB@example.COM"', "true"),
        ("$rm==INVITE", "true"),
        ('$rs=="200"', "true"),
        ('$rd<"f"', "true"),
        ('$rd>"example"', "true"),
        ('$ru=~"^sip:b.b@"', "true"),
        ('$ru!~"^sip:b.b@"', "false"),
        ('$(rU{s.len})=="x"', "error"),
        ("$(ru{s.len})>10", "true"),
        # pv and pv
        ("$ru==$ru", "true"),
        ("$rs>$sp", "false"),
        ("$rU==$rU", "true"),
        ("$rU!=$ru", "true"),
        ("$rU<$ru", "false"),
        ("$ru=~$rd", "true"),
        ("$ru!~$var(bad)", "error"),
        ("$(rU{s.len})==$ru", "error"),
        # myself
        ("uri==myself", "true"),
        ("uri!=myself", "false"),
        ("myself==uri", "true"),
        ("!uri==myself", "false"),
        ("from_uri==myself", "error"),
        ("src_ip==myself", "false"),
        ("dst_ip==myself", "true"),
        ("$ru==myself", "true"),
        ("$(ru)!=myself", "false"),
        ("$(ru{s.len})==myself", "error"),
        ("$Rd==myself", "error"),
        # operands
        ('method=="invite"', "true"),
        ("method==INVITE", "true"),
        ('method!="ACK"', "true"),
        ('method=~"INVITE|ACK"', "true"),
        ('method<"x"', "error"),
        ('uri=="sip:bob@example.com"', "true"),
        ("status==200", "true"),
        ('status=~"^2"', "true"),
        ('from_uri=="x"', "error"),
        ('from_uri!="x"', "error"),
        ("src_port==5070", "true"),
        ("src_port>5070", "false"),
        ("proto==UDP", "true"),
        ("proto!=any", "true"),
        ("af==INET", "true"),
        ("msg:len>=max_len", "false"),
        ("msg:len<1000", "true"),
        # addresses
        ("src_ip==10.0.0.0/8", "true"),
        ("src_ip!=10.0.0.0/8", "false"),
        ("src_ip==10.0.0.0/255.0.0.0", "true"),
        ("src_ip==10.1.2.3", "true"),
        ('src_ip=="10.1.2.3"', "true"),
        ("src_ip==known.example.com", "true"),
        ("src_ip==unknown.example.com", "false"),
        ("dst_ip==[::1]", "true"),
        ('src_ip=~"^10"', "true"),
    ],
)
def test_3_4_and_3_5(lab: Any, condition: str, verdict: str) -> None:
    lab.environment.pseudo_variables["Rd"] = lab.environment.pseudo_variables["rd"]
    assert lab.truth(condition, variables={"bad": "("}) == verdict


def test_an_address_that_is_none_is_an_error(lab: Any) -> None:
    lab.environment.operands["src_ip"] = OperandSpec("src_ip", "address", lambda run: None)
    assert lab.truth("src_ip!=10.0.0.0/8") == "error"


def comparison(left: Expression, operator: str, right: Expression) -> Comparison:
    return Comparison(left, operator, right)


RU, METHOD, PROTO, SRC = PseudoVariable("$ru"), Operand("method"), Operand("proto"), Operand("src_ip")


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (comparison(String("x"), "==", RU), "a literal cannot stand on the left"),
        (comparison(RU, "=~", Number(5)), "a number cannot be matched"),
        (comparison(RU, "<", Null()), "NULL cannot be compared with <"),
        (comparison(RU, "==", METHOD), "this cannot stand on the right"),
        (comparison(RU, "=~", String("(")), "bad regular expression"),
        (comparison(RU, "==", PseudoVariable("$nope")), "unknown script variable"),
        (comparison(PseudoVariable("$nope"), "==", RU), "unknown script variable"),
        (comparison(Operand("nope"), "==", RU), "nope is not known here"),
        (comparison(PROTO, "==", String("UDP")), "proto is compared with a number"),
        (comparison(SRC, "==", Number(5)), "an address, a network, a host name or myself is expected"),
        (comparison(SRC, "==", Network("10.0.0.0/99")), "10.0.0.0/99 is no address or network"),
        (comparison(Myself(), "<", Operand("uri")), "myself cannot be compared with <"),
        (comparison(METHOD, "==", Myself()), "this cannot be compared with myself"),
        (comparison(String("x"), "==", Myself()), "this cannot be compared with myself"),
        (comparison(Operand("nope"), "==", Myself()), "nope is not known here"),
        (comparison(PseudoVariable("$nope"), "==", Myself()), "unknown script variable"),
    ],
)
def test_what_cannot_be_compared(environment: Environment, node: Comparison, message: str) -> None:
    binder = Binder(environment)
    assert bind_comparison(binder, node) is None
    assert [message in item.message for item in binder.found] == [True]


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (comparison(METHOD, "<", String("x")), "method < is an error at run time"),
        (comparison(PseudoVariable("$rd"), "==", Myself()), "$rd==myself is an error at run time"),
        (comparison(SRC, "==", Name("unknown.example.com")), "cannot be resolved now"),
    ],
)
def test_what_is_never_true(environment: Environment, node: Comparison, message: str) -> None:
    binder = Binder(environment)
    assert bind_comparison(binder, node) is not None
    assert [(item.severity, message in item.message) for item in binder.found] == [(Severity.WARNING, True)]


def test_an_address_may_be_compared_with_a_variable(environment: Environment) -> None:
    bound = bind_comparison(Binder(environment), comparison(SRC, "==", RU))
    assert bound is not None
    assert bound.test("10.1.2.3", "10.1.2.3", True, False) is True


def test_the_first_of_equal_cases_counts() -> None:
    cases = (Case(Number(1), (), True), Case(String("1"), (), True), Case(Number(1), (), True))
    select = case_table(cases)
    assert [select(1), select("1"), select(Dual("1", 9)), select(Dual("x", 1)), select(2), select(None)] == [
        0,
        1,
        1,
        0,
        3,
        3,
    ]


def test_default_is_where_unknown_values_go() -> None:
    assert case_table((Case(Number(1), (), True), Case(None, (), False)))("x") == 1
