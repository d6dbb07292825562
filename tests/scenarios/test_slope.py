"""At full rate for long, a server's memory follows what it keeps and not what it has done.

Every round ends all that it began. Before and after the measured time the load pauses until the last finished
transaction is gone, so that two equal states are compared: by the Python objects that live, and by what the C allocator
has given out. What it holds free (resident memory) goes up and down by some MiB.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from bench.generator import Generator, Step
from tests.scenarios.conftest import Launch
from tests.scenarios.lives import lives
from tests.scenarios.rest import FEW, MIB, at_rest
from tests.scenarios.scripts import QUICK, presence_script

SOAK = bool(os.environ.get("OPENPY_SOAK"))
SECONDS = 600 if SOAK else 30
WINDOW = 32
WARM_UP = 120 if SOAK else 10  # seconds: pools and caches reach their size

MILLION = 1_000_000
SLOPE = 1.0  # MiB for a million requests
BLOCK = 64  # bytes; most of what could leak is larger
LITTLE = 2.0  # MiB: what is still being filled after the warm-up of the short form; 0.2 later


@pytest.mark.long
@pytest.mark.timeout(SECONDS + WARM_UP + 60)
def test_memory_does_not_grow_with_the_requests_that_were_served(launch: Launch) -> None:
    server = launch(presence_script(QUICK))
    with Generator(server.address) as generator:
        steps = lives(generator.address)
        _play(generator, steps, WARM_UP)
        before = at_rest(server)
        served = _play(generator, steps, SECONDS)
        after = at_rest(server)
    objects = after.objects - before.objects
    allocated = after.allocated - before.allocated
    grown = objects * BLOCK / MIB + allocated
    slope = grown * MILLION / served
    print(
        f"{served} requests: {objects:+} objects, {allocated:+.2f} MiB allocated: {slope:+.3f} MiB a million"
    )
    print(f"resident {before.resident:.1f} MiB before, {after.resident:.1f} MiB after")
    assert slope < SLOPE or (objects < FEW and allocated < LITTLE)


def _play(generator: Generator, steps: Iterator[Step], seconds: float) -> int:
    tally = generator.play(steps, WINDOW, seconds)
    assert tally.errors <= tally.succeeded // 1000, tally.refused
    return tally.succeeded
