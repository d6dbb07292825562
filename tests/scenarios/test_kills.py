"""Acknowledged means kept: fifty kills with requests outstanding, and what a careless server would lose."""

from __future__ import annotations

import random
from pathlib import Path
from typing import ClassVar

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.kills import BURST, SEED, WINDOW, kill_and_check
from tests.scenarios.outstanding import strike
from tests.scenarios.shared import script_for, with_tables
from tests.scenarios.traffic import Traffic
from tests.scenarios.wire import Phone
from tests.servers import Databases

pytestmark = [pytest.mark.scenario, pytest.mark.long, pytest.mark.timeout(300)]


class FiftyKills:
    """A class for each database, so that they may be killed at the same time."""

    kind: ClassVar[str]

    def test_fifty_kills_lose_nothing_that_was_acknowledged(
        self, launch: Launch, databases: Databases, tmp_path: Path
    ) -> None:
        url = with_tables(databases, self.kind, tmp_path)
        kill_and_check(launch(script_for(self.kind, url)), 50)


class TestSqlite(FiftyKills):
    kind = "sqlite"


class TestMysql(FiftyKills):
    kind = "mysql"


class TestPostgres(FiftyKills):
    kind = "postgres"


def test_a_server_that_answers_before_the_commit_is_found_out(launch: Launch) -> None:
    server = launch(program=("-m", "tests.scenarios.careless"))
    moment = random.Random(SEED)
    with Phone(server.address) as phone:
        traffic = Traffic(phone, SEED)
        for _ in range(3):
            strike(server, traffic, moment, window=WINDOW, burst=BURST)
            server.start()
            traffic.await_service()
            traffic.check()
        assert any("is gone" in loss for loss in traffic.broken)
