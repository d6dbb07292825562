"""Servers and phones that end with the test that made them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.process import Launch, ServerProcess
from tests.scenarios.scripts import presence_script
from tests.scenarios.shared import with_tables
from tests.scenarios.site import Site
from tests.scenarios.wire import Phone, TcpPhone
from tests.servers import DIALECTS, Databases, databases

__all__ = ["Launch", "databases"]


def launcher(folder: Path, stack: ExitStack) -> Launch:
    """A Launch whose servers are stopped with the stack; one that did not end well fails."""

    def launch(script: str = presence_script(), *options: str, **parts: Any) -> ServerProcess:
        path = folder / "openser.cfg"
        path.write_text(script)
        server = ServerProcess(path, *options, **parts)
        stack.callback(_end, server)
        return server.start()

    return launch


def _end(server: ServerProcess) -> None:
    if server.running:
        assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start servers of this test's own."""
    with ExitStack() as stack:
        yield launcher(tmp_path, stack)


@pytest.fixture(scope="module")
def launch_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    """Start a server that all tests of a file share."""
    with ExitStack() as stack:
        yield launcher(tmp_path_factory.mktemp("server"), stack)


@pytest.fixture(scope="module")
def server(launch_shared: Launch) -> ServerProcess:
    """A presence server that all tests of a file share; a file that wants another script has its own."""
    return launch_shared()


@pytest.fixture(scope="module", params=list(DIALECTS))
def site(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A server of everything that all tests of a file share, on a database of each kind."""
    folder = tmp_path_factory.mktemp("site")
    with ExitStack() as stack:
        url = with_tables(databases, request.param, folder)
        yield Site(request.param, url, folder, launcher(folder, stack))


@pytest.fixture
def phones(server: ServerProcess) -> Iterator[Callable[[], Phone]]:
    """Make phones that talk to the shared server by UDP."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Phone(server.address))


@pytest.fixture
def phone(phones: Callable[[], Phone]) -> Phone:
    """The publisher's phone, or the only one."""
    return phones()


@pytest.fixture
def watcher(phones: Callable[[], Phone]) -> Phone:
    """The watcher's phone."""
    return phones()


@pytest.fixture
def tcp_phone(server: ServerProcess) -> Iterator[TcpPhone]:
    """A phone with a connection to the shared server."""
    with TcpPhone(server.tcp_address) as made:
        yield made


@pytest.fixture
def uri(request: pytest.FixtureRequest) -> str:
    """A presentity of this test's own."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)
    return f"sip:{name[:60]}@example.org"
