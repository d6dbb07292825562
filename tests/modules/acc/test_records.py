from __future__ import annotations

import pytest

from openpy.engine.module import ArgumentError
from openpy.modules.acc.records import ANSWERED, Comment, Record, line, read_comment


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("404 user unknown", "404", "user unknown"),
        ("404", "404", ""),
        ("404gone", "404", "gone"),
        ("lost", "", "lost"),
        ("40 x", "", "40 x"),
    ],
)
def test_comments(text: str, code: str, reason: str) -> None:
    assert read_comment(text) == Comment(code, reason)


def test_an_empty_comment() -> None:
    with pytest.raises(ArgumentError):
        read_comment(" ")


def test_the_line_of_1_3() -> None:
    record = Record("INVITE", "f", "t", "c", "200", "OK", 1_600_000_000)
    assert line(ANSWERED, record, [("x", "1"), ("y", "a\r\nb")]) == (
        "ACC: transaction answered: timestamp=1600000000;method=INVITE;from_tag=f;to_tag=t;call_id=c"
        ";code=200;reason=OK;x=1;y=a b"
    )
