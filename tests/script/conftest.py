"""A small environment to run scripts in: functions that speak, variables that remember."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import pytest

from openpy.script.compiler import STOP, Program, compile_script
from openpy.script.environment import (
    Effect,
    Environment,
    Function,
    Getter,
    Index,
    Inner,
    OperandSpec,
    Parameter,
    PseudoVariableSpec,
    Setter,
)
from openpy.script.formats import parse_format
from openpy.script.parser import parse
from openpy.script.patterns import Flags, compile_pattern
from openpy.script.syntax import RouteKind
from openpy.script.transformations import TRANSFORMATIONS
from openpy.script.values import Dual, Value


@dataclass(slots=True)
class FakeRun:
    """A run with nothing behind it. `said` is what the script said, `log` what it was warned of."""

    rc: int = 1
    depth: int = 0
    dropped: bool = False
    error_class: int = 0
    method: str = "INVITE"
    uri: str | None = "sip:bob@Example.com"
    variables: dict[str, Value] = field(default_factory=dict)
    avps: list[Value] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    result: object = None

    def warn(self, text: str) -> None:
        self.log.append(text)


class Pause:
    """Something to wait for, stepped by hand."""

    def __await__(self) -> Generator[Pause, None, None]:
        yield self


class TextKind:
    description = "text"

    def convert(self, text: str, environment: Environment) -> str:
        return text


class NumberKind:
    description = "a number"

    def convert(self, text: str, environment: Environment) -> int:
        from openpy.script.environment import ArgumentError

        if not text.lstrip("-").isdigit():
            raise ArgumentError(f'bad number "{text}"')
        return int(text)


class FormatKind:
    description = "a format"

    def convert(self, text: str, environment: Environment) -> Callable[[Any], str]:
        return parse_format(text, environment)


class PatternKind:
    description = "a regular expression"

    def convert(self, text: str, environment: Environment) -> Any:
        return compile_pattern(text, Flags.IGNORE_CASE | Flags.NEWLINE)


ALL = frozenset(RouteKind)
REQUEST = frozenset({RouteKind.REQUEST})


def say(run: FakeRun, text: Callable[[Any], str]) -> int:
    run.said.append(text(run))
    return 1


def code(run: FakeRun, number: int) -> int:
    return number


async def wait(run: FakeRun, number: int) -> int:
    await Pause()
    return number


def fail(run: FakeRun) -> int:
    raise RuntimeError("a bug in a module")


def spoil(run: FakeRun) -> int:
    run.error_class = 1
    return -7


FUNCTIONS = (
    Function("say", (Parameter("text", FormatKind()),), ALL, say),
    Function("code", (Parameter("number", NumberKind()),), ALL, code, module="code"),
    Function("wait", (Parameter("number", NumberKind()),), ALL, wait, True, "wait"),
    Function("fail", (), ALL, fail, module="fail"),
    Function("spoil", (), ALL, spoil),
    Function(
        "reply",
        (Parameter("code", NumberKind()), Parameter("reason", TextKind(), True)),
        REQUEST,
        code,
        effect=Effect.REPLIES,
    ),
    Function("reply_as", (Parameter("code", TextKind()),), REQUEST, code, effect=Effect.REPLIES),
    Function("handle", (), ALL, code, effect=Effect.ANSWERS),
    Function("relay", (), ALL, code, effect=Effect.RELAYS),
    Function("begin", (), ALL, code, effect=Effect.BEGINS),
    Function("stop", (), ALL, code, effect=Effect.ENDS),
    Function("note", (), ALL, code, effect=Effect.NONE),
    Function("is_method", (Parameter("methods", TextKind()),), ALL, code, effect=Effect.TESTS_METHOD),
    Function("arm", (Parameter("route", TextKind()),), ALL, code, effect=Effect.NONE, arms=RouteKind.FAILURE),
    Function("search", (Parameter("expression", PatternKind()),), ALL, lambda run, pattern: 1),
)


def bind_var(inner: Inner, index: Index) -> Getter:
    return lambda run: run.variables.get(inner, 0)


def bind_var_setter(inner: Inner) -> Setter:
    def set_variable(run: FakeRun, value: Value, operator: str) -> bool:
        run.variables[str(inner)] = 0 if value is None else value
        return True

    return set_variable


def bind_avp(inner: Inner, index: Index) -> Getter:
    return lambda run: run.avps[0] if run.avps else None


def bind_avp_setter(inner: Inner) -> Setter:
    def set_avp(run: FakeRun, value: Value, operator: str) -> bool:
        if value is None:
            del run.avps[: 1 if operator == "=" else len(run.avps)]
        else:
            run.avps[:] = [value, *(run.avps if operator == "=" else [])]
        return True

    return set_avp


def bind_uri_setter(inner: Inner) -> Setter:
    def set_uri(run: FakeRun, value: Value, operator: str) -> bool:
        if not isinstance(value, str):
            return False
        run.uri = value
        return True

    return set_uri


def bind_header(inner: Inner, index: Index) -> Getter:
    def get(run: FakeRun) -> Value:
        name = inner(run) if callable(inner) else inner
        at = index(run) if callable(index) else index
        return None if name == "absent" else f"{name}#{at}"

    return get


def plain(name: str, get: Getter) -> PseudoVariableSpec:
    return PseudoVariableSpec(name, lambda inner, index: get)


PSEUDO_VARIABLES = (
    PseudoVariableSpec("var", bind_var, bind_var_setter, takes_inner=True),
    PseudoVariableSpec("avp", bind_avp, bind_avp_setter, takes_inner=True, takes_index=True),
    PseudoVariableSpec("hdr", bind_header, takes_inner=True, takes_index=True),
    PseudoVariableSpec("ru", lambda inner, index: lambda run: run.uri, bind_uri_setter),
    plain("rd", lambda run: "Example.com"),
    plain("rs", lambda run: 200),
    plain("sp", lambda run: Dual("5070", 5070)),
    plain("rp", lambda run: Dual("5060", 5060)),
    plain("rm", lambda run: Dual(run.method, 1)),
    plain("rU", lambda run: None),
    plain("empty", lambda run: ""),
    plain("rc", lambda run: run.rc),
    plain("retcode", lambda run: run.rc),
)

OPERANDS = (
    OperandSpec("method", "text", lambda run: run.method),
    OperandSpec(
        "uri", "text", lambda run: run.uri, lambda run: None if run.uri is None else "Example" in run.uri
    ),
    OperandSpec("status", "text", lambda run: "200"),
    OperandSpec("from_uri", "text", lambda run: None, lambda run: None),
    OperandSpec("src_ip", "address", lambda run: "10.1.2.3", lambda run: False),
    OperandSpec("dst_ip", "address", lambda run: "::1", lambda run: True),
    OperandSpec("src_port", "number", lambda run: 5070),
    OperandSpec("proto", "number", lambda run: 1, words={"udp": 1, "UDP": 1, "any": 0}),
    OperandSpec("af", "number", lambda run: 2, words={"inet": 2, "INET": 2, "INET6": 10}),
    OperandSpec("msg:len", "number", lambda run: 700, words={"max_len": 65535}),
)


def make_environment() -> Environment:
    return Environment(
        functions={item.name: item for item in FUNCTIONS},
        pseudo_variables={item.name: item for item in PSEUDO_VARIABLES},
        transformations=dict(TRANSFORMATIONS),
        operands={item.name: item for item in OPERANDS},
        not_loaded={"xlog": "xlog"},
        methods=("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "PUBLISH", "SUBSCRIBE"),
        unanswered=frozenset(("ACK", "CANCEL")),
        resolve=lambda host: ["10.1.2.3"] if host == "known.example.com" else [],
    )


class Lab:
    """Parses, compiles and runs scripts."""

    def __init__(self) -> None:
        self.environment = make_environment()

    def compile(self, text: str, file: str = "test.cfg") -> Program:
        return compile_script(parse(text, file).script, self.environment)

    def run(self, body: str, *others: str, **settings: Any) -> FakeRun:
        """Run `route { body }`; other blocks may follow. The result is in `result`."""
        program = self.compile("route {\n" + body + "\n}\n" + "\n".join(others))
        run = FakeRun(**settings)
        run.result = self.step(program, run)
        return run

    def step(
        self, program: Program, run: FakeRun, kind: RouteKind = RouteKind.REQUEST, name: str = "0"
    ) -> object:
        """Run one route, stepping it by hand if it waits."""
        route = program.routes[kind, name]
        result = route.function(run)
        if not route.is_async:
            return result
        while True:
            try:
                result.send(None)
            except StopIteration as end:
                return end.value

    def truth(self, condition: str, **settings: Any) -> str:
        """What an `if` makes of a condition: "true", "false", "error" or "stop"."""
        body = f'if ({condition}) {{ say("true"); }} else {{ say("false"); }}'
        run = self.run(body, **settings)
        if run.result is STOP:
            return "stop"
        return "error" if any("error in expression" in line for line in run.log) else run.said[0]


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def environment() -> Environment:
    return make_environment()
