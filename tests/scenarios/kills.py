"""Kills at random moments with requests outstanding, and whether anything that was acknowledged is lost.

`python -m tests.scenarios.kills --rounds 1000 --database postgres` does what the tests do, for longer.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.scenarios.outstanding import strike
from tests.scenarios.process import ServerProcess
from tests.scenarios.shared import script_for, with_tables
from tests.scenarios.traffic import Traffic
from tests.scenarios.wire import Phone
from tests.servers import DIALECTS, Databases

WINDOW, BURST = 64, 48
"""Requests that are kept outstanding, and those sent at once right before the kill."""

OUTSTANDING = 32
"""How many requests must be without an answer when the kill strikes; a round with less does not count."""

DOUBLE = 4
"""Each so many kills are followed by another one while the server starts."""

SEED = 20071123


def strike_again(server: ServerProcess, moment: random.Random) -> None:
    """Start it and kill it while it reads what it had kept, or sooner."""
    server.begin()
    time.sleep(moment.uniform(0.1, 0.8))
    server.kill()


def kill_and_check(
    server: ServerProcess,
    kills: int,
    seed: int = SEED,
    progress: Callable[[int, Traffic], None] = lambda struck, traffic: None,
) -> None:
    """So many kills, each with requests outstanding, each `DOUBLE`th one twice; fails if a promise was broken."""
    moment = random.Random(seed)
    with Phone(server.address) as phone:
        traffic = Traffic(phone, seed)
        struck = 0
        for attempt in range(2 * kills):
            struck += strike(server, traffic, moment, window=WINDOW, burst=BURST) >= OUTSTANDING
            if attempt % DOUBLE == DOUBLE - 1:
                strike_again(server, moment)
            server.start()
            traffic.await_service()
            traffic.check()
            traffic.check_change()
            assert not traffic.broken, f"seed {seed}: {traffic.broken[:5]}"
            progress(struck, traffic)
            if struck == kills:
                break
        assert struck == kills
        traffic.check(everything=True)
        assert not traffic.broken, f"seed {seed}: {traffic.broken[:5]}"
    assert sum(bool(publication.etag) for publication in traffic.publications) > 10 * kills
    assert sum(watch.highest > 1 for watch in traffic.watches.values()) > kills


def main() -> None:
    """Kill for as long as is asked for."""
    parser = argparse.ArgumentParser(description="Kill a loaded server again and again.")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--database", choices=list(DIALECTS), default="sqlite")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()

    def progress(struck: int, traffic: Traffic) -> None:
        if struck % 10 == 0:
            kept = len(traffic.publications), len(traffic.watches)
            print(f"{struck} kills, {kept[0]} publications, {kept[1]} subscriptions, none lost", flush=True)

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="openpy-kills-")))
        databases = Databases()
        stack.callback(databases.drop)
        script = folder / "openser.cfg"
        script.write_text(script_for(options.database, with_tables(databases, options.database, folder)))
        server = ServerProcess(script).start()
        stack.callback(server.stop)
        kill_and_check(server, options.rounds, options.seed, progress)
    print(f"{options.rounds} kills on {options.database}: nothing that was acknowledged was lost")


if __name__ == "__main__":
    main()
