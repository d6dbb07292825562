from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from openpy.engine.log import DEBUG, ERROR
from openpy.engine.syslog import open_syslog

LOCAL0 = 16


@contextmanager
def system_log(device: Path) -> Iterator[socket.socket]:
    device.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as system:
        system.bind(str(device))
        yield system


def test_a_line_goes_out_with_priority_tag_and_process(tmp_path: Path) -> None:
    device = tmp_path / "log"
    with system_log(device) as system:
        sink = open_syslog(LOCAL0, "openser", device)
        assert sink is not None
        with closing(sink):
            sink(ERROR, "Nov 25 07:00:00 [1] ERROR:core: broken")
            sink(DEBUG, "no stamp")
            sink(DEBUG, '{"text": "a[0] = 1"}')
        assert system.recv(1000).decode() == f"<131>openser[{os.getpid()}]: ERROR:core: broken"
        assert system.recv(1000).decode() == f"<135>openser[{os.getpid()}]: no stamp"
        assert system.recv(1000).decode().endswith(']: {"text": "a[0] = 1"}')


def test_a_connection_serves_where_the_device_cannot_be_seen_any_more(tmp_path: Path) -> None:
    device = tmp_path / "log"
    with system_log(device) as system:
        sink = open_syslog(LOCAL0, "openser", device)
        assert sink is not None
        device.unlink()  # as in a chroot
        with closing(sink):
            sink(ERROR, "still here")
        assert b"still here" in system.recv(1000)


def test_without_a_system_log_there_is_no_sink(tmp_path: Path) -> None:
    assert open_syslog(LOCAL0, "openser", tmp_path / "absent") is None


def test_a_log_that_is_gone_never_stops_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fallen_back: list[str] = []
    monkeypatch.setattr("openpy.engine.syslog.to_stderr", lambda level, line: fallen_back.append(line))
    device = tmp_path / "log"
    with system_log(device):
        sink = open_syslog(LOCAL0, "openser", device)
    assert sink is not None
    with closing(sink):
        sink(ERROR, "to whom?")
        assert fallen_back == ["to whom?"]
        with system_log(device) as system:
            sink(ERROR, "there it is again")
            assert b"there it is again" in system.recv(1000)
    assert fallen_back == ["to whom?"]


def test_a_line_that_a_full_log_does_not_take_in_time_goes_to_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fallen_back: list[str] = []
    monkeypatch.setattr("openpy.engine.syslog.to_stderr", lambda level, line: fallen_back.append(line))
    monkeypatch.setattr("openpy.engine.syslog.PATIENCE", 0.02)
    device = tmp_path / "log"
    with system_log(device) as system:
        sink = open_syslog(LOCAL0, "openser", device)
        assert sink is not None
        with closing(sink):
            taken = 0
            while not fallen_back:
                sink(ERROR, f"line {taken}")
                taken += 1
            assert fallen_back == [f"line {taken - 1}"]
            assert b"line 0" in system.recv(1000)
            sink(ERROR, "there is room again")
    assert len(fallen_back) == 1
