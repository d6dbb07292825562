"""A trace as an annotated listing: the script's own lines, which of them ran, and what they saw, changed and sent.

The objects are those of docs/explain.md. The script is read by the caller; where it cannot be, the lines are numbers.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WIDTH = 100
LONGEST = 60
"""Characters of one value; the middle of a longer one is left out."""

MOST = 4
"""Values of one variable on one line, in a loop."""

MOST_NOTES = 20
"""Notes below one line, and messages below a listing."""

Event = dict[str, Any]
ReadSource = Callable[[str], list[str] | None]
"""The lines of a script by its name, None where it cannot be read."""

BOLD, DIM, GREEN, YELLOW, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[0m"


@dataclass(slots=True)
class Note:
    """One thing to say about a line; in a loop, with all its values."""

    label: str
    values: list[str] = field(default_factory=list)

    def text(self) -> str:
        """`$var(i) = 0, 1 (2x), 2, 3 ... 9`"""
        counts = Counter(self.values)
        shown = [value if times == 1 else f"{value} ({times}x)" for value, times in counts.items()]
        more = f" ... {shown[-1]}" if len(shown) > MOST else ""
        return f"{self.label}{', '.join(shown[:MOST])}{more}"


@dataclass(slots=True)
class Line:
    """What happened on one line."""

    times: int = 0
    notes: dict[str, Note] = field(default_factory=dict)

    def add(self, label: str, value: str) -> None:
        """Say something about it."""
        self.notes.setdefault(label, Note(label)).values.append(value)


@dataclass(slots=True)
class _Block:
    """One route that ran: its lines in the script."""

    file: str
    name: str
    first: int
    last: int
    times: int = 1


def listing(trace: Event, source: ReadSource, *, colours: bool = False) -> list[str]:
    """The lines of one trace."""
    paint = _painted if colours else _plain
    message = trace["message"]
    lines = [paint(f"{shorten(message['start'])} from {message['from']}", BOLD)]
    ran = _lines(trace["events"])
    for block in _blocks(trace["events"]):
        times = f" ({block.times} times)" if block.times > 1 else ""
        lines += ["", paint(f"{block.file}: {block.name}{times}", BOLD)]
        lines += _block(block, ran, source(block.file), paint)
    if trace["left_out"]:
        lines += ["", f"{trace['left_out']} more events were left out"]
    if trace["result"] != "ended":
        lines += ["", paint(f"the script {_RESULTS[trace['result']]}{trace.get('error', '')}", YELLOW)]
    return lines


def sent_lines(sent: Iterable[Event]) -> list[str]:
    """What was sent, a line each; of a message that goes round, only the first turns."""
    lines = [f"  {shorten(event['start'])} to {event['to']}" for event in sent]
    if len(lines) > MOST_NOTES:
        lines[MOST_NOTES:] = [f"  ... and {len(lines) - MOST_NOTES} more"]
    return ["sent:", *lines] if lines else ["nothing was sent"]


def sent_by(trace: Event) -> list[Event]:
    """What was sent while the route ran."""
    return [event for event in trace["events"] if event["event"] == "sent"]


def read_source(file: str) -> list[str] | None:
    """The lines of a script, None where it cannot be read."""
    try:
        return Path(file).read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:
        return None


def shorten(text: str, longest: int = LONGEST) -> str:
    """A text on one line, without what moves a cursor, the middle left out if it is long."""
    if len(text) > longest:
        kept = (longest - 5) // 2
        text = f"{text[:kept]} ... {text[-kept:]}"
    return "".join(
        _SPECIAL.get(character, character if character.isprintable() else "?") for character in text
    )


_SPECIAL = {"\r": "\\r", "\n": "\\n", "\t": "\\t"}
_VERDICTS = {True: "true", False: "false", "error": "an error"}
_RESULTS = {"dropped": "ended with drop", "failed": "failed: "}


# --- events -> lines ----------------------------------------------------------------------------------------------


def _blocks(events: list[Event]) -> list[_Block]:
    """The routes that ran, each once, in the order in which they began; then what they include."""
    found: dict[tuple[str, int], _Block] = {}
    for event in events:
        if event["event"] == "route":
            key = event["file"], event["line"]
            if key in found:
                found[key].times += 1
            else:
                found[key] = _Block(event["file"], event["name"], event["line"], event["end_line"])
    return [*found.values(), *_included(events, list(found.values()))]


def _included(events: list[Event], routes: list[_Block]) -> Iterator[_Block]:
    """What ran of files that are included within a route: none of its lines is between those of the route."""
    found: dict[str, set[int]] = {}
    for event in events:
        file, line = event.get("file", ""), event.get("line", 0)
        if line and not any(route.file == file and route.first <= line <= route.last for route in routes):
            found.setdefault(file, set()).add(line)
    for file, lines in found.items():
        yield _Block(file, "included within a route", min(lines), max(lines))


def _lines(events: list[Event]) -> dict[tuple[str, int], Line]:
    """What happened on each line. A line ran as often as what ran most often on it."""
    found: dict[tuple[str, int], Line] = {}
    counts: dict[tuple[str, int, int, str], int] = {}
    for event in events:
        if "line" not in event:
            continue
        place = event["file"], event["line"]
        line = found.setdefault(place, Line())
        kind = event["event"]
        if kind in ("statement", "body", "route") or event.get("decides"):
            here = (*place, event["column"], kind)
            counts[here] = counts.get(here, 0) + 1
            line.times = max(line.times, counts[here])
        for label, value in _said(event):
            line.add(label, value)
    return found


def _said(event: Event) -> list[tuple[str, str]]:
    """What a listing says of an event: label and value."""
    match event["event"]:
        case "value":
            return [(f"{event['name']} = ", _value(event["value"]))]
        case "test" if event["test"]:
            return [(f"{shorten(event['test'])} is ", _VERDICTS[event["result"]])]
        case "test" if event["decides"]:
            return [("the condition is ", _VERDICTS[event["result"]])]
        case "call":
            return [(f"{_called(event)} -> ", str(event["code"]))]
        case "set" if not event["succeeded"]:
            return [(f"{event['target']} was not set", "")]
        case "set":
            return [(f"{event['target']} := ", _value(event["value"]))]
        case "return":
            return [(f"route({event['route']}) -> ", str(event["code"]))]
        case "transaction":
            return [("a transaction was begun", "")]
        case "change":
            return _changed(event)
        case "log":
            return [(f"log: {shorten(event['text'], WIDTH - 20)}", "")]
        case "sent":
            return [("sent: ", f"{shorten(event['start'], 40)} to {event['to']}")]
        case _:
            return []


def _called(event: Event) -> str:
    """`f("a", "$ru" = "sip:x")`"""
    expanded = event.get("expanded", {})
    arguments = []
    for number, written in enumerate(event["arguments"]):
        text = f'"{shorten(written)}"'
        if expanded.get(str(number), written) not in (written, _number(written)):
            text += f" = {_value(expanded[str(number)])}"
        arguments.append(text)
    return f"{event['function']}({', '.join(arguments)})"


def _number(text: str) -> int | None:
    return int(text) if text.removeprefix("-").isdecimal() else None


def _changed(event: Event) -> list[tuple[str, str]]:
    before, after = event["before"], event["after"]
    if event["what"] == "message":
        removed = [("removed from the message: ", _value(before))] if before else []
        return removed + ([("added to the message: ", _value(after))] if after else [])
    label = event["what"].replace("_", " ")
    if not before:
        return [(f"{label}: now ", _told(after))]
    return [(f"{label}: ", f"{_told(before)} -> {_told(after)}")]


def _told(value: object) -> str:
    """Lists and tables of values too."""
    if isinstance(value, dict):
        return ", ".join(f"{name} = {_told(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_told, value)) or "none"
    return _value(value)


def _value(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{shorten(value)}"'
        case _:
            return str(value)


# --- lines -> text ------------------------------------------------------------------------------------------------


def _block(
    block: _Block,
    ran: dict[tuple[str, int], Line],
    source: list[str] | None,
    paint: Callable[[str, str], str],
) -> list[str]:
    lines = []
    for number in range(block.first, block.last + 1):
        line = ran.get((block.file, number))
        if source is None and line is None:
            continue
        text = "" if source is None or number > len(source) else source[number - 1].expandtabs(4).rstrip()
        times = 0 if line is None else line.times
        mark = "" if not times else ">" if times == 1 else f"{times}x"
        shown = _fitted(f"{number:5} {mark:>4} {text}".rstrip(), WIDTH)
        lines.append(paint(shown, GREEN if times else DIM))
        if line is not None:
            indent = " " * (len(text) - len(text.lstrip()))
            notes = [note.text() for note in line.notes.values()]
            if len(notes) > MOST_NOTES:
                notes[MOST_NOTES:] = [f"... and {len(notes) - MOST_NOTES} more"]
            lines += [part for note in notes for part in _wrapped(note, " " * 11 + indent)]
    return lines


def _wrapped(text: str, indent: str) -> list[str]:
    """A note below its line, in lines of WIDTH."""
    indent = indent[: WIDTH // 2] + "  | "
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")


def _fitted(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 4] + " ..."


def _plain(text: str, _: str) -> str:
    return text


def _painted(text: str, colour: str) -> str:
    return f"{colour}{text}{PLAIN}"
