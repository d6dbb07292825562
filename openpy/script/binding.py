"""Names and literals of a script become objects: functions, getters, patterns, networks.

A `Binder` collects what cannot be bound as diagnostics and answers None for it, so that the checker can
go on and report everything in one run; the compiler gives up in the end if anything was reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from openpy.script import dialects
from openpy.script.diagnostics import Diagnostic, did_you_mean, error, warning
from openpy.script.environment import (
    ArgumentError,
    Environment,
    Function,
    Getter,
    OperandSpec,
    Setter,
)
from openpy.script.patterns import Flags, Pattern, compile_pattern
from openpy.script.pseudovariables import bind, bind_setter, read_whole
from openpy.script.rules import calls, conditions, values
from openpy.script.rules.rule import ErrorRule, WarningRule
from openpy.script.syntax import (
    Assignment,
    Call,
    Expression,
    Name,
    Node,
    Null,
    Number,
    Operand,
    PseudoVariable,
    String,
)


@dataclass(frozen=True, slots=True)
class BoundCall:
    """A function and its converted arguments."""

    function: Function
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class BoundValue:
    """A getter; `strict` if having no value is an error: an operand, or a transformation."""

    get: Getter
    strict: bool


@dataclass(slots=True)
class Binder:
    """Binds against one environment."""

    environment: Environment
    found: list[Diagnostic] = field(default_factory=list)
    missing: set[str] = field(init=False)  # modules that are told to be missing

    def __post_init__(self) -> None:
        self.missing = set(self.environment.told)

    # --- functions ----------------------------------------------------------------------------------------

    def call(self, node: Call) -> BoundCall | None:
        """Find the function and convert its arguments."""
        self.environment.rest()
        function = self.environment.function(node.name, len(node.arguments))
        if function is None:
            self._unknown_function(node)
            return None
        if not function.takes(len(node.arguments)):
            self._wrong_count(node, function)
            return None
        arguments = [self._argument(node.name, function, n, item) for n, item in enumerate(node.arguments)]
        return BoundCall(function, tuple(arguments))

    def _wrong_count(self, node: Call, function: Function) -> None:
        forms = [function]
        while forms[-1].overload is not None:
            forms.append(forms[-1].overload)
        amounts = " or ".join(map(_count, forms))
        plural = "" if amounts == "1" else "s"
        message = f"{node.name}() takes {amounts} argument{plural}, not {len(node.arguments)}"
        names = [", ".join(parameter.name for parameter in form.parameters) for form in forms]
        self.error(calls.WRONG_COUNT, node, message, " or ".join(f"{node.name}({form})" for form in names))

    def _unknown_function(self, node: Call) -> None:
        module = self.environment.not_loaded.get(node.name)
        foreign = dialects.WORDS.get(node.name, "")
        if module is not None and module in self.missing:
            return  # one line that is missing is told once
        if module is None and not foreign and self.environment.lacks_modules:
            return
        if module is not None:
            self.missing.add(module)
        hint = did_you_mean(node.name, self.environment.functions)
        if module is not None:
            hint = f'add loadmodule "{module}.so"'
        elif foreign:
            hint = foreign
        elif not hint and (close := did_you_mean(node.name, self.environment.not_loaded)):
            hint = close
        self.error(calls.UNKNOWN_FUNCTION, node, f"unknown command {node.name}(), missing loadmodule?", hint)

    def _argument(self, name: str, function: Function, number: int, node: Expression) -> Any:
        parameter = function.parameters[number]
        convert = parameter.kind.convert
        if isinstance(node, Name):
            convert = getattr(parameter.kind, "convert_name", convert)
        match node:
            case String(value=text) | Name(text=text) | PseudoVariable(text=text):
                pass
            case Number(value=value):
                text = str(value)
            case _:
                self.error(calls.BAD_ARGUMENT, node, f"bad arguments: {name}() takes quoted strings")
                return None
        try:
            converted = convert(text, self.environment)
        except ArgumentError as failure:
            place = f"argument {number + 1} of {name}()"
            hint = failure.hint or f"{place} is {parameter.kind.description}"
            self._failed(node, failure.within(place), calls.BAD_ARGUMENT, hint)
            return None
        if isinstance(converted, Pattern):
            self._remark(node, converted)
        return converted

    # --- pseudo-variables ---------------------------------------------------------------------------------

    def variable(self, node: PseudoVariable) -> BoundValue | None:
        """Bind the getter."""
        self.environment.rest()
        try:
            reference = read_whole(node.text)
            return BoundValue(bind(reference, self.environment), bool(reference.transformations))
        except ArgumentError as failure:
            self._failed(node, failure, values.BAD_REFERENCE, failure.hint)
            return None

    def setter(self, node: Assignment) -> Setter | None:
        """Bind the setter of an assignment's target."""
        try:
            reference = read_whole(node.target.text)
            setter = bind_setter(reference, self.environment)
        except ArgumentError as failure:
            self._failed(node.target, failure, values.BAD_REFERENCE, failure.hint)
            return None
        if isinstance(node.value, Null) and node.operator not in ("=", ":="):
            self.error(values.BAD_NULL, node, f"NULL cannot be used with {node.operator}", "write = NULL")
        elif isinstance(node.value, Null) and node.operator == ":=" and reference.name != "avp":
            message = f"{reference.text} cannot be assigned NULL with :="
            self.error(values.BAD_NULL, node, message, "write = NULL")
        return setter

    def _failed(self, node: Node, failure: ArgumentError, rule: ErrorRule, hint: str) -> None:
        """Report what could not be converted; a variable that is unknown may be that of a module that is not there."""
        rule = failure.rule or rule
        if rule is not values.UNKNOWN_VARIABLE or not self.environment.lacks_modules:
            self.error(rule, node, failure.text, hint)

    # --- the rest -----------------------------------------------------------------------------------------

    def operand(self, node: Operand) -> OperandSpec | None:
        """Find a keyword operand."""
        spec = self.environment.operands.get(node.name)
        if spec is None:
            hint = did_you_mean(node.name, self.environment.operands)
            self.error(conditions.NO_CONDITION, node, f"{node.name} is not known here", hint)
        return spec

    def pattern(self, node: Node, text: str) -> Pattern | None:
        """Compile the pattern of `=~` or `!~`."""
        try:
            pattern = compile_pattern(text, Flags.IGNORE_CASE)
        except ArgumentError as failure:
            self.error(conditions.BAD_PATTERN, node, failure.text)
            return None
        self._remark(node, pattern)
        return pattern

    def _remark(self, node: Node, pattern: Pattern) -> None:
        for remark in pattern.remarks:
            message = f"in the regular expression {remark}"
            hint = "POSIX has [0-9], [[:alpha:]] and the like"
            self.warning(conditions.FOREIGN_PATTERN, node, message, hint)
        if pattern.dead:
            message = f"in the regular expression {pattern.dead}: that never matches"
            hint = "the character itself has a backslash: \\^ or \\$"
            self.warning(conditions.IMPOSSIBLE_PATTERN, node, message, hint)

    def error(self, rule: ErrorRule, node: Node, message: str, hint: str = "") -> None:
        """Report an error."""
        self.found.append(error(rule, node.position, message, hint))

    def warning(self, rule: WarningRule, node: Node, message: str, hint: str = "") -> None:
        """Report a warning."""
        self.found.append(warning(rule, node.position, message, hint))


def _count(function: Function) -> str:
    """How many arguments a function takes, in words."""
    most = len(function.parameters)
    least = sum(not parameter.optional for parameter in function.parameters)
    return str(least) if least == most else f"{least} to {most}"
