"""Kills at random moments with requests outstanding, and whether anything that was acknowledged is lost."""

from __future__ import annotations

import random
import time

from tests.scenarios.traffic import Traffic
from tests.scenarios.wire import Phone, ServerProcess

OUTSTANDING = 32
"""How many requests must be without an answer when the kill strikes; a round with less does not count."""

SEED = 20071123


def strike(server: ServerProcess, traffic: Traffic, moment: random.Random) -> int:
    """Load the server, kill it at a random moment; how many requests were outstanding."""
    traffic.run(moment.uniform(0.02, 0.08), window=64)
    traffic.burst(48)
    time.sleep(moment.uniform(0, 0.002))
    server.kill()
    return traffic.cut()


def kill_and_check(server: ServerProcess, kills: int) -> None:
    """So many kills, each with requests outstanding; fails if a promise was broken."""
    moment = random.Random(SEED)
    with Phone(server.address) as phone:
        traffic = Traffic(phone, SEED)
        struck = 0
        for _ in range(2 * kills):
            struck += strike(server, traffic, moment) >= OUTSTANDING
            server.start()
            traffic.check()
            assert traffic.broken == []
            if struck == kills:
                break
        assert struck == kills
        traffic.check(everything=True)
        assert traffic.broken == []
    assert sum(bool(publication.etag) for publication in traffic.publications) > 10 * kills
    assert sum(watch.highest > 1 for watch in traffic.watches.values()) > kills
