"""A MariaDB of a test's own, so that a URL can be used as it is written but for its host."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port


@contextmanager
def private_server(folder: Path, sql: str) -> Iterator[str]:
    """Start a server that ran `sql`; gives its host and port. Skips where MariaDB is not installed."""
    if shutil.which("mariadbd") is None or shutil.which("mariadb-install-db") is None:
        pytest.skip("MariaDB is not installed")
    user = f"--user={getpass.getuser()}"
    data = f"--datadir={folder / 'data'}"
    # A server that starts removes the temporary tables that it finds, also those of another one.
    environment = {**os.environ, "TMPDIR": str(folder)}
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", data, user, "--skip-test-db"],
        check=True,
        stdout=subprocess.DEVNULL,
        env=environment,
    )
    (folder / "init.sql").write_text(sql)
    port = free_port()
    options = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 'sock'}"]
    options += [f"--init-file={folder / 'init.sql'}", f"--pid-file={folder / 'pid'}", "--skip-name-resolve"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["mariadbd", "--no-defaults", data, user, *options], stdout=log, stderr=log, env=environment
        )
    try:
        _await(process, port, folder / "log")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"MariaDB did not start:\n{log.read_text(errors='replace')[-2000:]}")
