"""What a server holds while nothing happens: two equal states can be compared."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from tests.scenarios.process import ServerProcess

MIB = 1 << 20
FEW = 5_000  # objects: caches that fill up to their bound while it runs; two equal states differ by 3,000
QUIET = 15.0  # seconds, at most, until the last finished transaction is gone (3.2 s with `QUICK`)
FORGOTTEN = 6.5  # seconds until nothing is known of requests that might have come by two ways (twice as long)


class Rest(NamedTuple):
    """What a server holds while nothing happens."""

    objects: int
    allocated: float  # MiB
    resident: float  # MiB


def at_rest(server: ServerProcess, forgotten: float = FORGOTTEN) -> Rest:
    """Wait until it is."""
    until = time.monotonic() + QUIET
    while (told := server.statistics()).get("tm:inuse_transactions") and time.monotonic() < until:
        time.sleep(0.2)
    assert not told.get("tm:inuse_transactions")
    time.sleep(forgotten)
    told = server.statistics()
    return Rest(told["core:live_objects"], told["shmem:used_size"] / MIB, _resident(server.pid))


def _resident(pid: int) -> float:
    """MiB; what it shares with other processes of Python too, so that these do not matter."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
