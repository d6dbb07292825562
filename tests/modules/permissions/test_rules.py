from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.modules.permissions.rules import RuleError, parse_rules

ALICE, BOB, PAID = "sip:alice@example.com", "sip:bob@example.com", "sip:09001234@example.com"


def verdict(line: str, left: str, right: str) -> bool:
    (rule,) = parse_rules(line)
    return rule.match(left, right)


def test_all_is_everybody() -> None:
    assert verdict("ALL : ALL", ALICE, BOB)


def test_each_side_must_match() -> None:
    rule = '"^sip:alice@" : "^sip:bob@", "^sip:carol@"'
    assert verdict(rule, ALICE, BOB)
    assert verdict(rule, ALICE, "sip:carol@x")
    assert not verdict(rule, ALICE, "sip:dave@x")
    assert not verdict(rule, BOB, BOB)


def test_exceptions_of_both_sides() -> None:
    rule = 'ALL EXCEPT "^sip:mallory@", "^sip:trudy@" : ALL EXCEPT "^sip:0900"'
    assert verdict(rule, ALICE, BOB)
    assert not verdict(rule, ALICE, PAID)
    assert not verdict(rule, "sip:trudy@x", BOB)
    assert not verdict("ALL EXCEPT ALL : ALL", ALICE, BOB)


def test_expressions_are_extended_and_know_no_case() -> None:
    assert verdict(r'"^sip:[0-9]+@(a|b)\.com$":ALL', "SIP:12@B.COM", BOB)
    assert not verdict(r'"^sip:[0-9]+@(a|b)\.com$":ALL', "sip:12@bxcom", BOB)


def test_signs_in_quotes_are_part_of_the_expression() -> None:
    assert verdict('"sip:a:b, c#d EXCEPT ALL@" : ALL # and a comment: "x', "sip:a:b, c#d except all@x", BOB)


def test_comments_and_empty_lines_are_no_rules() -> None:
    text = '# all\n\n   \t\r\nALL : ALL\r\n  # "\nALL:"x"#y'
    assert len(parse_rules(text)) == 2
    assert parse_rules("") == ()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ALL", "a colon is expected at the end of the line"),
        ('"a" "b" : ALL', 'a colon is expected before "b"'),
        ("ALL :", "ALL or an expression in quotes is expected at the end of the line"),
        (": ALL", "ALL or an expression in quotes is expected before :"),
        ("ALL : sip", "ALL or an expression in quotes is expected before sip"),
        ("all : ALL", "ALL or an expression in quotes is expected before all"),
        ('ALL : "a', "a quote is never closed"),
        ('ALL : "a",', "ALL or an expression in quotes is expected at the end"),
        ('ALL : "a" EXCEPT', "ALL or an expression in quotes is expected at the end"),
        ("ALL : ALL : ALL", "the end of the line is expected before :"),
        ('ALL : "("', "bad regular expression"),
    ],
)
def test_what_is_no_rule(line: str, why: str) -> None:
    with pytest.raises(RuleError, match=r"^3: ") as caught:
        parse_rules(f"# first\nALL : ALL\n{line}\n")
    assert caught.value.line == 3
    assert why in caught.value.text


@given(st.text(alphabet=' \t"#:,ALEXCPT^(a\\\n', max_size=60))
def test_any_text_is_rules_or_an_error(text: str) -> None:
    lines = text.count("\n") + 1
    try:
        found, line = parse_rules(text), 1
    except RuleError as error:
        found, line = (), error.line
    assert 1 <= line <= lines
    assert len(found) <= lines
