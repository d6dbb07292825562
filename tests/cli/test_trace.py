from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openpy.cli import trace
from openpy.cli.console import ExitStatus
from openpy.engine.trace import Delivery, Filter, filter_of
from tests.engine.kit import Bench, answer, request

Event = dict[str, Any]


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    trace.add_arguments(parser)
    return parser.parse_args(words)


class Line:
    """A way to a server that gives what it is made with."""

    def __init__(self, *events: Event) -> None:
        self.events = events
        self.asked: list[Event] = []

    def __call__(self, request: Event) -> Iterator[Event]:
        self.asked.append(json.loads(json.dumps(request)))
        yield from self.events


def shown(line: Line, *words: str, status: int = ExitStatus.DONE) -> list[str]:
    lines: list[str] = []

    def show(text: str) -> bool:
        lines.append(text)
        return True

    assert trace.run(parsed(*words), line, show) == status
    return lines


def test_what_the_server_is_asked_for() -> None:
    line = Line()
    shown(line, "on", "--call-id", "a", "--from", "alice@x", "--method", "PUBLISH", "--seconds", "9")
    shown(line, "on")
    shown(line, "off")
    on, bare, off = line.asked
    assert filter_of(on["filter"]) == Filter("a", "alice@x", "PUBLISH")
    assert on["seconds"] == 9
    assert bare == {"command": "trace", "switch": "on", "filter": {}, "seconds": 600}
    assert off == {"command": "trace", "switch": "off"}


@pytest.mark.parametrize("words", [[], ["maybe"], ["on", "--seconds", "0"], ["on", "--seconds", "x"]])
def test_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(*words)
    assert "usage" in capsys.readouterr().err


def traced(tmp_path: Path) -> list[Event]:
    """What a server tells of one relayed message."""
    told: list[Event] = []

    def take(event: Event) -> Delivery:
        told.append(event)
        return Delivery.TAKEN

    with Bench(tmp_path, '$ru = "sip:x@192.0.2.9"; t_relay();') as bench:
        bench.server.tracer.prepare()
        tracing = bench.server.tracer.start(Filter(), take)
        (sent,) = bench.receive(request())
        bench.receive(answer(sent, 200))
        tracing.stop()
    return told


def test_traces_of_a_server_as_listings(tmp_path: Path) -> None:
    lines = shown(Line(*traced(tmp_path)), "on")
    path = tmp_path / "test.cfg"
    assert lines[:5] == [
        f"tracing {path}; Ctrl-C ends it",
        "",
        "--- trace 1 ---",
        "OPTIONS sip:bob@example.com SIP/2.0 from udp:192.0.2.1:5066",
        "",
    ]
    assert lines[5] == f"{path}: route"
    assert '    8    > route { $ru = "sip:x@192.0.2.9"; t_relay(); }' in lines
    assert lines[-5:] == [
        "",
        "sent:",
        "  OPTIONS sip:x@192.0.2.9 SIP/2.0 to udp:192.0.2.9:5060",
        "later, for trace 1: SIP/2.0 200 Reason to udp:192.0.2.1:5066",
        "tracing ended: it was switched off; traces: 1",
    ]


def test_traces_as_json(tmp_path: Path) -> None:
    events = traced(tmp_path)
    assert [json.loads(line) for line in shown(Line(*events), "on", "--json")] == events


def test_what_else_comes(capsys: pytest.CaptureFixture[str]) -> None:
    end = {"type": "end", "reason": "its time is over", "traces": 7, "dropped": 2}
    assert shown(Line(end), "on") == ["tracing ended: its time is over; traces: 7, dropped: 2"]
    assert shown(Line({"type": "stopped", "tracings": 1}), "off") == ["1 tracing ended"]
    assert shown(Line({"type": "stopped", "tracings": 2}), "off") == ["2 tracings ended"]
    assert shown(Line({"type": "error", "text": "no"}, {"type": "new"}), "on", status=1) == []
    assert capsys.readouterr().err == "openpyctl: no\n"


def test_it_ends_when_nobody_reads_and_at_ctrl_c() -> None:
    end = {"type": "end", "reason": "x", "traces": 0, "dropped": 0}
    lines: list[str] = []

    def show_one(text: str) -> bool:
        lines.append(text)
        return False

    assert trace.run(parsed("on"), Line(end, end), show_one) == ExitStatus.DONE
    assert len(lines) == 1

    def interrupted(request: Event) -> Iterator[Event]:
        yield from ()
        raise KeyboardInterrupt

    assert trace.run(parsed("on"), interrupted, show_one) == ExitStatus.DONE
