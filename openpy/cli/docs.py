"""Writes the reference pages of docs/ from the declarations: `python -m openpy.cli.docs FOLDER`."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

from openpy.engine.config import CORE_PARAMETERS
from openpy.engine.corefunctions import CORE_FUNCTIONS
from openpy.engine.loader import find_module, module_names
from openpy.engine.module import Module
from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.script.environment import Function

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
    return made


def module_page(cls: type[Module]) -> str:
    """The page of one module."""
    module = cls(services=None)  # type: ignore[arg-type]  # declarations only: nothing is started
    lines = [f"# {cls.name}", "", inspect.getdoc(cls) or "", ""]
    if cls.needs:
        needs = ", ".join("a database module" if need == "database" else need for need in cls.needs)
        lines += [f"Must be loaded before it: {needs}.", ""]
    parameters = [parameter for parameter in cls.parameters().values() if not parameter.hidden]
    if parameters:
        lines += ["## Parameters", "", "| name | type | default | effect |", "|---|---|---|---|"]
        lines += [
            f"| `{p.name}` | {'int' if p.type is int else 'string'} | {_default(p.default)} | {p.doc} |"
            for p in parameters
        ]
        lines.append("")
    functions = list(module.functions())
    if functions:
        lines += ["## Functions", "", *_function_lines(functions), ""]
    counters = cls.counters().values()
    if counters:
        lines += ["## Statistics", "", "| name | counts |", "|---|---|"]
        lines += [f"| `{cls.name}:{counter.name}` | {counter.doc} |" for counter in counters]
        lines.append("")
    variables = list(module.pseudo_variables())
    if variables:
        lines += ["## Pseudo-variables", "", *(f"- `${spec.name}`: {spec.doc}" for spec in variables), ""]
    return MADE + "\n".join(lines)


def core_parameters_page() -> str:
    """The page of the core parameters."""
    lines = ["# Core parameters", "", "| name | takes | default | effect |", "|---|---|---|---|"]
    for spec in CORE_PARAMETERS:
        names = ", ".join(f"`{name}`" for name in (spec.name, *spec.aliases))
        note = "" if spec.effect.name == "USED" else f" ({spec.effect.value})"
        lines.append(f"| {names} | {spec.takes.value} | {_default(spec.default)} | {spec.doc}{note} |")
    return MADE + "\n".join(lines) + "\n"


def core_functions_page() -> str:
    """The page of the core functions and pseudo-variables."""
    lines = ["# Core functions", "", *_function_lines(list(CORE_FUNCTIONS.values())), ""]
    lines += ["# Core pseudo-variables", "", "| name | assignable |", "|---|---|"]
    for name, spec in sorted(PSEUDO_VARIABLES.items(), key=lambda item: item[0].lower()):
        inner = "(name)" if spec.takes_inner else ""
        lines.append(f"| `${name}{inner}` | {'yes' if spec.bind_setter else ''} |")
    return MADE + "\n".join(lines) + "\n"


def _function_lines(functions: list[Function]) -> list[str]:
    lines = ["| function | arguments | blocks | effect |", "|---|---|---|---|"]
    for function in functions:
        arguments = ", ".join(
            f"[{p.kind.description}]" if p.optional else p.kind.description for p in function.parameters
        )
        blocks = ", ".join(sorted(kind.value for kind in function.routes))
        doc = " ".join(function.doc.split())
        lines.append(f"| `{function.name}` | {arguments} | {blocks} | {doc} |")
    return [line.replace("A|B", "A\\|B") for line in lines]


def _default(value: Any) -> str:
    return "unset" if value in (None, "") else f"`{value}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
