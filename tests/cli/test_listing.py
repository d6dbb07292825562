from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openpy.cli.listing import Note, listing, read_source, sent_by, sent_lines, shorten

Event = dict[str, Any]
SOURCE = ["route {", "\tif ($rU == NULL)", "\t\texit;", '\tlog("' + "x" * 120 + '");', "}"]


def at(line: int, event: str, **fields: Any) -> Event:
    return {"event": event, "file": "a.cfg", "line": line, "column": 2, **fields}


def trace(*events: Event, **fields: Any) -> Event:
    message = {"start": "INFO sip:x SIP/2.0", "from": "udp:192.0.2.1:5060"}
    route = at(1, "route", name="route", end_line=5)
    return {"message": message, "events": [route, *events], "left_out": 0, "result": "ended", **fields}


def below(*events: Event) -> list[str]:
    """What a listing says below line 2."""
    lines = listing(trace(*events), lambda file: SOURCE)
    start = next(number for number, line in enumerate(lines) if line.startswith("    2"))
    end = next(number for number, line in enumerate(lines) if line.startswith("    3"))
    return [line.split("| ", 1)[1] for line in lines[start + 1 : end]]


SAID = [
    (at(2, "value", name="$rU", value="bob"), ['$rU = "bob"']),
    (at(2, "value", name="$rU", value=None), ["$rU = NULL"]),
    (at(2, "value", name="$rs", value=200), ["$rs = 200"]),
    (at(2, "test", test="$rU == NULL", result=True, decides=True), ["$rU == NULL is true"]),
    (at(2, "test", test="$rU == NULL", result="error", decides=False), ["$rU == NULL is an error"]),
    (at(2, "test", test="", result=False, decides=True), ["the condition is false"]),
    (at(2, "test", test="", result=False, decides=False), []),
    (at(2, "call", function="f", arguments=["1", "a"], code=-1), ['f("1", "a") -> -1']),
    (
        at(2, "call", function="f", arguments=["$ru"], expanded={"0": "sip:x"}, code=1),
        ['f("$ru" = "sip:x") -> 1'],
    ),
    (
        at(2, "call", function="f", arguments=["5", "a"], expanded={"0": 5, "1": "a"}, code=1),
        ['f("5", "a") -> 1'],
    ),
    (at(2, "return", route="1", code=3), ["route(1) -> 3"]),
    (at(2, "set", target="$var(x)", operator="=", value=5, succeeded=True), ["$var(x) := 5"]),
    (at(2, "set", target="$var(x)", operator="=", value=None, succeeded=False), ["$var(x) was not set"]),
    (at(2, "transaction"), ["a transaction was begun"]),
    (at(2, "change", what="flags", before=[], after=[1, 2]), ["flags: now 1, 2"]),
    (at(2, "change", what="flags", before=[1], after=[]), ["flags: 1 -> none"]),
    (at(2, "change", what="avps", before={}, after={"s:x": ["u", 7]}), ['avps: now s:x = "u", 7']),
    (at(2, "change", what="message", before="", after="P: 1\r\n"), ['added to the message: "P: 1\\r\\n"']),
    (
        at(2, "change", what="message", before="a", after="b"),
        ['removed from the message: "a"', 'added to the message: "b"'],
    ),
    (
        at(2, "sent", start="SIP/2.0 200 OK", to="udp:192.0.2.1:5060"),
        ["sent: SIP/2.0 200 OK to udp:192.0.2.1:5060"],
    ),
    (at(2, "log", level="error", text="here"), ["log: here"]),
    (at(2, "statement", kind="if"), []),
]


@pytest.mark.parametrize(("event", "said"), SAID)
def test_what_is_said_of_an_event(event: Event, said: list[str]) -> None:
    assert below(event) == said


def test_lines_that_ran_are_marked_with_how_often() -> None:
    events = [at(2, "statement", kind="if"), at(3, "statement", kind="exit"), at(3, "statement", kind="exit")]
    lines = listing(trace(*events), lambda file: SOURCE)
    assert lines[:5] == [
        "INFO sip:x SIP/2.0 from udp:192.0.2.1:5060",
        "",
        "a.cfg: route",
        "    1    > route {",
        "    2    >     if ($rU == NULL)",
    ]
    assert lines[5] == "    3   2x         exit;"
    assert lines[6].startswith("    4          log(")
    assert len(lines[6]) == 100


def test_what_a_route_includes_is_listed_behind_it() -> None:
    events = [at(2, "statement", kind="call"), {**at(7, "statement", kind="exit"), "file": "part.cfg"}]
    lines = listing(trace(*events), lambda file: SOURCE if file == "a.cfg" else ["# part"] * 6 + ["exit;"])
    assert lines[-3:] == ["", "part.cfg: included within a route", "    7    > exit;"]


def test_without_the_script_the_lines_that_ran_are_numbers() -> None:
    assert listing(trace(at(3, "statement", kind="exit")), lambda file: None)[3:] == [
        "    1    >",
        "    3    >",
    ]


def test_how_it_ended() -> None:
    assert listing(trace(result="dropped"), lambda file: None)[-1] == "the script ended with drop"
    assert (
        listing(trace(result="failed", error="ValueError: x"), lambda file: None)[-1]
        == "the script failed: ValueError: x"
    )
    assert "12 more events were left out" in listing(trace(left_out=12), lambda file: None)


def test_a_route_that_ran_twice_is_shown_once() -> None:
    again = at(1, "route", name="route", end_line=5)
    assert "a.cfg: route (2 times)" in listing(trace(again), lambda file: None)


def test_values_of_a_loop_stand_side_by_side() -> None:
    assert Note("$x = ", ["0"]).text() == "$x = 0"
    assert Note("$x = ", ["0", "1", "0"]).text() == "$x = 0 (2x), 1"
    assert Note("$x = ", list("0123456")).text() == "$x = 0, 1, 2, 3 ... 6"
    assert Note("begun", ["", ""]).text() == "begun (2x)"


def test_notes_are_wrapped() -> None:
    events = [at(2, "value", name=f"${'n' * 70}", value="word " * 30)]
    lines = listing(trace(*events), lambda file: SOURCE)
    assert max(map(len, lines)) <= 100
    assert len(lines) == 10


def test_notes_of_a_line_are_not_without_end() -> None:
    events = [at(2, "log", level="error", text=f"round {number}") for number in range(30)]
    said = below(*events)
    assert len(said) == 21
    assert (said[0], said[-1]) == ("log: round 0", "... and 10 more")


def test_colours() -> None:
    plain = listing(trace(at(2, "value", name="$rU", value=1)), lambda file: SOURCE)
    painted = listing(trace(at(2, "value", name="$rU", value=1)), lambda file: SOURCE, colours=True)
    assert len(plain) == len(painted)
    assert not any("\x1b" in line for line in plain)
    assert painted[3] == "\x1b[32m    1    > route {\x1b[0m"


def test_texts_are_shortened_and_cannot_move_a_cursor() -> None:
    assert shorten("a\r\n\tb\x1b[2J\u202e") == "a\\r\\n\\tb?[2J?"
    assert shorten("x" * 30 + "y" * 60) == "x" * 27 + " ... " + "y" * 27


def test_what_was_sent() -> None:
    sent = at(2, "sent", start="SIP/2.0 200 OK", to="udp:192.0.2.1:5060")
    assert sent_by(trace(sent)) == [sent]
    assert sent_lines([sent]) == ["sent:", "  SIP/2.0 200 OK to udp:192.0.2.1:5060"]
    assert sent_lines([]) == ["nothing was sent"]
    assert len(sent_lines([sent] * 20)) == 21
    assert sent_lines([sent] * 400)[-2:] == ["  SIP/2.0 200 OK to udp:192.0.2.1:5060", "  ... and 380 more"]


def test_scripts_are_read_whatever_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "a.cfg"
    path.write_bytes(b"a\n\xff\n")
    assert read_source(str(path)) == ["a", "\ufffd"]
    assert read_source(str(tmp_path / "none")) is None
