"""Times in columns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from openpy.modules.usrloc.localtimes import from_column, to_column


@pytest.fixture(params=["UTC", "Europe/Berlin", "America/Los_Angeles"], autouse=True)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    to_column.cache_clear()
    yield
    monkeypatch.undo()
    time.tzset()
    to_column.cache_clear()


@pytest.mark.parametrize("moment", [1_600_000_000, 1_720_000_000, 4_000_000_000])
def test_what_is_written_is_read(moment: int) -> None:
    text = to_column(moment)
    assert len(text) == 19
    assert from_column(text) == moment
    assert from_column(datetime.fromisoformat(text)) == moment


def test_never() -> None:
    assert from_column(to_column(0)) == 0
    assert from_column(datetime(1900, 1, 1, 0, 0, 1)) == 0


def test_what_is_no_time() -> None:
    with pytest.raises(ValueError, match="tomorrow"):
        from_column("tomorrow")
