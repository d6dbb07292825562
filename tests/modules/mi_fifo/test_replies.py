from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from openpy.modules.mi_fifo import replies
from openpy.modules.mi_fifo.replies import NoReply, open_reply, reply_path, write_reply


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "answer")
    return tmp_path / "answer"


class Reader(threading.Thread):
    """Reads a FIFO to its end."""

    def __init__(self, path: Path, delay: float = 0.0) -> None:
        super().__init__()
        self.path, self.delay, self.text = path, delay, ""
        self.start()

    def run(self) -> None:
        time.sleep(self.delay)
        self.text = self.path.read_text(encoding="utf-8", errors="surrogateescape")


def test_the_folder_is_put_in_front_of_the_name() -> None:
    assert reply_path("/tmp/", "answer") == "/tmp/answer"
    assert reply_path("/tmp", "answer") == "/tmpanswer"
    assert len(reply_path("/tmp/", "a" * 122)) == 127


@pytest.mark.parametrize("name", ["", "a.b", "../x", "a/b", "a\\b", "a\0b", "a" * 123, "ä" * 62])
def test_names_that_could_lead_elsewhere(name: str) -> None:
    with pytest.raises(NoReply):
        reply_path("/tmp/", name)


def test_a_reply_is_written_to_the_one_who_reads(fifo: Path) -> None:
    reader = Reader(fifo, 0.1)
    text = "200 OK\n" + "x" * 300_000 + "\udcff\n\n"
    write_reply(open_reply(str(fifo)), text)
    reader.join()
    assert reader.text == text


def test_without_a_reader_it_is_given_up_after_320_ms(fifo: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(NoReply, match="nobody reads it"):
        open_reply(str(fifo))
    assert 0.32 <= time.monotonic() - begun < 2.0


@pytest.mark.parametrize("kind", ["nothing", "file", "folder", "symlink", "two names"])
def test_only_a_fifo_with_one_name_is_written_to(tmp_path: Path, fifo: Path, kind: str) -> None:
    path = tmp_path / "other"
    descriptor = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    match kind:
        case "file":
            path.write_text("kept")
        case "folder":
            path.mkdir()
        case "symlink":
            path.symlink_to(fifo)
        case "two names":
            os.link(fifo, path)
    with pytest.raises(NoReply):
        open_reply(str(path))
    assert kind != "file" or path.read_text() == "kept"
    os.close(descriptor)


def test_a_file_that_changes_under_our_hands(fifo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    descriptor = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    real = os.lstat

    def then_another(path: str) -> os.stat_result:
        found = real(path)
        fifo.rename(fifo.with_name("moved"))
        os.mkfifo(path)
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        nonlocal descriptor
        os.close(descriptor)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        return found

    monkeypatch.setattr(os, "lstat", then_another)
    with pytest.raises(NoReply, match="is not what it was"):
        open_reply(str(fifo))
    os.close(descriptor)


def test_a_reader_that_does_not_read_on_is_given_up(fifo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "PATIENCE", 0.05)
    descriptor = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(NoReply, match="does not read on"):
        write_reply(open_reply(str(fifo)), "x" * 1_000_000)
    os.close(descriptor)


def test_a_reader_that_goes_is_no_error_of_ours(fifo: Path) -> None:
    descriptor = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    opened = open_reply(str(fifo))
    os.close(descriptor)
    with pytest.raises(NoReply, match="the reader is gone"):
        write_reply(opened, "200 OK\n\n")
