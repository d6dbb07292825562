"""A wall clock that is moved by hours while the server runs: nothing ends early, nothing late."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.database import rows
from tests.scenarios.jumping import JUMP
from tests.scenarios.wire import Phone, pidf

pytestmark = pytest.mark.scenario

HOURS = 3 * 3600
BRIEF = 3  # seconds that some things last
LATE = 5.0  # seconds that an end may come late on a loaded machine


@pytest.mark.parametrize("jump", [HOURS, -HOURS])
def test_a_jump_of_the_clock_ends_nothing_early_or_late(launch: Launch, tmp_path: Path, jump: int) -> None:
    server = launch(program=("-m", "tests.scenarios.jumping"))
    with Phone(server.address) as phone, Phone(server.address) as watcher:
        etag = phone.publish(body=pidf(note="lasting")).get("SIP-ETag")
        lasting, _ = watcher.watch()
        begun = time.monotonic()
        phone.publish(body=pidf(tuple_id="brief", note="brief"), expires=BRIEF)
        watcher.told(lasting, b"brief")
        brief, _ = watcher.watch(expires=BRIEF)
        (tmp_path / JUMP).write_text(str(jump))
        ended = watcher.notify(brief, BRIEF + LATE)
        while not ended.get("Subscription-State").startswith("terminated"):
            ended = watcher.notify(brief, BRIEF + LATE)
        assert BRIEF - 0.5 < time.monotonic() - begun < BRIEF + LATE
        while b"brief" in (told := watcher.notify(lasting, BRIEF + LATE)).body:
            pass
        assert b"lasting" in told.body
        assert told.get("Subscription-State").startswith("active;expires=5"), "what was left before the jump"
        assert phone.publish(etag=etag).status == 200
        assert watcher.subscribe(dialog=lasting)[1].status == 200
        for table in ("presentity", "active_watchers"):
            ((expires,),) = rows(server, f"SELECT expires FROM {table}")
            assert 570 < expires - time.time() <= 601, "rows hold the time as it went on from the start"
