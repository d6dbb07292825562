"""Text that is found and changed: what leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.modules.textops.searching import behind_first_line, in_body
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, Sent, request

BODY = b"one two\r\ntwo three\r\n"


def sent(tmp_path: Path, call: str) -> tuple[Sent, str]:
    """What a MESSAGE with BODY is relayed as, and what the call gave."""
    route = f'$var(c) = {call}; xlog("$var(c)"); t_relay();'
    with Bench(tmp_path, route) as bench:
        data = request("MESSAGE", "sip:two@192.0.2.9", "Subject: two", "X-Two: two, two", body=BODY)
        (relayed,) = bench.receive(data)
        return relayed, next(bench.printed())


def body_of(message: Sent) -> bytes:
    head, _, body = message.data.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head
    return body


@pytest.mark.parametrize(
    ("call", "code", "subject", "more", "body"),
    [
        ('replace("two", "2")', "1", "2", "two, two", BODY),
        ('replace_body("two", "2")', "1", "two", "two, two", b"one 2\r\ntwo three\r\n"),
        ('replace_all(" two", " 2")', "1", "2", "2, 2", b"one 2\r\ntwo three\r\n"),
        ('replace_body_all("two", "twice")', "1", "two", "two, two", b"one twice\r\ntwice three\r\n"),
        ('search_append("two", "!")', "1", "two!", "two, two", BODY),
        ('search_append_body("^two", "!")', "1", "two", "two, two", b"one two\r\ntwo! three\r\n"),
        ('replace("none", "2")', "-1", "two", "two, two", BODY),
        ('replace_all("none", "2")', "-1", "two", "two, two", BODY),
        ('replace_all("x*", "2")', "-1", "two", "two, two", BODY),
        ('search_append("none", "2")', "-1", "two", "two, two", BODY),
        ("subst('/(t)wo/\\10/')", "1", "t0", "two, two", BODY),
        ("subst('/two/$rU-2/g')", "1", "two-2", "two-2, two-2", b"one two-2\r\ntwo-2 three\r\n"),
        ("subst_body('#TWO#2#ig')", "1", "two", "two, two", b"one 2\r\n2 three\r\n"),
        ("subst('/none/2/')", "-1", "two", "two, two", BODY),
    ],
)
def test_what_leaves(tmp_path: Path, call: str, code: str, subject: str, more: str, body: bytes) -> None:
    message, returned = sent(tmp_path, call)
    assert returned == code
    assert message.start == "MESSAGE sip:two@192.0.2.9 SIP/2.0", "the first line is not looked at"
    assert (message.get("Subject"), message.get("X-Two"), body_of(message)) == (subject, more, body)


@pytest.mark.parametrize(
    "call",
    [
        'replace_body(".*", "x")',
        'replace_body_all("^", "x")',
        'search_append_body("$", "x")',
        "subst_body('/x*/y/')",
        "subst_body('/^/y/gs')",
    ],
)
def test_there_is_nothing_in_no_body(tmp_path: Path, call: str) -> None:
    with Bench(tmp_path, f'$var(c) = {call}; xlog("$var(c)"); t_relay();') as bench:
        (relayed,) = bench.receive(request("MESSAGE", "sip:two@192.0.2.9"))
        assert (list(bench.printed()), body_of(relayed)) == (["-1"], b"")


def test_a_text_of_one_line_begins_where_it_is_looked_at(tmp_path: Path) -> None:
    message, code = sent(tmp_path, "subst_body('/^one(.*)three/1\\13/s')")
    assert (code, body_of(message)) == ("1", b"1 two\r\ntwo 3\r\n")
    assert sent(tmp_path, "subst_body('/^two/2/s')")[1] == "-1"


def test_where_it_begins() -> None:
    message = parse_message(request(body=b"body"))
    assert message.raw[behind_first_line(message) :].startswith(b"Via:")
    assert message.raw[in_body(message) :] == b"body"
