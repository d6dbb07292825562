from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from openpy.engine.fileaccess import Access
from openpy.engine.module import ModuleError
from openpy.modules.mi_fifo.fifo import CommandFifo, is_read

ACCESS = Access(0o660)


def test_it_is_made_read_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    fifo = CommandFifo(str(path))
    fifo.open(ACCESS)
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert fifo.read() == b""
    for text in (b"one", b"two"):  # it does not end with its writer
        writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        os.write(writer, text)
        os.close(writer)
        assert fifo.read() == text
        assert fifo.read() == b""
    fifo.close()
    fifo.close()
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666, 0o622])
def test_permissions_are_as_written_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        fifo = CommandFifo(str(tmp_path / "fifo"))
        fifo.open(Access(mode, os.getuid(), os.getgid()))
        assert stat.S_IMODE((tmp_path / "fifo").stat().st_mode) == mode
        fifo.close()
    finally:
        os.umask(before)


def test_what_stands_there_is_removed_first(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    kept = tmp_path / "kept"
    kept.write_text("kept")
    for put in (lambda: os.mkfifo(path), lambda: path.write_text("old"), lambda: path.symlink_to(kept)):
        put()
        fifo = CommandFifo(str(path))
        fifo.open(ACCESS)
        assert stat.S_ISFIFO(path.lstat().st_mode)
        fifo.close()
    assert kept.read_text() == "kept"


def test_the_fifo_of_another_server_is_left_alone(tmp_path: Path) -> None:
    first, second = CommandFifo(str(tmp_path / "fifo")), CommandFifo(str(tmp_path / "fifo"))
    first.open(ACCESS)
    second.open(ACCESS)
    first.close()
    assert (tmp_path / "fifo").exists()
    second.close()
    assert not (tmp_path / "fifo").exists()


def test_who_reads_a_fifo_is_found(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    assert not is_read(str(path))
    path.write_text("no FIFO")
    assert not is_read(str(path))
    fifo = CommandFifo(str(path))
    fifo.open(ACCESS)
    assert is_read(str(path))
    fifo.close()
    os.mkfifo(path)
    assert not is_read(str(path))


def test_what_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModuleError, match=r"cannot remove the old .*/folder"):
        CommandFifo(str(tmp_path / "folder")).open(ACCESS)
    with pytest.raises(ModuleError, match=r"cannot make the FIFO .*/none/fifo: No such file"):
        CommandFifo(str(tmp_path / "none" / "fifo")).open(ACCESS)


def test_a_fifo_whose_owner_cannot_be_set_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, user: int, group: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    with pytest.raises(ModuleError, match="Operation not permitted"):
        CommandFifo(str(tmp_path / "fifo")).open(Access(0o660, 1))
    assert not (tmp_path / "fifo").exists()
