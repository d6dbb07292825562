"""Two and three times as much as can be served, and one watcher who never stops asking.

Capacity is what the same flood gets answered when it waits for answers, for each second of CPU time that the server
uses: that is what it could do with a core of its own, and does not depend on who else uses the machine.
Meanwhile somebody refreshes his subscription and his publication, as everybody does who was there before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from bench.generator import Generator, Step, Tally
from bench.messages import Presentity, Sender, Watcher
from bench.meter import Meter
from tests.scenarios.conftest import Launch
from tests.scenarios.flood import FloodProcess, Tide, percentile
from tests.scenarios.process import ServerProcess
from tests.scenarios.scripts import presence_script
from tests.scenarios.wire import Phone

SOAK = bool(os.environ.get("OPENPY_SOAK"))
SECONDS = 60.0 if SOAK else 5.0
MEASURED = 2.5  # seconds
WINDOW = 64
TRANSACTIONS = 5_000
MEMORY = 100  # MiB: what waits, the transactions, and what the allocator keeps
PROMPT = 0.5  # seconds: nobody had to ask twice
QUANTILE = (
    0.99 if SOAK else 0.5
)  # of the answers are prompt; in the short form others use the machine as well
TOLERANCE = 0.001 if SOAK else 0.05  # of the requests of others may be refused
PAUSE = 0.005  # seconds
RATE = 7_000 if SOAK else 3_000  # SUBSCRIBEs a second of one watcher
ALLOWED = 100  # of them, and ten seconds' worth in one go


@pytest.mark.timeout(SECONDS + 90)
@pytest.mark.parametrize(("factor", "share"), [(2, 0.6), (3, 0.4)])
def test_overload_is_survived(launch: Launch, factor: int, share: float) -> None:
    server = launch(presence_script(f'modparam("tm", "max_transactions", {TRANSACTIONS})'))
    meter = Meter(server.pid)
    capacity, _ = _per_cpu_second(meter, FloodProcess(server.address, MEASURED, window=WINDOW))
    before = meter.memory()
    flood = FloodProcess(server.address, SECONDS, rate=factor * capacity)
    began = meter.cpu()
    client = _play(server, SECONDS, _refreshing)
    goodput, tide = _per_cpu_second(meter, flood, began)
    with Phone(server.address) as phone:  # the flood has ended a second ago
        assert phone.options(timeout=1.0).status == 200
    grown = meter.memory() - before
    told = server.statistics()
    again, _ = _per_cpu_second(meter, FloodProcess(server.address, MEASURED, window=WINDOW))
    capacity = min(capacity, again)  # a CPU that others share may have become slower meanwhile
    p99 = percentile(client.latencies, 0.99)
    print(f"{factor} x {capacity:.0f}/s: {tide}, goodput {goodput / capacity:.0%}")
    print(f"known: {client.succeeded} of {client.succeeded + client.errors}, p99 {p99 * 1000:.0f} ms")
    print(f"memory {grown:+.1f} MiB; {told}")
    assert goodput >= share * capacity
    assert told["core:overload_refused"] >= tide.refused > 0
    assert told["core:overload_dropped"] > 0
    assert tide.without_retry_after == tide.others == 0
    assert client.errors <= client.succeeded * TOLERANCE
    assert percentile(client.latencies, QUANTILE) < PROMPT
    assert told["tm:inuse_transactions"] <= TRANSACTIONS
    assert told["tm:early_ends"] > 0
    assert grown < MEMORY


@pytest.mark.timeout(SECONDS + 60)
def test_one_watcher_who_never_stops_is_cut_and_everybody_else_is_served(launch: Launch) -> None:
    server = launch(presence_script())
    before = Meter(server.pid).memory()
    flood = FloodProcess(server.address, SECONDS, rate=RATE, watchers=1)
    client = _play(server, SECONDS, _coming)
    tide = flood.wait()
    grown = Meter(server.pid).memory() - before
    told = server.statistics()
    p99 = percentile(client.latencies, 0.99)
    print(
        f"{tide}; others: {client.succeeded} of {client.succeeded + client.errors}, p99 {p99 * 1000:.0f} ms"
    )
    print(f"memory {grown:+.1f} MiB; {told}")
    allowed = ALLOWED * (tide.seconds + 11)
    assert tide.good + tide.late <= allowed
    assert told["presence:over_budget"] >= tide.others > 0
    assert tide.without_retry_after == 0
    assert told["tm:inuse_transactions"] <= allowed + client.succeeded
    assert client.errors <= client.succeeded * TOLERANCE
    assert percentile(client.latencies, QUANTILE) < PROMPT
    assert grown < MEMORY


def _per_cpu_second(meter: Meter, flood: FloodProcess, began: float | None = None) -> tuple[float, Tide]:
    """What the server answers with 200 for each second of CPU time, from when that was `began` microseconds."""
    began = meter.cpu() if began is None else began
    tide = flood.wait()
    return (tide.good + tide.late) / (meter.cpu() - began) * 1e6, tide


def _play(server: ServerProcess, seconds: float, steps: Callable[[Sender], Iterator[Step]]) -> Tally:
    """One client, who asks one thing after the other."""
    with Generator(server.address) as generator:
        return generator.play(steps(Sender(*generator.address, "client")), 1, seconds)


def _refreshing(sender: Sender) -> Iterator[Step]:
    """Somebody who was there before the flood."""
    presentity = Presentity(sender, "alice")
    watcher = Watcher(sender, "bob", presentity)
    yield _publish(presentity, document=True)
    yield _subscribe(watcher)
    while True:
        time.sleep(PAUSE)
        yield _subscribe(watcher)
        yield _publish(presentity, document=False)


def _coming(sender: Sender) -> Iterator[Step]:
    """One after the other who publishes and watches for the first time."""
    for number in count():
        time.sleep(PAUSE)
        presentity = Presentity(sender, f"alice{number}")
        yield _publish(presentity, document=True)
        yield _subscribe(Watcher(sender, f"bob{number}", presentity))


def _publish(presentity: Presentity, *, document: bool) -> Step:
    branch = presentity.sender.branch()
    return Step(branch, presentity.publish(branch, document=document), presentity.answered)


def _subscribe(watcher: Watcher) -> Step:
    branch = watcher.sender.branch()
    return Step(branch, watcher.subscribe(branch), watcher.answered)
