"""`openpyctl trace on|off`: a running server's traces, as listings or as JSON lines.

How the server is reached is the caller's: `ask(request)` sends one object and gives those that come back.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from openpy.cli.console import ExitStatus, complain
from openpy.cli.listing import Event, ReadSource, listing, read_source, sent_by, sent_lines, shorten

Ask = Callable[[dict[str, Any]], Iterable[Event]]
Show = Callable[[str], bool]
"""Prints a line; False once nobody reads any more."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "switch", choices=("on", "off"), help="on: show traces until Ctrl-C; off: end all tracing"
    )
    parser.add_argument("--call-id", default="", metavar="X", help="only messages with this Call-ID")
    parser.add_argument(
        "--from",
        dest="from_uri",
        default="",
        metavar="X",
        help="only from user@host, or whose From URI has X in it",
    )
    parser.add_argument(
        "--method", default="", metavar="X", help="only requests of this method, and their replies"
    )
    parser.add_argument("--seconds", type=_seconds, default=600, help="end after so many; default: 600")
    parser.add_argument("--json", action="store_true", help="one JSON object a line (docs/explain.md)")


def run(options: argparse.Namespace, ask: Ask, show: Show, *, colours: bool = False) -> int:
    """Switch tracing on and show what comes until it ends, or off; returns the exit status."""
    events = _Heard(ask(request(options)))
    lines = as_json(events) if options.json else as_text(events, read_source, colours=colours)
    with suppress(KeyboardInterrupt):
        for line in lines:
            if not show(line):
                break
    return ExitStatus.REFUSED if events.refused else ExitStatus.DONE


class _Heard:
    """What comes, up to the last word, and whether that says that nothing was done."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.refused = False
        self._events = events

    def __iter__(self) -> Iterator[Event]:
        for event in self._events:
            self.refused |= event["type"] == "error"
            yield event
            if event["type"] in ("end", "stopped", "error"):
                return


def request(options: argparse.Namespace) -> dict[str, Any]:
    """What the server is asked for; `engine.trace.filter_of` reads the filter in it."""
    if options.switch == "off":
        return {"command": "trace", "switch": "off"}
    wanted = {"call_id": options.call_id, "from_uri": options.from_uri, "method": options.method}
    given = {name: value for name, value in wanted.items() if value}
    return {"command": "trace", "switch": "on", "filter": given, "seconds": options.seconds}


def as_json(events: Iterable[Event]) -> Iterator[str]:
    """Each object on a line."""
    return (json.dumps(event, ensure_ascii=True) for event in events)


def as_text(events: Iterable[Event], source: ReadSource, *, colours: bool = False) -> Iterator[str]:
    """Each object as lines for people."""
    for event in events:
        match event["type"]:
            case "started":
                yield f"tracing {event['script']}; Ctrl-C ends it"
            case "trace":
                yield ""
                yield f"--- trace {event['trace']} ---"
                yield from listing(event, source, colours=colours)
                yield ""
                yield from sent_lines(sent_by(event))
            case "later" if event["event"] == "sent":
                yield f"later, for trace {event['trace']}: {shorten(event['start'])} to {event['to']}"
            case "end":
                dropped = f", dropped: {event['dropped']}" if event["dropped"] else ""
                yield f"tracing ended: {event['reason']}; traces: {event['traces']}{dropped}"
            case "stopped":
                yield f"{event['tracings']} tracing{'' if event['tracings'] == 1 else 's'} ended"
            case "error":
                complain(str(event.get("text", "the server refused it")))


def _seconds(text: str) -> int:
    value = int(text) if text.isascii() and text.isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1 second")
    return value
