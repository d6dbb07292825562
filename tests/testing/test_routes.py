"""Hearing of routes."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.run import Run
from openpy.script.compiler import CompiledRoute, Program
from openpy.script.stopping import STOP
from openpy.testing.routes import Left, label, observe, scope_of
from tests.engine.kit import Bench, request

TEXT = """
loadmodule "tm.so"
loadmodule "sl.so"
route { route(1); route(relay); setflag(2); }
route[1] { return(7); }
route[relay] { if (method == "INVITE") t_relay(); else exit; }
onreply_route { drop; }
"""


@pytest.fixture
def heard() -> list[tuple[str, object]]:
    return []


def observed(program: Program, heard: list[tuple[str, object]]) -> None:
    def entered(route: CompiledRoute, run: Run) -> Left:
        heard.append((label(route), run.message.raw[:7].decode()))
        return lambda result: heard.append((label(route), result))

    observe(program, entered)


def test_each_route_is_heard_of_when_it_is_entered_and_left(
    tmp_path: Path, heard: list[tuple[str, object]]
) -> None:
    with Bench(tmp_path, script=TEXT) as bench:
        assert bench.server.loaded is not None
        program = bench.server.loaded.program
        observed(program, heard)
        bench.receive(request("OPTIONS"))
        assert "route" not in [name for name, _ in heard], "whoever runs the program was not told"
        heard.clear()
        bench.server.dispatcher.use(program)
        bench.receive(request("OPTIONS", branch="z9hG4bK2"))
    assert heard == [
        ("route", "OPTIONS"),
        ("route[1]", "OPTIONS"),
        ("route[1]", 7),
        ("route[relay]", "OPTIONS"),
        ("route[relay]", STOP),
        ("route", STOP),
    ]


def test_routes_that_wait_are_heard_of_too(tmp_path: Path, heard: list[tuple[str, object]]) -> None:
    with Bench(tmp_path, script=TEXT) as bench:
        assert bench.server.loaded is not None
        program = bench.server.loaded.program
        observed(program, heard)
        bench.server.dispatcher.use(program)
        bench.receive(request("INVITE", "sip:bob@192.0.2.9;transport=tcp"))
        assert heard[-1] == ("route[relay]", "INVITE ")
        ((flow, wait),) = bench.server.connecting
        wait.resolve(flow)
        assert heard[-2:] == [("route[relay]", 1), ("route", 1)]


def test_all_routes_share_one_scope(tmp_path: Path, heard: list[tuple[str, object]]) -> None:
    with Bench(tmp_path, script=TEXT) as bench:
        assert bench.server.loaded is not None
        program = bench.server.loaded.program
        observed(program, heard)
        assert len({id(scope_of(route)) for route in program.routes.values()}) == 1
        assert [label(route) for route in program.routes.values()] == [
            "route",
            "route[1]",
            "route[relay]",
            "onreply_route",
        ]
