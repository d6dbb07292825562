"""Writes the reference pages of docs/ from the declarations: `python -m openpy.cli.docs FOLDER`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openpy.cli import rulepages
from openpy.engine.config import CORE_PARAMETERS, Effect
from openpy.engine.corecommands import CoreCommands
from openpy.engine.corefunctions import CORE_FUNCTIONS
from openpy.engine.events import events_of
from openpy.engine.mi import Command, declared_commands
from openpy.engine.module import ALL_ROUTES, Module
from openpy.engine.modulefinder import find_module, module_names
from openpy.engine.oldmodules import NOT_BUILT, REPLACED
from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.engine.server import Server
from openpy.script.environment import Function
from openpy.script.rules.registry import RULES

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
RELOAD_COLUMNS = ("parameter", "effect")
RESTARTS_INTRODUCTION = """\
A reload ([reload](reload.md)) takes over everything in a script but what is listed here: that counts when the server is
started anew. What has no effect at all in this version may change too.
"""
MODULES_INTRODUCTION = """\
All modules of OpenSER 1.3, and those that are openpy's own. A script that loads one that is not there is refused, with
the line and what is said here.
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
    made["modules.md"] = modules_page()
    made["core-parameters.md"] = core_parameters_page()
    made["core-functions.md"] = core_functions_page()
    made["core-commands.md"] = core_commands_page()
    made["limits.md"] = limits_page()
    made["restarts.md"] = restarts_page()
    made["diagnostics.md"] = MADE + rulepages.index()
    for rule in RULES.values():
        made[f"diagnostics/{rule.code}.md"] = MADE + rulepages.page(rule)
    return made


def modules_page() -> str:
    """The page that lists the modules of OpenSER 1.3: those that are there, are to come, or have a replacement."""
    built = module_names()
    classes = [find_module(name) for name in built]
    rows = [(f"[{cls.name}](modules/{cls.name}.md)", _first_sentence(cls)) for cls in classes]
    to_come = [(name, what) for name, what in sorted(NOT_BUILT.items()) if name not in built]
    replaced = [(name, hint) for name, hint in sorted(REPLACED.items()) if name not in built]
    lines = ["# Modules", "", MODULES_INTRODUCTION]
    lines += _section("Built", ("module", "what it does"), rows)
    lines += _section("To come", ("module", "what it does in 1.3, and does here one day"), to_come)
    lines += _section("Not part of openpy", ("module", "what to use instead"), replaced)
    return MADE + "\n".join(lines).rstrip("\n") + "\n"


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
        (f"`${name}{'(name)' if spec.takes_inner else ''}`", spec.doc, "yes" if spec.bind_setter else "")
        for name, spec in sorted(PSEUDO_VARIABLES.items(), key=lambda item: item[0].lower())
    ]
    lines += ["# Core pseudo-variables", "", *_table(("name", "value", "assignable"), rows), ""]
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


def restarts_page() -> str:
    """The page of everything that a reload cannot change."""
    rows = [(f"`{spec.name}`", spec.doc) for spec in CORE_PARAMETERS if spec.needs_restart]
    lines = ["# What needs a restart", "", RESTARTS_INTRODUCTION]
    lines += _section("Core parameters", RELOAD_COLUMNS, rows)
    classes = [find_module(name) for name in module_names()]
    for cls in classes:
        fixed = [p for p in cls.parameters().values() if not (p.reload or p.hidden)]
        lines += _section(
            f"Parameters of {cls.name}", RELOAD_COLUMNS, [(f"`{p.name}`", p.doc) for p in fixed]
        )
    fixed_modules = ", ".join(cls.name for cls in classes if not cls.can_join)
    lines += [
        "## Modules",
        "",
        f"To load or to leave out: {fixed_modules}. All others come and go with a reload.",
    ]
    lines += ["The Python code of a module that is loaded stays, whatever its file holds by then."]
    return MADE + "\n".join(lines) + "\n"


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


def _first_sentence(cls: type[Module]) -> str:
    """What a module says of itself first."""
    first, _, _ = " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split()).partition(". ")
    return first if first.endswith(".") else f"{first}."


def _type(kinds: type[Any] | tuple[type[Any], ...]) -> str:
    names = {int: "int", str: "string"}
    return " or ".join(names[kind] for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))


def _default(value: Any) -> str:
    if value in (None, ""):
        return "unset"
    return f"`{value}`" if str(value).isprintable() else f"`{value!r}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
