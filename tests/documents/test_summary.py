"""Message summaries: what is taken, what is refused, and what an empty mailbox says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.documents.summary import Counts, Summary, empty, parse
from openpy.documents.xml import DocumentError

BODY = b"Messages-Waiting: yes\r\nMessage-Account: sip:alice@example.org\r\nVoice-Message: 2/8 (0/2)\r\n"


def test_mwi_02_the_whole_of_a_summary() -> None:
    assert parse(BODY) == Summary(
        waiting=True,
        account="sip:alice@example.org",
        counts={"voice-message": Counts(2, 8, 0, 2)},
        others=(),
    )


@pytest.mark.parametrize(
    "status", [b"Messages-Waiting: NO", b"MESSAGES-waiting:No", b"messages-waiting \t:  no \t"]
)
def test_mwi_03_names_and_values_in_any_case(status: bytes) -> None:
    assert parse(status + b"\r\nVOICE-message:0/1\r\n") == Summary(
        False, None, {"voice-message": Counts(0, 1)}, ()
    )


def test_mwi_07_other_lines_are_read_and_left() -> None:
    more = b"X-Lamp: on\r\n again\r\nX-Counted: 1 / 2\r\n\r\nTo: <sip:alice@example.org>\r\n"
    more += b"Subject: gr\xc3\xbcn\r\n\r\nTo: a\r\n"
    summary = parse(BODY + more)
    assert summary.counts["x-counted"] == Counts(1, 2)
    assert summary.others == (
        ("X-Lamp", "on again"),
        ("To", "<sip:alice@example.org>"),
        ("Subject", "gr\u00fcn"),
        ("To", "a"),
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "CRLF"),
        (b"\r\n", "header"),
        (b"Messages-Waiting: yes", "CRLF"),
        (b"Messages-Waiting: yes\n", "CRLF"),
        (b"Messages-Waiting: yes\nVoice-Message: 1/1\r\n", "control"),
        (b"Messages-Waiting: maybe\r\n", "neither"),
        (b"Voice-Message: 2/8\r\nMessages-Waiting: yes\r\n", "first line"),
        (BODY + b"Messages-Waiting: no\r\n", "twice"),
        (BODY + b"message-account: sip:b@example.org\r\n", "twice"),
        (b"Messages-Waiting: no\r\nMessage-Account: nobody\r\n", "no URI"),
        (b"Messages-Waiting: no\r\nVoice-Message: many\r\n", "does not count"),
        (b"Messages-Waiting: no\r\nVoice-Message: 1/2 (3)\r\n", "does not count"),
        (b"Messages-Waiting: no\r\nVoice-Message: 4294967296/0\r\n", "more messages"),
        (b"Messages-Waiting: no\r\nnonsense\r\n", "no header"),
        (b"Messages-Waiting: no\r\n\r\nnonsense\r\n", "no header"),
        (b"Messages-Waiting: no\r\nX: \x00\r\n", "control"),
        (b"Messages-Waiting: no\r\nX: \xff\r\n", "UTF-8"),
    ],
)
def test_mwi_04_nonsense_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        parse(body)


@given(st.binary(max_size=60), st.booleans())
def test_no_bytes_raise_anything_else(body: bytes, begun: bool) -> None:
    try:
        summary = parse(b"Messages-Waiting: no\r\n" + body if begun else body)
    except DocumentError:
        return
    assert not (begun and summary.waiting)


def test_an_empty_mailbox() -> None:
    assert empty("") == b"Messages-Waiting: no\r\n"
    assert parse(empty("sip:alice@example.org")) == Summary(False, "sip:alice@example.org", {}, ())


def test_an_account_adds_no_lines() -> None:
    assert empty("sip:a@b\r\nVoice-Message: 9/9").count(b"\r\n") == 2
