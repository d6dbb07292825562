from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import pytest

from openpy.script import codewriter
from openpy.script.binding import Binder
from openpy.script.codewriter import Unit
from openpy.script.environment import Environment
from openpy.script.syntax import Position


@pytest.fixture
def unit() -> Unit:
    return Unit(Binder(Environment()), {}, set(), None)


def test_one_object_has_one_name(unit: Unit) -> None:
    thing: list[int] = []
    assert ast.dump(unit.name(thing)) == ast.dump(unit.name(thing))
    assert ast.dump(unit.name([])) != ast.dump(unit.name([]))
    assert next(iter(unit.globals.values())) is thing


@pytest.mark.parametrize("value", [None, 5, -1, "text", True])
def test_plain_values_are_constants(unit: Unit, value: object) -> None:
    node = unit.constant(value)
    assert isinstance(node, ast.Constant)
    assert node.value is value
    assert unit.globals == {}


def test_other_values_are_bound(unit: Unit) -> None:
    assert isinstance(unit.constant((1, 2)), ast.Name)
    assert list(unit.globals.values()) == [(1, 2)]


def test_fresh_names_differ(unit: Unit) -> None:
    assert len({unit.fresh("t") for _ in range(10)}) == 10


def test_what_is_written_is_python() -> None:
    run = codewriter.load("run")
    body = [
        codewriter.set_attribute("rc", ast.Constant(3)),
        codewriter.store("x", codewriter.attribute("rc")),
        codewriter.when(codewriter.negated(codewriter.compare(run, ast.Is(), ast.Constant(None))), []),
        ast.Return(codewriter.call(codewriter.load("double"), codewriter.load("x"))),
    ]
    written = codewriter.function("f", body, is_async=False)
    assert ast.unparse(codewriter.place(written, Position("a.cfg", 7, 3, 9, 1))) == (
        "def f(run):\n    run.rc = 3\n    x = run.rc\n    if not run is None:\n        pass\n    return double(x)"
    )
    assert isinstance(codewriter.function("g", body, is_async=True), ast.AsyncFunctionDef)


def test_places_are_given_once() -> None:
    inner = codewriter.place(ast.Expr(ast.Constant(1)), Position("a.cfg", 3, 5, 3, 6))
    outer: Any = codewriter.place(codewriter.when(ast.Constant(1), [inner]), Position("a.cfg", 2, 1, 4, 2))
    assert (outer.lineno, outer.col_offset, outer.end_lineno, outer.end_col_offset) == (2, 0, 4, 1)
    assert (outer.test.lineno, outer.body[0].lineno, outer.body[0].value.col_offset) == (2, 3, 4)


def test_an_attribute_is_read_on_the_line_where_its_statement_begins() -> None:
    written: Any = codewriter.place(
        codewriter.set_attribute("rc", ast.Constant(1)), Position("a.cfg", 2, 3, 9, 1)
    )
    module = ast.Module(
        [codewriter.place(codewriter.function("f", [written], False), Position("a.cfg", 1, 1, 9, 1))], []
    )
    (code,) = [item for item in compile(module, "a.cfg", "exec").co_consts if hasattr(item, "co_lines")]
    assert {line for *_, line in code.co_lines() if line is not None} == {1, 2}


def test_what_has_no_line_is_never_come_to() -> None:
    test = codewriter.load("run")
    body = [
        codewriter.place(ast.Expr(codewriter.call(test)), Position("a.cfg", 5, 1, 5, 9)),
        codewriter.place(codewriter.when(test, [codewriter.store("x", ast.Constant(1))]), codewriter.NO_LINE),
        codewriter.place(ast.Expr(codewriter.call(test)), Position("a.cfg", 7, 1, 7, 9)),
    ]
    written = codewriter.place(codewriter.function("f", body, is_async=False), Position("a.cfg", 1, 1, 9, 1))
    scope: dict[str, Any] = {}
    exec(compile(ast.Module([written], []), "a.cfg", "exec"), scope)
    assert lines(lambda: scope["f"](int), scope["f"].__code__) == [5, 7]


def lines(play: Callable[[], object], code: CodeType) -> list[int]:
    """The lines of some code that are come to."""
    found: list[int] = []

    def local(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            found.append(frame.f_lineno)
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, event, argument: local if frame.f_code is code else None)
    try:
        play()
    finally:
        sys.settrace(before)
    return found
