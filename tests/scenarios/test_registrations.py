"""No acknowledged registration is lost at kill -9; and a write-back server writes what it has when it stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.outstanding import WINDOW
from tests.scenarios.registrations import Storm, kill_and_check, script_for, with_tables
from tests.scenarios.wire import Phone
from tests.servers import DIALECTS, Databases

KILLS = 2

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(120)]


@pytest.mark.parametrize("kind", list(DIALECTS))
@pytest.mark.parametrize("mode", [1, 3])
def test_kills_in_a_storm_lose_nothing(
    kind: str, mode: int, launch: Launch, databases: Databases, tmp_path: Path
) -> None:
    url = with_tables(databases, kind, tmp_path)
    storm = kill_and_check(launch(script_for(kind, url, mode)), KILLS)
    print(f"{storm.acknowledged} acknowledged, none lost")
    assert storm.acknowledged >= KILLS * WINDOW


@pytest.mark.parametrize("kind", list(DIALECTS))
def test_a_write_back_server_writes_all_when_it_stops(
    kind: str, launch: Launch, databases: Databases, tmp_path: Path
) -> None:
    url = with_tables(databases, kind, tmp_path)
    server = launch(script_for(kind, url, 2))
    with Phone(server.address) as phone:
        storm = Storm(phone, 1)
        storm.run(0.3)
        storm.cut()
        assert server.stop() == 0
        server.start()
        storm.check()
        assert storm.broken == []
        assert sum(len(user.bindings) for user in storm.users) > WINDOW / 2


def test_the_storm_finds_a_server_out_that_forgets(
    launch: Launch, databases: Databases, tmp_path: Path
) -> None:
    url = with_tables(databases, "sqlite", tmp_path)
    with pytest.raises(AssertionError, match="acknowledged was"):
        kill_and_check(launch(script_for("sqlite", url, 2)), 1)
