"""A hundred thousand subscriptions are loaded, and run out within one second: nobody else has to wait.

The server's turns are measured in CPU time, since a loaded machine makes everything late.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count, cycle
from pathlib import Path

import pytest

from bench.generator import Generator, Step
from bench.measurement import percentile
from bench.messages import Presentity, Sender
from bench.steps import options, publish
from tests.scenarios.process import ServerProcess
from tests.scenarios.scripts import DATABASE, presence_script
from tests.work.stored import store_subscriptions

SOAK = bool(os.environ.get("OPENPY_SOAK"))
STORED = 100_000 if SOAK else 30_000
LEAD = 40.0 if SOAK else 15.0  # seconds until the first expires: the server has started and loaded by then
RATE = 50.0  # requests a second ...
USERS = 200  # ... of so many
LONGEST = 50  # milliseconds of a turn
FIRST = 2.0  # seconds until the first answer
LOADED = 10.0  # seconds until everything is
LOADED_MACHINE = 20  # so many times later than promised answers may come where others work beside it


def requests(sender: Sender) -> Iterator[Step]:
    """OPTIONS and PUBLISH in turn, the latter of many users: nobody publishes before he was answered."""
    users = cycle([Presentity(sender, f"user{number}") for number in range(USERS)])
    for number in count():
        yield publish(next(users)) if number % 2 else options(sender, number)


@pytest.mark.timeout(120)
def test_many_that_expire_at_once_make_nobody_wait(tmp_path: Path) -> None:
    script = tmp_path / "openser.cfg"
    script.write_text(presence_script())
    server = ServerProcess(script, listen=("udp",), program=("-m", "tests.scenarios.measured"))
    with Generator(server.address) as generator, ending(server):
        sender = Sender(*generator.address, "many")
        alice = Presentity(sender, "alice")
        expires = time.time() + LEAD
        store_subscriptions(tmp_path / DATABASE, STORED, expires=expires, spread=1, contact=sender.host)
        began = time.monotonic()
        server.start()
        generator.play(iter([options(sender, 0)]), 1, 10)
        first = time.monotonic() - began
        while generator.play(iter([publish(alice)]), 1, 10).errors:
            assert time.time() < expires, "it is not loaded when the first expires: this machine is too slow"
        loaded = time.monotonic() - began
        assert server.statistics()["presence:subscriptions"] == STORED
        tally = generator.pace(requests(sender), RATE, expires + 5.0 - time.time())
        assert generator.await_notifies(STORED, 60.0) == 0
        told = server.statistics()
    p99 = percentile(tally.latencies, 99)
    longest = told.get("core:loop_longest_turn", 0)
    print(
        f"first answer {first:.2f} s, loaded {loaded:.2f} s; answers p99 {p99 * 1000:.1f} ms, "
        f"max {max(tally.latencies) * 1000:.1f} ms; longest turn {longest} ms"
    )
    assert not tally.errors, tally.refused
    assert "presence:subscriptions" not in told
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database:
        assert database.execute("SELECT count(*) FROM active_watchers").fetchone() == (0,)
    assert longest <= LONGEST
    assert first < FIRST * (1 if SOAK else LOADED_MACHINE)
    assert loaded < LOADED * (1 if SOAK else LOADED_MACHINE)
    assert p99 < LONGEST / 1000 * (1 if SOAK else LOADED_MACHINE)


@contextmanager
def ending(server: ServerProcess) -> Iterator[None]:
    """Stop the server in the end, whatever happened."""
    try:
        yield
        assert server.stop() == 0
    finally:
        if server.running:
            server.kill()
