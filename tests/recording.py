"""How much of each file its own tests run: `python -m tests.recording 85 tests/sip ...`.

The first tests of a file mostly run nearly all of it. As soon as a file is covered to the given per cent the rest of
its tests are skipped, so that lines are recorded for a fraction of the time that all tests take. The last line of the
output has the per cent of each file, as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from coverage import Coverage

import openpy

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "openpy"

OPTIONS = (
    *("-p", "no:cacheprovider", "-p", "no:xdist", "--timeout", "300"),
    *("-k", "not linear"),  # what times our own code says nothing while lines are recorded
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # the test kit is imported already
)


def own_test(path: Path) -> Path:
    """openpy/a/b.py -> tests/a/test_b.py"""
    relative = path.relative_to(PACKAGE)
    return TESTS / relative.parent / f"test_{relative.name}"


def own_file(test: Path) -> Path:
    """tests/a/test_b.py -> openpy/a/b.py"""
    relative = test.relative_to(TESTS)
    return PACKAGE / relative.parent / relative.name.removeprefix("test_")


class Recording:
    """The lines of one file that have run."""

    def __init__(self, path: Path, imported: Iterable[int]) -> None:
        self._path = str(path)
        self._coverage = Coverage(data_file=None, config_file=False, include=[self._path])
        self._coverage.set_option("run:disable_warnings", ["no-data-collected"])
        self._statements = set(self._coverage.analysis2(self._path)[1])
        self._missing = self._statements.difference(imported)

    @property
    def share(self) -> float:
        """The per cent of the file's statements that have run."""
        return 100 - 100 * len(self._missing) / max(1, len(self._statements))

    @contextmanager
    def goes_on(self) -> Iterator[None]:
        """While this lasts, lines that run are recorded."""
        with self._coverage.collect():
            yield
        self._missing.difference_update(self._coverage.get_data().lines(self._path) or ())


class Recorder:
    """A plugin that records the lines of each file while its own tests run, until `least` per cent have run."""

    def __init__(self, least: float, imported: Mapping[Path, Iterable[int]]) -> None:
        self._least = least
        self._imported = imported
        self._recordings: dict[Path, Recording] = {}

    def shares(self) -> dict[str, float]:
        """The per cent of each file that was recorded."""
        return {
            str(own_file(test).relative_to(PACKAGE.parent)): recording.share
            for test, recording in self._recordings.items()
        }

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, object, object]:
        if not isinstance(collector, pytest.Module):
            return (yield)
        with self._recording(collector.path).goes_on():
            return (yield)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """One case of each test first, then the second of each: cases of one test run much the same lines."""
        earlier: Counter[str] = Counter()
        turns = {}
        for item in items:
            test = item.nodeid.partition("[")[0]
            turns[item] = item.path, earlier[test]
            earlier[test] += 1
        items.sort(key=turns.__getitem__)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if self._covered(item.path):
            pytest.skip("its file is covered")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        if self._covered(item.path):
            return (yield)
        with self._recording(item.path).goes_on():
            return (yield)

    def _covered(self, test: Path) -> bool:
        return self._recording(test).share >= self._least

    def _recording(self, test: Path) -> Recording:
        if test not in self._recordings:
            path = own_file(test)
            self._recordings[test] = Recording(path, self._imported.get(path, ()))
        return self._recordings[test]


def imported_lines() -> dict[Path, list[int]]:
    """The lines that run when a file is imported: whoever comes first imports it, so they count for everybody."""
    coverage = Coverage(data_file=None, config_file=False, source=[str(PACKAGE)])
    with coverage.collect():
        for module in pkgutil.walk_packages(openpy.__path__, "openpy."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    data = coverage.get_data()
    return {Path(name): data.lines(name) or [] for name in data.measured_files()}


def main(least: str, *folders: str) -> int:
    """Run the tests of these folders. 0: none failed."""
    os.environ["OPENPY_REQUIRE_ALL"] = "0"  # here a skip says that a file is covered
    recorder = Recorder(float(least), imported_lines())
    status = pytest.main([*OPTIONS, *folders], plugins=[recorder])
    print(json.dumps(recorder.shares()))
    return int(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
