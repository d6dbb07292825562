"""Servers for foreign clients: one of presence, and the stock script with its options on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.authority import Authority
from tests.interop.device import password_of
from tests.scenarios.conftest import Launch, launch, launcher
from tests.scenarios.database import change
from tests.scenarios.process import ServerProcess
from tests.scenarios.scripts import presence_script

__all__ = ["launch"]

USERS = ("alice", "bob", "voicemail")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ExitStack() as stack:
        yield launcher(tmp_path_factory.mktemp("interop"), stack)(
            presence_script('loadmodule "presence_mwi.so"')
        )


@pytest.fixture
def proxy(launch: Launch, authority: Authority, tmp_path: Path) -> ServerProcess:
    """proxy.cfg with some users; `phone.pem` and `ca.pem` beside it are for phones that speak TLS."""
    own = authority.of("localhost", "127.0.0.1")
    shutil.copy(own.certificate, tmp_path / "proxy.pem")
    shutil.copy(own.key, tmp_path / "proxy.key")
    shutil.copy(authority.ca, tmp_path / "ca.pem")
    (tmp_path / "phone.pem").write_text(Path(own.certificate).read_text() + Path(own.key).read_text())
    script = Path(__file__).with_name("proxy.cfg").read_text()
    server = launch(script, listen=("udp", "tcp", "tls", "ws"))
    for name in USERS:
        values = f"'{name}', '{password_of(name)}'"
        change(server, f"INSERT INTO subscriber (username, password) VALUES ({values})")
    return server
