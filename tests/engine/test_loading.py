from __future__ import annotations

from pathlib import Path

from openpy.engine.config import CoreConfig
from openpy.engine.loading import Loading, Standing
from openpy.engine.server import Server
from openpy.script.diagnostics import error
from openpy.script.environment import rest_never
from openpy.script.rules import settings
from openpy.script.syntax import Position


def test_what_is_found_is_kept_in_its_order() -> None:
    loading = Loading(Server(), CoreConfig(), {}, {}, None, Path(), is_whole=True)
    first, second = (
        error(settings.MODULE_NEEDED, Position("a.cfg", line, 1, line, 2), "text") for line in (1, 2)
    )
    for found in (first, None, second):
        loading.note(found)
    assert loading.found == [first, second]


def test_only_a_server_that_runs_has_something_better_to_do() -> None:
    server, rested = Server(), []
    assert Loading(server, CoreConfig(), {}, {}, None, Path(), is_whole=True).rest is rest_never
    standing = Standing(server, {}, None, lambda: rested.append(1))
    Loading(server, CoreConfig(), {}, {}, standing, Path(), is_whole=True).rest()
    assert rested == [1]
