"""Name servers that do not answer: those who need no name notice nothing, and no watcher is given up."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.database import subscriptions
from tests.scenarios.scripts import presence_script
from tests.scenarios.silent import ANSWERING, SILENT
from tests.scenarios.wire import ALICE, Phone, pidf

pytestmark = pytest.mark.scenario

NAMES = 40
SCRIPT = presence_script("dns_timeout=1", "dns_cache=1", "dns_queue=20")
PROGRAM = ("-m", "tests.scenarios.silent")


def test_silent_name_servers_cost_no_subscription(launch: Launch, tmp_path: Path) -> None:
    """More names than there are threads and places to wait, and then they are answered after all."""
    server = launch(SCRIPT, program=PROGRAM)
    with Phone(server.address) as near, Phone(server.address) as far:
        dialog, _ = near.watch()
        lost = [far.subscribe(contact=f"sip:far@n{number}{SILENT}:{far.port}")[0] for number in range(NAMES)]
        for turn in range(5):
            assert near.options().status == 200
            reply = near.publish(body=pidf(note=f"turn {turn}"))
            assert reply.status == 200
            near.told(dialog, b"turn %d" % turn)
        deadline = time.monotonic() + 20
        while server.statistics().get("presence:notifies_failed", 0) < NAMES:
            assert time.monotonic() < deadline, "nobody waits for ever"
            time.sleep(0.05)
        assert far.nothing_more(0.05)
        assert len(subscriptions(server, ALICE)) == NAMES + 1
        (tmp_path / ANSWERING).touch()
        untold = set(range(NAMES))
        turn = 0
        while untold:
            assert time.monotonic() < deadline + 20, f"{untold} were never told"
            turn += 1
            near.publish(body=pidf(note=f"again {turn}"))
            while (message := far.receive(0.2)) is not None:
                far.answer(message)
                untold -= {number for number in untold if lost[number].call_id == message.get("Call-ID")}


def test_silent_name_servers_do_not_hold_up_the_end(launch: Launch) -> None:
    server = launch(SCRIPT, program=PROGRAM)
    with Phone(server.address) as phone:
        for number in range(NAMES):
            phone.subscribe(contact=f"sip:far@n{number}{SILENT}")
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 10
