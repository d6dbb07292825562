"""Sections 1.2 and 1.4 of the presence module's documentation: needs, where functions run, what they return."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from openpy.cli.openpy import main
from tests.scenarios.conftest import launcher
from tests.scenarios.wire import Phone, pidf
from tests.seed.examples import script, write

ALICE = "sip:alice@example.org"

CALLS = """
route {
	if (is_method("PUBLISH")) {
		if (handle_publish())
			xlog("L_ERR", "PUBLISH gave $rc\\n");
		else
			xlog("L_ERR", "PUBLISH gave $rc\\n");
	} else {
		if (handle_subscribe())
			xlog("L_ERR", "SUBSCRIBE gave $rc\\n");
		else
			xlog("L_ERR", "SUBSCRIBE gave $rc\\n");
	}
}
"""


@pytest.mark.parametrize("module", ["sl", "tm"])
def test_1_2_what_it_needs_is_named(module: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = script().replace(f'loadmodule "{module}.so"\n', "")
    assert main(["-c", "-f", str(write(tmp_path, text))]) == 255
    assert f'loadmodule "{module}.so"' in capsys.readouterr().err


@pytest.mark.parametrize("call", ['handle_publish("$hdr(Sender)")', "handle_publish()", "handle_subscribe()"])
@pytest.mark.parametrize("route", ["failure_route[1]", "onreply_route[1]", "branch_route[1]"])
def test_1_4_functions_are_for_request_routes(
    call: str, route: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-c", "-f", str(write(tmp_path, script() + f"{route} {{\n\t{call};\n}}\n"))]) == 255
    assert call.partition("(")[0] in capsys.readouterr().err


@pytest.mark.scenario
def test_1_4_functions_return_1_or_minus_1_and_always_answer(tmp_path: Path) -> None:
    declarations = script().partition("\nroute {")[0]
    text = declarations.replace('loadmodule "tm.so"', 'loadmodule "tm.so"\nloadmodule "xlog.so"') + CALLS
    with ExitStack() as stack:
        server = launcher(tmp_path, stack)(text)
        phone = stack.enter_context(Phone(server.address))
        assert phone.publish(ALICE, pidf()).status == 200
        assert phone.publish(ALICE, etag="unknown").status == 412
        phone.watch(ALICE)
        assert phone.subscribe(ALICE, event="weather")[1].status == 489
        assert server.stop() == 0
        told = [line.rpartition(": ")[2] for line in server.log.read_text().splitlines() if " gave " in line]
    assert told == ["PUBLISH gave 1", "PUBLISH gave -1", "SUBSCRIBE gave 1", "SUBSCRIBE gave -1"]
