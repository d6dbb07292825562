from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.sip.edits import Edits
from openpy.sip.errors import LocalError
from openpy.sip.message import Message, parse_message

RAW = (
    b"INVITE sip:a@b SIP/2.0\r\n"
    b"v: SIP/2.0/UDP a\r\n"
    b"To: x\r\n"
    b"Route: <sip:p1>,\r\n <sip:p2>\r\n"
    b"route : <sip:p3>\r\n"
    b"Content-Length  :  4\r\n"
    b"\r\n"
    b"body"
)


def edits(raw: bytes = RAW) -> Edits:
    return Edits(parse_message(raw))


def test_what_was_recorded_can_be_read() -> None:
    found = edits()
    assert (found.changes, found.body) == ([], None)
    found.remove("To")
    found.append_header("P: 1\r\n")
    found.set_body(b"other")
    start = RAW.index(b"To:")
    end = RAW.index(b"\r\nbody")
    assert found.changes == [(start, start + 7, b""), (end, end, b"P: 1\r\n")]
    assert found.body == b"other"


def test_nothing_changed_is_the_same_object() -> None:
    message = parse_message(RAW)
    assert Edits(message).apply() is message.raw


def test_headers_are_added_where_they_belong() -> None:
    changed = edits()
    changed.append_header("Z1: 1\r\n")
    changed.append_header("Z2: 2\r\n")
    changed.insert_header("Via: new\r\n")
    changed.insert_header("Via: newer\r\n")
    changed.insert_header("T: before\r\n", before="t")
    changed.append_after("T: after\r\n", "To")
    changed.append_after("Z3: 3\r\n", "Absent")
    changed.insert_header("Via: newest\r\n", before="Absent")
    assert changed.apply() == (
        RAW.replace(b"v:", b"Via: new\r\nVia: newer\r\nVia: newest\r\nv:")
        .replace(b"To: x\r\n", b"T: before\r\nTo: x\r\nT: after\r\n")
        .replace(b"\r\n\r\n", b"\r\nZ1: 1\r\nZ2: 2\r\nZ3: 3\r\n\r\n")
    )


def test_remove_takes_all_lines_once() -> None:
    changed = edits()
    assert changed.remove("ROUTE") == 2
    assert changed.remove("Route") == 0
    assert changed.remove("Absent") == 0
    assert changed.apply() == RAW.replace(b"Route: <sip:p1>,\r\n <sip:p2>\r\nroute : <sip:p3>\r\n", b"")


def test_request_line_is_written_anew_only_if_needed() -> None:
    changed = edits()
    changed.set_uri("sip:c@d;x")
    assert changed.apply() == RAW.replace(b"sip:a@b", b"sip:c@d;x")
    assert edits(RAW.replace(b"sip:a@b", b" <sip:a@b?Route=x>")).apply() == RAW
    with pytest.raises(LocalError):
        changed.set_uri("sip:a@b\r\nX: y")
    with pytest.raises(LocalError):
        edits(b"SIP/2.0 200 OK\r\n\r\n").set_uri("sip:a@b")


def test_replace_corrects_content_length() -> None:
    changed = edits()
    start = RAW.index(b"body")
    changed.replace(start, start + 1, b"long b")
    assert changed.apply() == RAW.replace(b"body", b"long body").replace(b":  4", b":  9")
    with pytest.raises(LocalError):
        changed.replace(5, len(RAW) + 1, b"")


def test_set_body() -> None:
    changed = edits()
    changed.replace(RAW.index(b"body"), len(RAW), b"lost")
    changed.set_body(b"")
    assert changed.apply() == RAW.replace(b"body", b"").replace(b":  4", b":  0")
    same = edits()
    same.set_body(b"BODY")
    assert same.apply() == RAW.replace(b"body", b"BODY")


def test_content_length_is_added_if_needed() -> None:
    raw = b"SIP/2.0 200 OK\nTo: x\n\nbody"
    assert edits(raw).apply() == raw
    assert edits(raw).apply(content_length=True) == b"SIP/2.0 200 OK\nTo: x\nContent-Length: 4\r\n\nbody"
    changed = edits(raw)
    changed.set_body(b"b")
    assert changed.apply() == b"SIP/2.0 200 OK\nTo: x\nContent-Length: 1\r\n\nb"
    assert edits().apply(content_length=True) == RAW
    broken = edits(RAW.replace(b":  4", b":"))
    broken.set_body(b"b")
    assert parse_message(broken.apply()).content_length == 1


@pytest.mark.parametrize("line", ["Content-Length: 4", "l : 4", "CONTENT-LENGTH:4"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_one_that_a_script_has_removed_is_there_where_it_is_needed(line: str, end: str) -> None:
    raw = end.join(["SIP/2.0 200 OK", line, "To: x", "", "body"]).encode()
    kept = edits(raw)
    kept.append_header("X: y\r\n")
    assert kept.apply(content_length=True).count(line.encode()) == 1
    changed = edits(raw)
    changed.remove("Content-Length")
    assert parse_message(changed.apply()).content_length is None
    sent = parse_message(changed.apply(content_length=True))
    assert (sent.all("Content-Length"), sent.body) == (["4"], b"body")


def test_a_content_length_that_the_script_changed_is_left() -> None:
    changed = edits()
    changed.remove("l")
    changed.set_body(b"b")
    assert not parse_message(changed.apply()).has("Content-Length")


def test_overlapping_changes_do_not_corrupt() -> None:
    changed = edits()
    to = RAW.index(b"To")
    changed.replace(to, to + 7, b"")
    changed.append_after("A: 1\r\n", "To")
    changed.insert_header("B: 2\r\n", before="To")
    changed.replace(to + 4, to + 5, b"C: 3\r\n")
    assert changed.apply() == RAW.replace(b"To: x\r\n", b"B: 2\r\nC: 3\r\nA: 1\r\n")
    across = edits()
    across.replace(RAW.index(b"\r\n\r\n") + 2, RAW.index(b"dy"), b"D: 4\r\n\r\n")
    assert across.apply() == RAW.replace(b"\r\n\r\nbody", b"\r\nD: 4\r\n\r\ndy").replace(b":  4", b":  2")


def test_a_copy_goes_its_own_way() -> None:
    base = edits()
    base.append_header("A: 1\r\n")
    branch = base.copy()
    branch.append_header("B: 2\r\n")
    branch.set_uri("sip:branch")
    assert base.apply() == RAW.replace(b"\r\n\r\n", b"\r\nA: 1\r\n\r\n")
    assert branch.apply().startswith(b"INVITE sip:branch SIP/2.0\r\n")
    assert b"A: 1\r\nB: 2\r\n" in branch.apply()


CHANGES = st.lists(
    st.tuples(st.integers(0, len(RAW)), st.integers(0, 12), st.sampled_from([b"", b"+", b"++"])), max_size=5
)


@settings(max_examples=150)
@given(CHANGES)
def test_octets_outside_changes_stay(changes: list[tuple[int, int, bytes]]) -> None:
    message: Message = parse_message(RAW.replace(b"Content-Length  :  4\r\n", b""))
    raw = message.raw
    changed = Edits(message)
    removed: set[int] = set()
    for start, length, text in changes:
        start, end = min(start, len(raw)), min(start + length, len(raw))
        changed.replace(start, end, text)
        removed |= set(range(start, end))
    expected = bytes(octet for place, octet in enumerate(raw) if place not in removed)
    applied = changed.apply().replace(b"+", b"")
    head, _, tail = applied.partition(b"Content-Length: ")
    if tail:
        applied = head + tail.partition(b"\r\n")[2]
    assert applied == expected


def test_a_stream_has_one_length_whatever_was_removed_and_added() -> None:
    start = b"SIP/2.0 200 OK\r\n"
    removed = edits(start + b"l: 2\r\nA: 1\r\n\r\nhi")
    removed.remove("Content-Length")
    assert removed.apply() == start + b"A: 1\r\n\r\nhi"
    assert removed.apply(content_length=True) == start + b"A: 1\r\nContent-Length: 2\r\n\r\nhi"
    removed.append_header("content-length : 2\r\n")
    assert removed.apply(content_length=True) == start + b"A: 1\r\ncontent-length : 2\r\n\r\nhi"
    added = edits(start + b"A: 1\r\n\r\nhi")
    added.append_header("B: 1\r\nL: 2\r\n")
    assert added.apply(content_length=True) == start + b"A: 1\r\nB: 1\r\nL: 2\r\n\r\nhi"
    other = edits(start + b"l: 2\r\n\r\nhi")
    other.remove("l")
    other.set_body(b"hello")
    assert other.apply(content_length=True) == start + b"Content-Length: 5\r\n\r\nhello"
