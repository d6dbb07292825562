"""TCP under fire: slow, silent, deaf and too many peers; and a new client that is served all the same.

The crowd is a process of its own (tests/scenarios/tcp_crowd.py): each side has its own descriptors.
"""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.flood import percentile
from tests.scenarios.process import ServerProcess
from tests.scenarios.scripts import presence_script
from tests.scenarios.tcp_crowd import Crowd
from tests.scenarios.test_bad_input import memory
from tests.scenarios.wire import TcpPhone

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(120)]

HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
MANY = 10_000 if HARD == resource.RLIM_INFINITY or HARD >= 10_200 else HARD - 200
"""Connections of the crowd: as many as the limit of descriptors leaves room for."""

ANSWER = 0.2
"""Seconds within which a new client is answered."""

TRIES = 20


def answered_in(server: ServerProcess) -> float:
    """Seconds from the first octet of a new connection to the answer."""
    before = time.monotonic()
    with TcpPhone(server.tcp_address) as phone:
        assert phone.options(5).status == 200
    return time.monotonic() - before


def is_served(server: ServerProcess) -> None:
    """New clients are answered in time: all but one of them, as this machine has other work too."""
    times = sorted(answered_in(server) for _ in range(TRIES))
    assert times[-2] < ANSWER, times


@contextmanager
def crowd(server: ServerProcess, kind: str, size: int) -> Iterator[Crowd]:
    """So many peers of a kind, as soon as all have connected."""
    with Crowd(server.tcp_address, kind, size) as made:
        made.gathered(60)
        yield made


@pytest.mark.parametrize("kind", ["silent", "half", "slow", "deaf", "noisy"])
def test_a_crowd_beyond_the_limit(launch: Launch, kind: str) -> None:
    """The server has no more than its connections, its memory stays, and whoever speaks gets a place."""
    server = launch(presence_script("tcp_max_connections=500"), program=("-m", "tests.scenarios.measured"))
    is_served(server)
    before = memory(server)
    with crowd(server, kind, 2000):
        is_served(server)
        counts = server.statistics()
        assert counts["net:tcp_connections"] <= 500
        assert counts.get("net:tcp_given_up", 0) + counts.get("net:tcp_refused", 0) >= 1400
        assert memory(server) - before < 16_384
        assert server.statistics()["core:loop_longest_turn"] <= 50  # ms


def test_a_crowd_that_asks_more_than_can_be_served(launch: Launch) -> None:
    """80,000 requests at once: whoever is not of the crowd is served between them."""
    server = launch(presence_script())
    with crowd(server, "deaf", 2000):
        is_served(server)


def test_ten_thousand_connections_at_once(launch: Launch) -> None:
    """A new client is answered while they come and when they are there; one that is idle costs less than 4 KiB."""
    settings = (f"tcp_max_connections={MANY + 100}", "tcp_max_source_connections=0")
    server = launch(presence_script(*settings))
    is_served(server)
    before = memory(server)
    with Crowd(server.tcp_address, "silent", MANY) as made:
        meanwhile = [0.0]
        while not made.is_here():
            meanwhile.append(answered_in(server))
        made.gathered(60)
        is_served(server)
        assert server.statistics()["net:tcp_connections"] >= MANY
        grown = memory(server) - before
        assert grown < 4 * MANY
    assert percentile(meanwhile, 0.95) < ANSWER, f"{len(meanwhile)} answers, the slowest {max(meanwhile)} s"


def test_a_message_that_does_not_end_costs_the_connection_and_a_slow_one_does_not_keep_it(
    launch: Launch,
) -> None:
    server = launch(presence_script("tcp_max_msg_time=1"))
    with crowd(server, "slow", 50), TcpPhone(server.tcp_address) as steady:
        deadline = time.monotonic() + 20
        while server.statistics().get("net:tcp_given_up", 0) < 50:
            assert time.monotonic() < deadline, "they are kept"
            assert steady.options(1).status == 200
        assert server.statistics()["net:tcp_connections"] == 1


def test_who_reads_nothing_is_given_up(launch: Launch) -> None:
    server = launch(presence_script("tcp_send_timeout=1", "tcp_send_buffer=1000000"))
    before = memory(server)
    with crowd(server, "deaf", 50):
        deadline = time.monotonic() + 30
        while (counts := server.statistics()).get("net:tcp_given_up", 0) + counts.get(
            "net:tcp_dropped", 0
        ) < 50:
            assert time.monotonic() < deadline, "they are kept"
            is_served(server)
    assert memory(server) - before < 65_536


def test_one_address_takes_its_share_only(launch: Launch) -> None:
    server = launch(presence_script("tcp_max_connections=100", "tcp_max_source_connections=20"))
    with ExitStack() as stack:
        phones = [stack.enter_context(TcpPhone(server.tcp_address)) for _ in range(21)]
        assert all(phone.options().status == 200 for phone in phones[:20])
        assert phones[20].closed()
        other = socket.create_connection(server.tcp_address, 5, ("127.0.0.9", 0))
        with TcpPhone(server.tcp_address, accepted=other) as phone:
            assert phone.options().status == 200


def test_fewer_descriptors_than_connections(launch: Launch) -> None:
    """It says so at the start, and goes on as at its limit."""
    server = launch(presence_script("open_files_limit=200", "tcp_max_connections=5000"))
    server.await_log("tcp_max_connections is 100 instead of 5000")
    with crowd(server, "silent", 1000):
        is_served(server)
        assert server.statistics()["net:tcp_connections"] <= 100
