"""What an editor shows about a name: its declaration as Markdown."""

from __future__ import annotations

import inspect
from typing import Any

from openpy.engine.config import CoreParameterSpec, Effect
from openpy.engine.module import ALL_ROUTES, Module, Param
from openpy.script.environment import Function, PseudoVariableSpec, Transformation
from openpy.script.syntax import RouteKind


def signature(function: Function) -> str:
    """A function with the names of its arguments; those in brackets may be left out."""
    names = [f"[{p.name}]" if p.optional else p.name for p in function.parameters]
    return f"{function.name}({', '.join(names)})"


def routes(allowed: frozenset[RouteKind]) -> str:
    """The kinds of route that a function can be called in."""
    return "all routes" if allowed == ALL_ROUTES else ", ".join(sorted(kind.value for kind in allowed))


def function_text(function: Function) -> str:
    """A function and its overloads."""
    texts = []
    found: Function | None = function
    while found is not None:
        lines = [
            _code(signature(found)),
            found.doc,
            *(f"- `{p.name}`: {p.kind.description}" for p in found.parameters),
        ]
        lines += ["", f"Module {found.module}; in {routes(found.routes)}"]
        if found.refusal is not None:
            lines += ["", f"Cannot be used here: {found.refusal.reason}"]
        texts.append("\n".join(lines))
        found = found.overload
    return "\n\n---\n\n".join(texts)


def parameter_text(module: type[Module], parameter: Param[Any]) -> str:
    """A parameter of a module."""
    kinds = parameter.type if isinstance(parameter.type, tuple) else (parameter.type,)
    shown = " or ".join({int: "a number", str: "a string"}[kind] for kind in kinds)
    head = f'modparam("{module.name}", "{parameter.name}", ...)'
    return f"{_code(head)}\n{parameter.doc}\n\nTakes {shown}; default: {_default(parameter.default)}"


def core_parameter_text(spec: CoreParameterSpec) -> str:
    """A core parameter."""
    note = "" if spec.effect is Effect.USED else f" ({spec.effect.value})"
    takes = f"Takes {spec.takes.value}; default: {_default(spec.default)}"
    return f"{_code(f'{spec.name}=...')}\n{spec.doc}{note}\n\n{takes}"


def module_text(module: type[Module]) -> str:
    """A module."""
    lines = [_code(f'loadmodule "{module.name}.so"'), inspect.getdoc(module) or ""]
    if module.needs:
        needs = ", ".join("a database module" if need == "database" else need for need in module.needs)
        lines += ["", f"Must be loaded before it: {needs}"]
    functions = sorted(module.function_names())
    if functions:
        lines += ["", f"Functions: {', '.join(f'`{name}`' for name in functions)}"]
    return "\n".join(lines)


def variable_text(spec: PseudoVariableSpec) -> str:
    """A pseudo-variable."""
    written = f"${spec.name}{'(name)' if spec.takes_inner else ''}"
    if spec.takes_index:
        written += f"  $({written[1:]}[index])"
    access = "Can be assigned" if spec.bind_setter is not None else "Read-only"
    return "\n".join(filter(None, (_code(written), spec.doc, access)))


def transformation_text(transformation: Transformation) -> str:
    """A transformation."""
    low, high = transformation.minimum, transformation.maximum
    amount = str(low) if low == high else f"{low} to {high}"
    parameters = f"{amount} parameter{'' if amount == '1' else 's'}"
    return "\n".join(
        filter(None, (_code(f"{{{transformation.name}}}"), transformation.doc, f"Takes {parameters}"))
    )


def _code(text: str) -> str:
    return f"```openser\n{text}\n```"


def _default(value: Any) -> str:
    return "unset" if value in (None, "") else f"`{value}`"
