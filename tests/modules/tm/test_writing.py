"""What an application reads from a FIFO or a socket."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from openpy.modules.tm.writing import NotWritten, write_fifo, write_unix


def test_a_fifo_with_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write_fifo(str(path), "a\nb\n", 1)
    assert os.read(reader, 100) == b"a\nb\n"
    with pytest.raises(NotWritten, match="does not read on"):
        write_fifo(str(path), "x" * 1_000_000, 0.05)
    os.close(reader)
    with pytest.raises(NotWritten, match="nobody reads it"):
        write_fifo(str(path), "a", 1)


def test_what_is_no_fifo(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(NotWritten, match="is not a FIFO"):
        write_fifo(str(tmp_path / "file"), "a", 1)
    with pytest.raises(NotWritten, match="No such file"):
        write_fifo(str(tmp_path / "none"), "a", 1)
    assert (tmp_path / "file").read_text() == "kept"


def test_a_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with pytest.raises(NotWritten, match="No such file"):
        write_unix(path, "a", 1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        write_unix(path, "a\nb\n", 1)
        assert receiver.recv(100) == b"a\nb\n"
        with pytest.raises(NotWritten, match="timed out"):
            _fill(path)


def _fill(path: str) -> None:
    for _ in range(10_000):
        write_unix(path, "a" * 1000, 0.01)
