from __future__ import annotations

import os
import threading

import pytest

from openpy.engine.pipes import write_within


def pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    return reading, writing


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_all_is_written_as_fast_as_it_is_read() -> None:
    reading, writing = pipe()
    text = "aä\udcff" * 100_000  # more than a pipe holds
    seen = bytearray()

    def read() -> None:
        while piece := os.read(reading, 65536):
            seen.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    write_within(writing, text, 10)
    reader.join()
    assert seen == text.encode("utf-8", "surrogateescape")
    assert not is_open(writing)
    os.close(reading)


def test_a_reader_that_does_not_read_on() -> None:
    reading, writing = pipe()
    with pytest.raises(TimeoutError, match="does not read on"):
        write_within(writing, "x" * 1_000_000, 0.05)
    assert not is_open(writing)
    os.close(reading)


def test_a_reader_that_is_gone() -> None:
    reading, writing = pipe()
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        write_within(writing, "x", 1)
    assert not is_open(writing)
