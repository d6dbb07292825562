"""Fixtures for all tests, and the rule that nothing is skipped where everything must run."""

from __future__ import annotations

import gc
import importlib
import os
import tomllib
from collections.abc import Generator, Iterator
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

from tests.authority import Authority

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("OPENPY_SHARED", ROOT.parent / "shared"))
COMPILED = os.environ.get("OPENPY_COMPILED") == "1"
REQUIRE_ALL = os.environ.get("OPENPY_REQUIRE_ALL") == "1"

settings.register_profile("openpy", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("openpy")


def pytest_configure() -> None:
    """Under `make test-compiled` nothing runs unless it is the compiled modules that are tested."""
    if COMPILED:
        interpreted = [name for name in compiled_modules() if not is_extension(importlib.import_module(name))]
        if interpreted:
            raise pytest.UsageError(f"not compiled: {', '.join(interpreted)}")


def compiled_modules() -> list[str]:
    """The modules that the compiled build compiles."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names: list[str] = settings["tool"]["openpy"]["compiled"]
    return names


def is_extension(module: ModuleType) -> bool:
    """Whether a module is compiled code."""
    return isinstance(module.__loader__, ExtensionFileLoader)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of RFC texts, corpora and reference facts, which is not part of the project."""
    if not SHARED.is_dir():
        pytest.skip(f"no reference folder at {SHARED} (OPENPY_SHARED names another place)")
    return SHARED


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority for tests, and its certificates."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """A server that starts tunes the garbage collector of the process; the next test does not know it."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no worker is left alone with it in the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is required, a skip is a failure."""
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but OPENPY_REQUIRE_ALL=1: {report.longrepr}"
    return report
