"""Servers that run the examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.scenarios.conftest import launcher
from tests.scenarios.wire import Phone, ServerProcess
from tests.seed.examples import PARAMETERS, script

OTHERWISE = {
    '"presentity")': '"publications")',
    '"active_watchers")': '"subscriptions")',
    '"watchers")': '"decisions")',
    "100)": "1)",
    "10)": "0)",
    "3600)": "60)",
}
"""What the examples say as the default has it, said otherwise."""


def other_value(line: str) -> str:
    for value, other in OTHERWISE.items():
        if value in line:
            return line.replace(value, other)
    return line


@pytest.fixture(scope="module")
def as_written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with every example as it is written."""
    with ExitStack() as stack:
        launch = launcher(tmp_path_factory.mktemp("seed"), stack)
        yield launch(script(*PARAMETERS.values()))


@pytest.fixture(scope="module")
def otherwise(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with the same lines, with other values where an example says the default."""
    with ExitStack() as stack:
        launch = launcher(tmp_path_factory.mktemp("seed"), stack)
        yield launch(script(*(other_value(line) for line in PARAMETERS.values())))


@pytest.fixture
def phone_to() -> Iterator[Callable[[ServerProcess], Phone]]:
    """Make phones that talk to a server."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(Phone(server.address))
