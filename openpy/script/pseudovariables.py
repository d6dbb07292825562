"""Pseudo-variables as written: `$ru`, `$hdr(To)`, `$(avp(s:x)[1]{s.len}{s.int})`.

`read` takes one apart, `bind` turns it into a getter and `bind_setter` into a setter, by the tables
of the environment. All of this happens when a script is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openpy.script import dialects
from openpy.script.diagnostics import did_you_mean
from openpy.script.environment import (
    ArgumentError,
    Environment,
    Getter,
    Index,
    Inner,
    PseudoVariableSpec,
    Setter,
    Transformation,
)
from openpy.script.rules import values
from openpy.script.rules.statements import OTHER_DIALECT
from openpy.script.values import Value

NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")
"""A name is the longest run of these, so `$rd.` is a variable called `rd.`."""

MAX_NESTING = 8
"""How deep names, indices and parameters may themselves be pseudo-variables."""


_DOLLAR = PseudoVariableSpec("$", lambda inner, index: lambda run: "$", doc="The character $.")


@dataclass(frozen=True, slots=True)
class Reference:
    """One pseudo-variable, taken apart. Inner name and index are as written, None where absent."""

    text: str
    name: str
    inner: str | None = None
    index: str | None = None
    transformations: tuple[str, ...] = ()


def read(text: str, start: int = 0) -> tuple[Reference, int]:
    """Read the reference whose `$` stands at `start`; return it and where it ends. Raises ArgumentError."""
    at = start + 1
    if text.startswith("$", at):
        return Reference("$$", "$"), at + 1
    if text.startswith("(", at):
        return _read_enclosed(text, start)
    end = _name_end(text, at)
    name = text[at:end]
    if not name:
        raise ArgumentError('"$" without a name', "write $$ for the character itself", values.BAD_REFERENCE)
    inner = None
    if text.startswith("(", end):
        inner, end = _enclosed(text, end, "(", ")")
    return Reference(text[start:end], name, inner), end


def read_whole(text: str) -> Reference:
    """Read a text that must be one reference and nothing else. Raises ArgumentError."""
    if text.startswith("@"):
        raise ArgumentError(f"{text} is not known here", dialects.SELECT, OTHER_DIALECT)
    if not text.startswith("$"):
        raise _bad(f'"{text}" is no pseudo-variable')
    reference, end = read(text)
    if end < len(text):
        tail = text[end:]
        better = f"write $({reference.text[1:]}{tail})" if tail[0] in "{[" else ""
        raise _bad(f'"{tail}" after {reference.text} is not part of the pseudo-variable', better)
    return reference


def spec_of(reference: Reference, environment: Environment) -> PseudoVariableSpec:
    """Find what the name stands for. Raises ArgumentError for an unknown name."""
    spec = environment.pseudo_variables.get(reference.name)
    if spec is not None:
        return spec
    if reference.name == "$":
        return _DOLLAR
    bare = reference.name.rstrip(".")
    if bare in environment.pseudo_variables:
        hint = f"a name is as long as it can be: write $({bare}){reference.name[len(bare) :]}"
    elif reference.name in environment.variables_not_loaded:
        hint = f'add loadmodule "{environment.variables_not_loaded[reference.name]}.so"'
    else:
        known = environment.pseudo_variables
        hint = dialects.VARIABLES.get(reference.name) or did_you_mean(reference.name, known)
    reason = f'error searching pvar "{reference.name}": unknown script variable'
    raise ArgumentError(reason, hint, values.UNKNOWN_VARIABLE)


def bind(reference: Reference, environment: Environment, depth: int = 0) -> Getter:
    """Make the getter. Raises ArgumentError for unknown names, bad inner names, indices or parameters."""
    if depth > MAX_NESTING:
        raise _bad(f"{reference.text} is nested too deeply")
    spec = spec_of(reference, environment)
    if reference.inner is not None and not spec.takes_inner:
        raise _bad(f"${spec.name} takes no name in parentheses")
    if reference.index is not None and not spec.takes_index:
        raise _bad(f"${spec.name} takes no index")
    inner = _bind_inner(reference.inner, environment, depth)
    index = _bind_index(reference.index, environment, depth)
    try:
        getter = spec.bind(inner, index)
    except ArgumentError as failure:
        raise _bad(failure.text, failure.hint) from None
    for text in reference.transformations:
        getter = _transformed(getter, _bind_transformation(text, environment, depth))
    return getter


def bind_setter(reference: Reference, environment: Environment) -> Setter:
    """Make the setter. Raises ArgumentError where the variable cannot be assigned."""
    spec = spec_of(reference, environment)
    if reference.transformations:
        reason = "invalid left operand in assignment: a transformation cannot be assigned"
        raise ArgumentError(reason, rule=values.READ_ONLY)
    if spec.bind_setter is None:
        reason = f"invalid left operand in assignment: {reference.text} is read-only"
        hint = "what can be set is $var, $avp, $ru and the like; a comparison is written =="
        raise ArgumentError(reason, hint, values.READ_ONLY)
    if reference.inner is not None and not spec.takes_inner:
        raise _bad(f"${spec.name} takes no name in parentheses")
    inner = _bind_inner(reference.inner, environment, 0)
    try:
        return spec.bind_setter(inner)
    except ArgumentError as failure:
        raise _bad(failure.text, failure.hint) from None


def _bind_inner(text: str | None, environment: Environment, depth: int) -> Inner:
    if text is None or not text.startswith("$"):
        return text
    return bind(read_whole(text), environment, depth + 1)


def _bind_index(text: str | None, environment: Environment, depth: int) -> Index:
    if text is None or text == "*":
        return text
    if text.startswith("$"):
        return bind(read_whole(text), environment, depth + 1)
    try:
        return int(text)
    except ValueError:
        raise _bad(f'bad index "{text}": a number, * or a pseudo-variable is expected') from None


def _transformed(getter: Getter, function: Callable[[Any, Value], Value]) -> Getter:
    """Chain; NULL fails in every transformation, so it is handed on."""

    def get(run: Any) -> Value:
        value = getter(run)
        return None if value is None else function(run, value)

    return get


def _bind_transformation(text: str, environment: Environment, depth: int) -> Callable[[Any, Value], Value]:
    """Bind `class.name,parameter,...`; class and name are read without case."""
    name, comma, rest = text.partition(",")
    name = name.strip().lower()
    transformation = environment.transformations.get(name)
    if transformation is None:
        hint = did_you_mean(name, environment.transformations)
        raise ArgumentError(f'unknown transformation "{name}"', hint, values.BAD_TRANSFORMATION)
    parameters = _parameters(rest, transformation.maximum) if comma else []
    if not transformation.minimum <= len(parameters) <= transformation.maximum:
        reason = f"{{{name}}} takes {_count(transformation)}, not {len(parameters)}"
        raise ArgumentError(reason, rule=values.BAD_TRANSFORMATION)
    bound = tuple(
        bind(read_whole(parameter), environment, depth + 1) if parameter.startswith("$") else parameter
        for parameter in parameters
    )
    try:
        return transformation.bind(bound)
    except ArgumentError as failure:
        raise ArgumentError(failure.text, failure.hint, values.BAD_TRANSFORMATION) from None


def _count(transformation: Transformation) -> str:
    low, high = transformation.minimum, transformation.maximum
    amount = str(low) if low == high else f"{low} to {high}"
    return f"{amount} parameter{'' if amount == '1' else 's'}"


def _parameters(text: str, most: int) -> list[str]:
    """Split at commas outside parentheses; the last possible parameter may be a comma itself."""
    found: list[str] = []
    depth = start = 0
    for at, character in enumerate(text):
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "," and depth <= 0 and len(found) < most - 1:
            found.append(text[start:at])
            start = at + 1
    found.append(text[start:])
    return found


def _read_enclosed(text: str, start: int) -> tuple[Reference, int]:
    """Read `$(name(inner)[index]{transformation}...)`."""
    at = start + 2
    end = _name_end(text, at)
    name = text[at:end]
    if not name:
        raise _bad('"$(" without a name')
    inner = index = None
    transformations: list[str] = []
    if text.startswith("(", end):
        inner, end = _enclosed(text, end, "(", ")")
    if text.startswith("[", end):
        index, end = _enclosed(text, end, "[", "]")
    while text.startswith("{", end):
        transformation, end = _enclosed(text, end, "{", "}")
        transformations.append(transformation)
    if not text.startswith(")", end):
        found = f'"{text[end]}"' if end < len(text) else "the end"
        raise _bad(f'")" is expected after "{text[start:end]}", not {found}')
    end += 1
    return Reference(text[start:end], name, inner, index, tuple(transformations)), end


def _bad(reason: str, hint: str = "") -> ArgumentError:
    """For what is written in a way that it cannot be read."""
    return ArgumentError(reason, hint, values.BAD_REFERENCE)


def _name_end(text: str, at: int) -> int:
    while at < len(text) and text[at] in NAME_CHARACTERS:
        at += 1
    return at


def _enclosed(text: str, start: int, opening: str, closing: str) -> tuple[str, int]:
    """Return what stands between the bracket at `start` and the one that closes it, and where that ends."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] == opening:
            depth += 1
        elif text[at] == closing:
            depth -= 1
            if depth == 0:
                return text[start + 1 : at], at + 1
    raise _bad(f'"{opening}" in "{text}" is not closed')
