"""openpy on a machine whose name servers are silent about some names, until a file says that they answer."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from openpy.cli.openpy import main

SILENT = ".silent.example"
"""How those names end; each has the address 127.0.0.1."""

ANSWERING = "answering"
"""The file, in the server's working directory."""

_getaddrinfo = socket.getaddrinfo


def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
    """As the system's, which blocks the thread that asks."""
    if str(host).endswith(SILENT):
        while not Path(ANSWERING).exists():
            time.sleep(0.02)
        host = "127.0.0.1"
    return _getaddrinfo(host, *rest, **named)


if __name__ == "__main__":
    with patch.object(socket, "getaddrinfo", getaddrinfo):
        sys.exit(main())
