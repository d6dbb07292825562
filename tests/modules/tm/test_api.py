from __future__ import annotations

from pathlib import Path

from openpy.engine.run import Run
from openpy.modules.tm.api import TmApi, context_of, status_of
from openpy.script.syntax import RouteKind
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, request
from tests.modules.tm.forking import Call, branches


def api_of(bench: Bench) -> TmApi:
    module = bench.server.module("tm")
    assert module is not None
    found = module.bind()
    assert isinstance(found, TmApi)
    return found


def test_what_has_failed(tmp_path: Path) -> None:
    more = 'failure_route[1] { t_reply("480", "Later"); }'
    with Call(tmp_path, f't_on_failure("1"); {branches(1, 2)} t_relay();', more=more) as call:
        api = api_of(call.bench)
        seen: list[tuple[int, list[int]]] = []

        def look(run: Run, status: int, reason: str) -> int:
            winner = api.winner(run)
            assert winner is not None
            assert status_of(run) == winner.status
            seen.append((winner.status, [branch.status for branch in api.failed(run)]))
            return 1

        loaded = call.bench.server.loaded
        assert loaded is not None
        route = loaded.program.route(RouteKind.FAILURE, "1")
        assert route is not None
        known = route.function.__globals__
        (name,) = (key for key, value in known.items() if getattr(value, "__name__", "") == "t_reply")
        known[name] = look
        call.answer(1, 486)
        call.answer(2, 302)
        assert seen == [(302, [486, 302])]


def test_outside_of_a_failure_route_nothing_has(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = Run(bench.server, parse_message(request()), bench.phone())
        api = api_of(bench)
        assert api.winner(run) is None
        assert list(api.failed(run)) == []
        assert context_of(run) is None
        assert status_of(run) == 0
        assert not api.cancel("x", 1)
