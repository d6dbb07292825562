"""openpy, whose loop is measured in CPU time of its thread: what else the machine does meanwhile is left out."""

from __future__ import annotations

import sys
import time
from unittest.mock import patch

from openpy.cli.openpy import main
from openpy.engine.server import Server
from openpy.engine.stalls import Stalls

_init = Server.__init__


def init(server: Server, *arguments: object, **options: object) -> None:
    """A server with such a measure."""
    _init(server, *arguments, **options)  # type: ignore[arg-type]
    server.stalls = Stalls(server.stalls.longest, server.stalls.number, time.thread_time)


if __name__ == "__main__":
    with patch.object(Server, "__init__", init):
        sys.exit(main())
