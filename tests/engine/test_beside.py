from __future__ import annotations

import os
import threading
import time
import weakref
from pathlib import Path

import pytest

from openpy.engine import beside
from openpy.engine.beside import Abandoned, Breath, Prepared, Source, Unusable, prepare, rendered
from openpy.engine.config import CoreConfig
from openpy.script.diagnostics import error, warning
from openpy.script.rules.text import SKIPPED_CHARACTER, UNEXPECTED
from openpy.script.syntax import Position
from tests.engine.kit import Bench

HEAD = 'loadmodule "sl.so"\nloadmodule "tm.so"\nloadmodule "maxfwd.so"\nloadmodule "textops.so"\nloadmodule "xlog.so"\n'


def prepared(bench: Bench, text: str) -> Prepared | Unusable:
    assert bench.server.loaded is not None
    path = Path(bench.server.loaded.script.file)
    path.write_text(text)
    source = Source(path, os.getcwd(), (), (), CoreConfig())
    return prepare(bench.server, source, bench.server.loaded.script)


def test_what_is_prepared_calls_the_modules_that_run_and_changes_nothing(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        server = bench.server
        before = dict(server.modules)
        level, loaded = server.log.level, server.loaded
        text = f'debug=1\n{HEAD}loadmodule "gflags.so"\nmodparam("gflags", "initial", 5)\nroute {{ set_gflag("1"); }}'
        found = prepared(bench, text)
        assert isinstance(found, Prepared)
        assert [str(change) for change in found.changes] == ["route is changed (line 9)"]
        assert found.loaded.modules["sl"] is server.modules["sl"] is not found.configured["sl"]
        new = found.loaded.modules["gflags"]
        assert new is not found.configured["gflags"]
        assert (new.initial, new.services) == (5, server)  # type: ignore[attr-defined]
        assert found.loaded.program.scope
        assert (server.modules, server.log.level, server.loaded) == (before, level, loaded)


def test_what_is_thrown_away_is_freed(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        found = prepared(bench, HEAD + "route { exit; }")
        assert isinstance(found, Prepared)
        module = weakref.ref(found.configured["tm"])
        found.discard()
        assert module() is None
        assert found.configured == {}


def test_a_bad_script_is_rendered(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        found = prepared(bench, HEAD + "route { nothing(); }")
        assert isinstance(found, Unusable)
        assert found.reason == f"{tmp_path}/test.cfg has 1 error"
        assert found.found[1] == "    route { nothing(); }"
        found = prepared(bench, HEAD + 'route { force_send_socket("udp:192.0.2.7:5060"); }')
        assert isinstance(found, Unusable)
        assert "the server doesn't listen on udp:192.0.2.7:5060" in found.found[0]


def test_what_a_module_raises_is_told_and_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openpy.modules.sl.module.Sl.check", lambda self: 1 / 0, raising=False)
    with Bench(tmp_path, script=HEAD.replace('loadmodule "sl.so"', "") + "route { exit; }") as bench:
        found = prepared(bench, HEAD + "route { exit; }")
        assert found == Unusable("ZeroDivisionError: division by zero")
        assert "ZeroDivisionError" in bench.log[-1]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        assert bench.server.loaded is not None
        source = Source(tmp_path / "none.cfg", os.getcwd(), (), (), CoreConfig())
        found = prepare(bench.server, source, bench.server.loaded.script)
        assert found == Unusable(f"{tmp_path}/none.cfg: No such file or directory")


def test_a_path_is_that_of_the_folder_in_which_it_was_named() -> None:
    source = Source(Path("openser.cfg"), "/etc/openser", (), (), CoreConfig())
    assert source.place == Path("/etc/openser/openser.cfg")
    assert Source(Path("openser.cfg"), os.getcwd(), (), (), CoreConfig()).place == Path("openser.cfg")
    assert Source(Path("/x/openser.cfg"), "/y", (), (), CoreConfig()).place == Path("/x/openser.cfg")


def test_diagnostics_of_several_files_are_rendered_and_not_too_many(tmp_path: Path) -> None:
    one = tmp_path / "one.cfg"
    one.write_text("route { x; }\n")
    places = [Position(str(one), 1, 9, 1, 10), Position("gone.cfg", 3, 1, 3, 2)]
    assert rendered(
        [error(UNEXPECTED, places[0], "bad"), warning(SKIPPED_CHARACTER, places[1], "odd", "a hint")]
    ) == [
        f"{one}:1:9: error[E101]: bad",
        "    route { x; }",
        "            ^",
        f"gone.cfg:3:1: warning[{SKIPPED_CHARACTER.code}]: odd",
        "    a hint",
    ]
    many = rendered([error(UNEXPECTED, places[1], "bad")] * (beside.LISTED + 3))
    assert len(many) == beside.LISTED + 1
    assert many[-1] == "... and 3 more"


@pytest.mark.pure
def test_others_get_most_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a thread works for long, the interpreter is free for two thirds of the time and more."""
    slept: list[float] = []
    now = [100.0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(time, "sleep", sleep)
    rest = Breath(lambda: now[0], lambda: now[0] > 200)
    worked = 0.0
    for _ in range(1000):
        now[0] += 0.0001
        worked += 0.0001
        rest()
    assert sum(slept) / (worked + sum(slept)) > 0.6
    assert len(slept) == pytest.approx(worked / beside.WORK, rel=0.2)
    now[0] = 201.0
    with pytest.raises(Abandoned):
        rest()


def test_a_server_that_stops_does_not_wait_for_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "WORK", 0.0)
    with Bench(tmp_path) as bench:
        bench.server.dispatcher.draining = True
        assert prepared(bench, HEAD + "route { exit; }") == Unusable("the server stops")


def test_it_works_in_any_thread(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        results: list[Prepared | Unusable] = []
        thread = threading.Thread(target=lambda: results.append(prepared(bench, HEAD + "route { exit; }")))
        thread.start()
        thread.join()
        assert isinstance(results[0], Prepared)
