from __future__ import annotations

import pytest

from openpy.script.methods import MethodSets

METHODS = MethodSets(("INVITE", "ACK", "BYE", "PUBLISH"), ("ACK", "PRACK"))


def names(methods: int) -> str:
    found = [name for bit, name in enumerate(METHODS.names) if methods & 1 << bit]
    return " ".join([*found, "other"] if methods & METHODS.other else found)


@pytest.mark.parametrize(
    ("words", "yes", "no"),
    [
        (["INVITE"], "INVITE", "ACK BYE PUBLISH other"),
        (["invite ", "BYE"], "INVITE BYE", "ACK PUBLISH other"),
        (["INFO"], "other", "INVITE ACK BYE PUBLISH other"),
        ([], "", "INVITE ACK BYE PUBLISH other"),
    ],
)
def test_one_of_some_words(words: list[str], yes: str, no: str) -> None:
    found = METHODS.among(words)
    assert (names(found[0]), names(found[1])) == (yes, no)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("^(INVITE|BYE)$", "INVITE BYE other", "ACK PUBLISH other"),
        ("b", "BYE PUBLISH other", "INVITE ACK other"),
        ("(", "INVITE ACK BYE PUBLISH other", "INVITE ACK BYE PUBLISH other"),
    ],
)
def test_what_an_expression_matches(pattern: str, yes: str, no: str) -> None:
    for _ in range(2):
        found = METHODS.matching(pattern)
        assert (names(found[0]), names(found[1])) == (yes, no)


def test_those_that_need_an_answer() -> None:
    assert names(METHODS.all) == "INVITE ACK BYE PUBLISH other"
    assert names(METHODS.needy) == "INVITE BYE PUBLISH"


def test_an_example() -> None:
    assert METHODS.example(METHODS.needy & ~1) == "BYE"
    assert METHODS.example(METHODS.other) == METHODS.example(0) == ""
