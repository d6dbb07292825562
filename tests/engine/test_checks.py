from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from openpy.engine.checks import (
    flag,
    identifier,
    identifier_or_none,
    not_negative,
    one_line,
    own_method,
    positive,
    switch,
    token,
    token_or_none,
    uri,
    within,
)
from openpy.engine.module import ArgumentError


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (switch, (0, 1)),
        (positive, (1, 7)),
        (not_negative, (0, 7)),
        (within(2, 4), (2, 3, 4)),
        (flag, (-1, 0, 31)),
        (one_line, ("*/*", "", "\t")),
        (token, ("X-Socket", "received")),
        (token_or_none, ("X-Socket", "")),
        (identifier, ("a", "A_1", "db.table", "my-table", "a$b")),
        (identifier_or_none, ("grp", "")),
        (uri, ("sip:a@b", "")),
        (own_method, ("OPTIONS",)),
    ],
)
def test_what_can_be_meant(check: Callable[[Any], Any], values: tuple[Any, ...]) -> None:
    assert [check(value) for value in values] == list(values)


@pytest.mark.parametrize(
    ("check", "values", "text"),
    [
        (switch, (-1, 2), "0 or 1 expected, not {}"),
        (positive, (0, -5), "1 or more expected, not {}"),
        (not_negative, (-1,), "0 or more expected, not {}"),
        (within(2, 4), (1, 5), "2 to 4 expected, not {}"),
        (flag, (-2, 32), "{} is no flag: there are 0 to 31, and -1 for none"),
        (one_line, ("a\r", "a\nb", "a\0"), "one line expected"),
        (token, ("", "a b", "a:", "é"), 'the name of a header or parameter expected, not "{}"'),
        (token_or_none, ("a b",), 'the name of a header or parameter expected, not "{}"'),
        (
            identifier,
            ("", ".", "a.", "a b", "a;b", "a'", 'a"', "a`b", "count(*)"),
            '"{}" is no name of a table or column',
        ),
        (identifier_or_none, ("a b",), '"{}" is no name of a table or column'),
        (uri, ("nobody", "sip:a b"), '"{}" is no URI'),
        (uri, ("sip:a\n",), "one line expected"),
        (own_method, ("INVITE", "ACK", "CANCEL", "", "O P"), '"{}" is no method to ask with'),
    ],
)
def test_what_cannot(check: Callable[[Any], Any], values: tuple[Any, ...], text: str) -> None:
    for value in values:
        with pytest.raises(ArgumentError) as refused:
            check(value)
        assert refused.value.text == text.format(value)
