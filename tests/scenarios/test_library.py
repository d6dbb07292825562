"""presence without a database: it serves nothing itself, and other modules can use it (D12)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.process import ROOT
from tests.scenarios.wire import Phone

pytestmark = pytest.mark.scenario

HEAD = """\
mpath="{folder}"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "presence.so"
"""

LIBRARY = """\
loadmodule "own.so"
route { sl_send_reply("200", "OK"); }
"""

OWN_MODULE = '''
from openpy.engine.module import Module
from openpy.modules.presence.api import EventPackage, PresenceApi

class Own(Module):
    """A module of a user's own that uses presence."""

    name = "own"
    needs = ("presence",)

    def check(self) -> None:
        """Register an event."""
        api = self.services.module("presence").bind()
        assert isinstance(api, PresenceApi)
        api.add_event(EventPackage("weather", "text/plain"))
        self.services.log.notice("own", f"events: {api.get_event_list()}")
'''


def test_d12_its_functions_are_refused_and_the_line_to_add_is_named(tmp_path: Path) -> None:
    script = HEAD.format(folder=tmp_path) + "route {\n\thandle_publish();\n\thandle_subscribe();\n}\n"
    (tmp_path / "openser.cfg").write_text(script)
    done = subprocess.run(
        [sys.executable, "-m", "openpy", "-c", "-f", "openser.cfg"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 255
    for line, function in ((6, "handle_publish"), (7, "handle_subscribe")):
        assert f"openser.cfg:{line}:2: error[E506]: {function}() cannot be used" in done.stderr
    assert done.stderr.count('add: modparam("presence", "db_url", ') == 2


def test_d12_it_runs_without_tables_and_others_use_it(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN_MODULE)
    server = launch("debug=3\nlog_stderror=yes\n" + HEAD.format(folder=tmp_path) + LIBRARY)
    with Phone(server.address) as phone:
        assert phone.options().status == 200
    server.await_log("own: events: weather\n")
    assert sorted(path.suffix for path in tmp_path.iterdir() if path.is_file()) == [".cfg", ".log", ".py"]
