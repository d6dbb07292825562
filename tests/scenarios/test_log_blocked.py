"""A log that nobody reads: the server serves, loses what does not fit, and says so once it can."""

from __future__ import annotations

import os
import re
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.scenarios.database import publications
from tests.scenarios.process import ServerProcess
from tests.scenarios.scripts import presence_script
from tests.scenarios.wire import ALICE, Phone, pidf

pytestmark = pytest.mark.scenario

LINES = 1000
TEXT = "this is what nobody reads, " * 80  # 2 KiB: twice what may wait
SCRIPT = presence_script('loadmodule "xlog.so"').replace(
    'if (is_method("OPTIONS")) {', f'if (is_method("OPTIONS")) {{\n\t\txlog("L_NOTICE", "{TEXT}\\n");'
)


@contextmanager
def unread(folder: Path) -> Iterator[tuple[ServerProcess, int]]:
    """A server whose stderr is a pipe, and the end of it that somebody might read."""
    script = folder / "openser.cfg"
    script.write_text(SCRIPT)
    server = ServerProcess(script, listen=("udp",))
    os.mkfifo(server.log)
    pipe = os.open(server.log, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield server.start(), pipe
    finally:
        if server.running:
            server.kill()
        os.close(pipe)


def read_until(pipe: int, wanted: bytes) -> bytes:
    """What comes out of a pipe up to some text."""
    said = b""
    deadline = time.monotonic() + 20
    while wanted not in said:
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"{wanted!r} was not said, but {said[-500:]!r}"
        said += os.read(pipe, 65536)
    return said


def test_a_log_that_nobody_reads_stops_nobody(tmp_path: Path) -> None:
    with unread(tmp_path) as (server, pipe), Phone(server.address) as phone:
        for _ in range(LINES):
            assert phone.options(timeout=5).status == 200
        reply = phone.publish(body=pidf())
        assert [etag for etag, _ in publications(server, ALICE)] == [reply.get("SIP-ETag")]
        said = read_until(pipe, b"lines of this log were lost")
        lost = int(re.findall(rb"(\d+) lines of this log were lost", said)[0])
        assert lost > 0
        assert said.count(TEXT.encode()) == LINES - lost, "no line was cut, none came twice"
        assert phone.options().status == 200
        assert TEXT.encode() in read_until(pipe, TEXT.encode()), "lines pass again"
        server.signal(signal.SIGUSR1)
        assert b"core:log_dropped = %d\n" % lost in read_until(pipe, b"presence:publications = 1\n")


def test_a_blocked_log_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with unread(tmp_path) as (server, _), Phone(server.address) as phone:
        for _ in range(LINES):
            phone.options(timeout=5)
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 10
