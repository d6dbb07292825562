from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openpy.engine.routes import perform, route_named
from openpy.engine.run import Run
from openpy.script.syntax import RouteKind
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, request

MORE = 'failure_route[1] { xlog("here"); }'


def run_of(bench: Bench) -> Run:
    run = Run(bench.server, parse_message(request()), bench.phone())
    assert bench.server.loaded is not None
    run.program = bench.server.loaded.program
    return run


def test_a_route_is_found_by_its_name(tmp_path: Path) -> None:
    with Bench(tmp_path, more=MORE) as bench:
        run = run_of(bench)
        found = route_named(run, RouteKind.FAILURE, "1")
        assert found is not None
        assert (found.kind, found.name) == (RouteKind.FAILURE, "1")
        assert route_named(run, RouteKind.FAILURE, "0") is None
        assert bench.log == []
        assert route_named(run, RouteKind.FAILURE, "2") is None
        assert bench.log == ["WARNING:script: there is no failure_route[2]"]


async def _waits(run: Run) -> int:
    await asyncio.sleep(0)
    run.flags_seen = 1  # type: ignore[attr-defined] # a slot that is not there
    return 1


def _fails(run: Run) -> int:
    raise ZeroDivisionError


def test_a_route_runs(tmp_path: Path) -> None:
    with Bench(tmp_path, more=MORE) as bench:
        route = route_named(run_of(bench), RouteKind.FAILURE, "1")
        assert route is not None
        asyncio.run(perform(route, run_of(bench)))
        assert list(bench.printed()) == ["here"]


@pytest.mark.parametrize(
    ("function", "is_async", "told"), [(_fails, False, "ZeroDivisionError"), (_waits, True, "AttributeError")]
)
def test_an_error_ends_the_route_and_is_told(
    tmp_path: Path, function: Callable[[Any], Any], is_async: bool, told: str
) -> None:
    with Bench(tmp_path, more=MORE) as bench:
        route = route_named(run_of(bench), RouteKind.FAILURE, "1")
        assert route is not None
        asyncio.run(perform(replace(route, function=function, is_async=is_async), run_of(bench)))
        assert any(told in line for line in bench.log)
