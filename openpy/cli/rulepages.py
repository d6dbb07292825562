"""The pages of docs/ on what a check tells: an index by subject, and a page for each rule, with what it prints."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from textwrap import fill

from openpy.engine.log import Log
from openpy.script.diagnostics import Diagnostic, ScriptError, Severity, render
from openpy.script.rules.registry import SUBJECTS, rules_of
from openpy.script.rules.rule import Rule
from openpy.testing.network import Network
from openpy.testing.server import VirtualServer
from openpy.testing.world import World

SCRIPT = "openser.cfg"
WIDTH = 120

INTRODUCTION = """\
# What a check tells

`openpy -c -f openser.cfg` reads a script, checks it and stops; every start checks it first. All that is wrong is told
in one run, each mistake once, with its place, a code, and what to do. An error (E) stops the start; a warning (W) is
told, and the server starts. The exit status is 0 where there is no error, and 255 where there is one.

`openpy rule CODE` prints the page of a code. Codes are for ever: none is given to something else.

`--format` chooses how it is told:

- `text`, for people, on stderr: `file:line:column: error[CODE]: message`, the line, a caret, a hint.
- `json`, for programs, on stdout: one list with an object for each finding, in the order of the script, `[]` where
  there is none. Its keys are `file`, `line`, `column`, `endLine`, `endColumn` (both begin at 1, `endColumn` is one
  past the last character), `severity` (`error` or `warning`), `code`, `message` and `hint` (may be empty). Keys
  may be added.
- `github`, for a workflow on GitHub, on stdout: annotations, which it shows beside the lines.

What is wrong with the command line, and a file that is not there, is told on stderr whatever the format.

A module of your own says what its functions do for a request, so that they are followed too: docs/developer.md.
"""


def index() -> str:
    """The page that lists all rules."""
    lines = [INTRODUCTION]
    for subject in SUBJECTS:
        lines += [f"## {subject}", "", "| code | name | |", "|---|---|---|"]
        for rule in rules_of(subject):
            first = rule.why.split(". ")[0].split(": ")[0].rstrip(".")
            lines.append(f"| [{rule.code}](diagnostics/{rule.code}.md) | {rule.title} | {_cell(first)} |")
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def page(rule: Rule) -> str:
    """The page of one rule, as Markdown, which reads well as it is."""
    kind = "An error: the server does not start." if rule.severity is Severity.ERROR else "A warning."
    told = "\n".join(render(item, rule.wrong) for item in found_in(rule.wrong))
    parts = [
        f"# {rule.code} {rule.title}",
        fill(f"{rule.why} {kind}", WIDTH, break_long_words=False, break_on_hyphens=False),
        f"Wrong:\n\n```\n{rule.wrong}```",
        f"What is told:\n\n```\n{told}\n```",
        f"Right:\n\n```\n{rule.right}```",
    ]
    return "\n\n".join(parts) + "\n"


def found_in(text: str) -> list[Diagnostic]:
    """All that is told of a script up to its start, as if it were in a file `openser.cfg` in the working directory."""
    with tempfile.TemporaryDirectory(prefix="openpy-rule-") as folder:
        path = Path(folder, SCRIPT)
        path.write_text(text, "utf-8", "surrogateescape")
        world = World(0)
        silent = Log(sink=lambda level, line: None)
        server = VirtualServer(world, Network(world), path.parent, silent, {}, lambda stream, data: None)
        server.allow_exec = False
        try:
            found = server.load(path).warnings
            server.bind()
            server.sockets.close()
        except ScriptError as error:
            found = error.diagnostics
        return [_moved(item, f"{folder}/") for item in found]


def _moved(found: Diagnostic, folder: str) -> Diagnostic:
    """The same without the folder in front of the names of files."""
    at = found.position
    place = replace(at, file=at.file.removeprefix(folder))
    return Diagnostic(found.rule, place, found.message.replace(folder, ""), found.hint.replace(folder, ""))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
