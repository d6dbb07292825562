"""What is recorded of a file, and when that is enough."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace
from typing import cast

import pytest

from openpy.engine.signatures import signature_of
from tests.recording import PACKAGE, TESTS, Recorder, Recording, own_file, own_test


def test_each_file_has_a_test_of_its_own() -> None:
    file, test = PACKAGE / "sip" / "uri.py", TESTS / "sip" / "test_uri.py"
    assert (own_test(file), own_file(test)) == (test, file)


def test_lines_count_that_run_while_it_goes_on() -> None:
    recording = Recording(PACKAGE / "engine" / "signatures.py", ())
    signature_of(own_test)
    assert recording.share == 0
    with recording.goes_on():
        pass
    assert recording.share == 0
    with recording.goes_on():
        signature_of(own_test)
    assert 0 < recording.share < 85


def test_no_more_tests_run_than_a_file_needs() -> None:
    recorder = Recorder(1, {})
    item = cast(pytest.Item, SimpleNamespace(path=TESTS / "engine" / "test_signatures.py"))
    recorder.pytest_runtest_setup(item)
    run = recorder.pytest_runtest_protocol(item)
    next(run)
    signature_of(own_test)
    with suppress(StopIteration):
        run.send(None)
    assert recorder.shares()["openpy/engine/signatures.py"] > 1
    with pytest.raises(pytest.skip.Exception, match="its file is covered"):
        recorder.pytest_runtest_setup(item)
