"""A database that takes 200 ms for each answer: requests are delayed, and not lost; the rest does not wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bench import steps
from bench.messages import Presentity, Watcher
from openpy.db.dialect import Dialect
from openpy.db.url import DatabaseUrl
from openpy.testing.world import World
from tests.faults.trial import Phones, Trial
from tests.gate import Gate
from tests.scenarios.shared import with_tables
from tests.servers import DIALECTS, SERVERS, Databases, databases
from tests.simulation.process import SCRIPT

__all__ = ["databases"]

SLOW = 0.2
"""Seconds."""


@dataclass(frozen=True)
class Gated:
    """A real database behind a gate."""

    url: DatabaseUrl
    dialect: Dialect


def test_the_script_answers_at_once_and_requests_later(tmp_path: Path) -> None:
    trial = Trial(tmp_path)
    with closing(trial):
        trial.database.trouble.latency = SLOW
        publications = [steps.publish(Presentity(trial.sender, f"u{number}")) for number in range(50)]
        for publication in publications:
            trial.send(publication)
        for number in range(200):
            option = steps.options(trial.sender, number)
            trial.send(option)
            trial.pass_time(0.009)
            assert trial.status(option) == 200
        trial.pass_time(2.0)
        assert [trial.status(publication) for publication in publications] == [200] * 50
        trial.pass_time(2.0)
        trial.check()


@pytest.fixture(params=list(SERVERS))
def gate_and_database(
    request: pytest.FixtureRequest, databases: Databases, tmp_path: Path
) -> Iterator[tuple[Gate, Gated]]:
    url = with_tables(databases, request.param, tmp_path)
    assert url.port is not None
    gate = Gate((url.host, url.port))
    yield gate, Gated(replace(url, port=gate.port), DIALECTS[request.param])
    gate.close()


@pytest.mark.timeout(120)
def test_no_driver_takes_slow_for_gone(gate_and_database: tuple[Gate, Gated], tmp_path: Path) -> None:
    """Neither in a transaction, nor when it connects anew."""
    gate, database = gate_and_database
    phones = Phones(World(0), tmp_path, database, SCRIPT)
    with closing(phones):
        alice = Presentity(phones.sender, "alice")
        bob = Watcher(phones.sender, "bob", alice)
        gate.slow_down(SLOW)
        assert phones.ask(steps.publish(alice), steps.subscribe(bob)) == [200, 200]
        assert phones.ask(steps.refresh(alice)) == [200]
        gate.shut()
        assert phones.ask(steps.refresh(alice)) == [503]
        gate.open()
        phones.pass_time(2.0)
        assert phones.ask(steps.refresh(alice), steps.unsubscribe(bob)) == [200, 200]
