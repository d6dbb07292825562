from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.sampler import OTHER_THREADS, Calls, Sampling, Switch

PROGRAM = """
import time
def busy():
    until = time.process_time() + 0.02
    while time.process_time() < until: pass
while True:
    busy()
"""


@pytest.mark.parametrize("method", ["sample", "calls"])
def test_a_running_program_is_profiled(method: str, tmp_path: Path, root: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    path = tmp_path / "profile.json"
    command = [sys.executable, "-m", "bench.sampler", str(path), method, "-m", "program", "argument"]
    environment = {**os.environ, "PYTHONPATH": f"{root}:{tmp_path}"}
    with subprocess.Popen(command, env=environment) as process:
        try:
            time.sleep(1)
            process.send_signal(signal.SIGUSR2)
            time.sleep(0.5)
            process.send_signal(signal.SIGUSR2)
            until = time.monotonic() + 10
            while not path.exists() and time.monotonic() < until:
                time.sleep(0.02)
        finally:
            process.kill()
    found = {one["function"]: one for one in json.loads(path.read_text())}
    assert found["busy"]["total"] > 0.1
    assert (found["busy"]["calls"] > 0) == (method == "calls")


def test_sampling_tells_threads_apart() -> None:
    sampling = Sampling()
    sampling.start()
    until = time.thread_time() + 0.1
    while time.thread_time() < until:
        pass
    found = {one.function: one for one in sampling.stop()}
    here = found["test_sampling_tells_threads_apart"]
    assert 0.05 < here.itself <= here.total < 0.3
    assert found[OTHER_THREADS].itself < here.itself


def test_the_switch_starts_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    switch = Switch(path, Calls)
    for argument in ("first", "second"):
        switch.turn()
        argument.title()
        switch.turn()
        titles = [one["calls"] for one in json.loads(path.read_text()) if "title" in one["function"]]
        assert titles == [1]
