"""What was found in a script, as text for people (stderr), or as JSON or annotations of GitHub (stdout).

The JSON is one list with an object for each finding, in the order of the script; keys may be added, and none is taken
away or renamed: `file`, `line`, `column`, `endLine`, `endColumn` (lines and columns begin at 1, `endColumn` is one past
the last character), `severity` ("error" or "warning"), `code`, `message`, `hint` (may be empty).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from openpy.script.diagnostics import Diagnostic, render

Found = Sequence[Diagnostic]


def write_text(found: Found) -> None:
    """For people: place, reason, the line, a caret, the hint."""
    sources: dict[str, str] = {}
    for diagnostic in found:
        file = diagnostic.position.file
        if file not in sources:
            sources[file] = _source(file)
        text = render(diagnostic, sources[file])
        sys.stderr.buffer.write(text.encode("utf-8", "surrogateescape") + b"\n")
    sys.stderr.flush()


def write_json(found: Found) -> None:
    """For programs."""
    print(json.dumps([as_object(diagnostic) for diagnostic in found], indent=2), flush=True)


def write_github(found: Found) -> None:
    """For the log of a GitHub workflow, which shows each beside its line."""
    for diagnostic in found:
        print(as_annotation(diagnostic))
    sys.stdout.flush()


FORMATS: dict[str, Callable[[Found], None]] = {
    "text": write_text,
    "json": write_json,
    "github": write_github,
}
"""What writes findings, by the name of the format."""


def as_object(diagnostic: Diagnostic) -> dict[str, str | int]:
    """One finding as JSON has it."""
    place = diagnostic.position
    return {
        "file": _plain(place.file),
        "line": place.line,
        "column": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
        "severity": diagnostic.severity.value,
        "code": diagnostic.code,
        "message": _plain(diagnostic.message),
        "hint": _plain(diagnostic.hint),
    }


def as_annotation(diagnostic: Diagnostic) -> str:
    """One finding as a workflow command: `::error file=...,line=...::message`.

    GitHub takes columns only where the first and the last line are the same.
    """
    place = diagnostic.position
    is_one_line = place.line == place.end_line
    properties = {
        "file": place.file,
        "line": place.line,
        "col": place.column if is_one_line else None,
        "endLine": place.end_line,
        "endColumn": place.end_column if is_one_line else None,
        "title": f"{diagnostic.code} {diagnostic.rule.title}",
    }
    written = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value)
    text = "\n".join(filter(None, (diagnostic.message, diagnostic.hint)))
    return f"::{diagnostic.severity.value} {written}::{_data(text)}"


def _data(text: str) -> str:
    """A message as it stands behind the last `::`."""
    return _plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _plain(text: str) -> str:
    """Text with a replacement character for each byte that is no UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _source(file: str) -> str:
    """The text of a script, or of a file that it includes; what the command line defines has none."""
    try:
        return Path(file).read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ""
