"""The seeds of every run of the tests: the whole server in virtual time, with faults by chance."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from openpy.testing.network import Weather
from tests.simulation.faults import KINDS
from tests.simulation.simulation import simulate

BLOCK = 25
BLOCKS = 5 if os.environ.get("OPENPY_COMPILED") == "1" else 20
"""500 seeds; 125 of them on the compiled build, where nothing is ordered differently."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_promise_is_kept(block: int, tmp_path: Path) -> None:
    first = block * BLOCK + 1
    broken = [
        str(result) for seed in range(first, first + BLOCK) if (result := simulate(seed, tmp_path)).broken
    ]
    assert not broken, "\n\n".join(broken)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("loss", [0.01, 0.1, 0.3])
def test_transactions_end_right_on_a_lossy_network(loss: float, tmp_path: Path) -> None:
    weather = Weather(delay=0.02, loss=loss, doubled=0.1, reordered=0.2)
    ends: Counter[int] = Counter()
    for seed in range(1, 31):
        result = simulate(seed, tmp_path, (), weather)
        assert not result.broken, str(result)
        ends += result.ends
    assert ends.total() > 3000
    assert ends[408] <= (0.001 * ends.total() if loss == 0.3 else 0), ends


@pytest.mark.timeout(300)
def test_every_kind_of_fault_is_survived_alone(tmp_path: Path) -> None:
    for seed, kind in enumerate(KINDS, 1000):
        result = simulate(seed, tmp_path, (kind,))
        assert not result.broken, str(result)
        assert result.ends[200] > 10


def test_a_seed_tells_the_same_story_byte_for_byte(root: Path) -> None:
    def story(seed: int, hash_seed: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", str(seed)],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout

    told = [story(7, "1"), story(7, "2"), story(8, "1")]
    assert told[0] == told[1] != told[2]
    assert b"every promise was kept" in told[0]
    assert len(told[0]) > 10_000
