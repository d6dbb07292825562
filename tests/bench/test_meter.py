from __future__ import annotations

import subprocess
import sys
import time

from bench.meter import Meter, family


def test_work_is_seen() -> None:
    # A process of its own: threads and children that end while it is read would take their work along.
    work = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    command = [sys.executable, "-c", work]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert Meter(process.pid).cpu() >= 190_000
        process.communicate(b"\n")


def test_children_are_counted() -> None:
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE) as process:
        until = time.monotonic() + 10
        while len(list(family(process.pid))) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        assert len(list(family(process.pid))) == 2
        assert Meter(process.pid).memory() > 1
        process.communicate(b"\n")


def test_a_process_that_ended_used_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert Meter(process.pid).cpu() == 0
    assert Meter(process.pid).memory() == 0
