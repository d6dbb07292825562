"""Acknowledged means kept: fifty kills with requests outstanding, and what a careless server would lose."""

from __future__ import annotations

import random
import time

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.traffic import Traffic
from tests.scenarios.wire import Phone, ServerProcess

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(300)]

KILLS = 50
OUTSTANDING = 32
"""How many requests must be without an answer when the kill strikes; a round with less does not count."""

SEED = 20071123


def strike(server: ServerProcess, traffic: Traffic, moment: random.Random) -> int:
    """Load the server, kill it at a random moment; how many requests were outstanding."""
    traffic.run(moment.uniform(0.02, 0.15), window=64)
    traffic.burst(48)
    time.sleep(moment.uniform(0, 0.003))
    server.kill()
    return traffic.cut()


def test_fifty_kills_lose_nothing_that_was_acknowledged(launch: Launch) -> None:
    server = launch()
    moment = random.Random(SEED)
    with Phone(server.address) as phone:
        traffic = Traffic(phone, SEED)
        struck = 0
        for _ in range(KILLS + 10):
            struck += strike(server, traffic, moment) >= OUTSTANDING
            server.start()
            traffic.check()
            assert traffic.broken == []
            if struck == KILLS:
                break
        assert struck == KILLS
        traffic.check(everything=True)
        assert traffic.broken == []
    assert sum(bool(publication.etag) for publication in traffic.publications) > 10 * KILLS
    assert sum(watch.highest > 1 for watch in traffic.watches.values()) > KILLS


def test_a_server_that_answers_before_the_commit_is_found_out(launch: Launch) -> None:
    server = launch(program=("-m", "tests.scenarios.careless"))
    moment = random.Random(SEED)
    with Phone(server.address) as phone:
        traffic = Traffic(phone, SEED)
        for _ in range(3):
            strike(server, traffic, moment)
            server.start()
            traffic.check()
        assert any("is gone" in loss for loss in traffic.broken)
