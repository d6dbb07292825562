"""Writes the reference pages of docs/ from the declarations: `python -m openpy.cli.docs FOLDER`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openpy.engine.config import CORE_PARAMETERS, Effect
from openpy.engine.corecommands import CoreCommands
from openpy.engine.corefunctions import CORE_FUNCTIONS
from openpy.engine.events import events_of
from openpy.engine.mi import Command, declared_commands
from openpy.engine.module import ALL_ROUTES, Module
from openpy.engine.modulefinder import find_module, module_names
from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.engine.server import Server
from openpy.script.environment import Function

Row = Sequence[str]

FUNCTION_COLUMNS = ("function", "arguments", "blocks", "effect")
COMMAND_COLUMNS = ("command", "parameters", "effect")
EVENT_COLUMNS = ("route", "when it runs")
LIMIT_COLUMNS = ("parameter", "default", "bounds")
LIMITS_INTRODUCTION = """\
What a stranger can make the server hold or do is bounded, and each bound is a parameter. What exceeds one is answered
as its line says (400 Bad Request, 413 Request Entity Too Large, 414 Request-URI Too Long, 423 Interval Too Brief, 503
Service Unavailable, 513 Message Too Large), or dropped and counted: `openpyctl mi get_statistics net: core:`.
"""
SPLIT = "\\|"  # how a | is written inside a cell

MADE = "<!-- Made by `make docs` from the declarations in the code; change it there. -->\n\n"


def main(arguments: list[str]) -> int:
    """Write all pages into a folder."""
    folder = Path(arguments[0] if arguments else "docs")
    for path, text in pages().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return 0


def pages() -> dict[str, str]:
    """All generated pages: path under docs/ -> text."""
    made = {f"modules/{name}.md": module_page(find_module(name)) for name in module_names()}
    made["core-parameters.md"] = core_parameters_page()
    made["core-functions.md"] = core_functions_page()
    made["core-commands.md"] = core_commands_page()
    made["limits.md"] = limits_page()
    return made


def module_page(cls: type[Module]) -> str:
    """The page of one module."""
    module = cls(services=None)  # type: ignore[arg-type]  # declarations only: nothing is started
    lines = [f"# {cls.name}", "", inspect.getdoc(cls) or "", ""]
    if cls.needs:
        needs = ", ".join("a database module" if need == "database" else need for need in cls.needs)
        lines += [f"Must be loaded before it: {needs}.", ""]
    parameters = [
        (f"`{p.name}`", _type(p.type), _default(p.default), p.doc)
        for p in cls.parameters().values()
        if not p.hidden
    ]
    counters = [(f"`{cls.name}:{counter.name}`", counter.doc) for counter in cls.counters().values()]
    variables = [(f"`${spec.name}`", spec.doc) for spec in module.pseudo_variables()]
    functions = _function_rows(module.functions())
    lines += _section("Parameters", ("name", "type", "default", "effect"), parameters)
    lines += _section("Functions", FUNCTION_COLUMNS, functions)
    lines += _section("Management commands", COMMAND_COLUMNS, _command_rows(module.commands()))
    lines += _section("Statistics", ("name", "counts"), counters)
    lines += _section("Pseudo-variables", ("name", "value"), variables)
    events = [(f"`event_route[{name}]`", event.doc) for name, event in cls.events().items()]
    lines += _section("Events", EVENT_COLUMNS, events)
    return MADE + "\n".join(lines).rstrip("\n") + "\n"


def core_parameters_page() -> str:
    """The page of the core parameters."""
    rows = []
    for spec in CORE_PARAMETERS:
        names = ", ".join(f"`{name}`" for name in (spec.name, *spec.aliases))
        note = "" if spec.effect is Effect.USED else f" ({spec.effect.value})"
        rows.append((names, spec.takes.value, _default(spec.default), spec.doc + note))
    lines = ["# Core parameters", "", *_table(("name", "takes", "default", "effect"), rows)]
    return MADE + "\n".join(lines) + "\n"


def core_functions_page() -> str:
    """The page of the core functions and pseudo-variables."""
    lines = ["# Core functions", "", *_table(FUNCTION_COLUMNS, _function_rows(CORE_FUNCTIONS.values())), ""]
    rows = [
        (f"`${name}{'(name)' if spec.takes_inner else ''}`", "yes" if spec.bind_setter else "")
        for name, spec in sorted(PSEUDO_VARIABLES.items(), key=lambda item: item[0].lower())
    ]
    lines += ["# Core pseudo-variables", "", *_table(("name", "assignable"), rows), ""]
    events = [(f"`event_route[core:{event.name}]`", event.doc) for event in events_of(Server)]
    lines += ["# Core events", "", *_table(EVENT_COLUMNS, events)]
    return MADE + "\n".join(lines) + "\n"


def core_commands_page() -> str:
    """The page of the server's own management commands."""
    owner = CoreCommands(server=None)  # type: ignore[arg-type]  # declarations only
    rows = _command_rows(declared_commands(owner, "core"))
    return MADE + "\n".join(["# Core management commands", "", *_table(COMMAND_COLUMNS, rows)]) + "\n"


def limits_page() -> str:
    """The page of everything that bounds what strangers can make the server hold or do."""
    rows = [(f"`{spec.name}`", _default(spec.default), spec.doc) for spec in CORE_PARAMETERS if spec.limit]
    lines = ["# Limits", "", LIMITS_INTRODUCTION, *_section("Core parameters", LIMIT_COLUMNS, rows)]
    for name in module_names():
        parameters = find_module(name).parameters().values()
        rows = [(f"`{p.name}`", _default(p.default), p.doc) for p in parameters if p.limit]
        lines += _section(f"Parameters of {name}", LIMIT_COLUMNS, rows)
    return MADE + "\n".join(lines).rstrip("\n") + "\n"


def _command_rows(commands: Iterable[Command]) -> list[Row]:
    rows: list[Row] = []
    for command in commands:
        names = []
        for p in command.parameters:
            name = f"{p.name} (int)" if p.type is int else p.name
            names.append(f"[{name}]" if p.optional else f"{name} ..." if p.repeated else name)
        rows.append((f"`{command.name}`", ", ".join(names), " ".join(command.doc.split())))
    return rows


def _function_rows(functions: Iterable[Function]) -> list[Row]:
    """A row for each function and for each overload of it."""
    rows: list[Row] = []
    for first in functions:
        function: Function | None = first
        while function is not None:
            arguments = ", ".join(
                f"[{p.kind.description}]" if p.optional else p.kind.description for p in function.parameters
            )
            blocks = (
                "all"
                if function.routes == ALL_ROUTES
                else ", ".join(sorted(k.value for k in function.routes))
            )
            rows.append((f"`{function.name}`", arguments, blocks, " ".join(function.doc.split())))
            function = function.overload
    return rows


def _section(title: str, columns: Row, rows: Sequence[Row]) -> list[str]:
    """A table under its title; nothing where there are no rows."""
    return [f"## {title}", "", *_table(columns, rows), ""] if rows else []


def _table(columns: Row, rows: Iterable[Row]) -> list[str]:
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    return lines + [f"| {' | '.join(cell.replace('|', SPLIT) for cell in row)} |" for row in rows]


def _type(kinds: type[Any] | tuple[type[Any], ...]) -> str:
    names = {int: "int", str: "string"}
    return " or ".join(names[kind] for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))


def _default(value: Any) -> str:
    if value in (None, ""):
        return "unset"
    return f"`{value}`" if str(value).isprintable() else f"`{value!r}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
