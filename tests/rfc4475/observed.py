"""openpy that tells a file, its first argument, where each datagram goes."""

from __future__ import annotations

import sys
from typing import Any

from openpy.cli.openpy import main

if __name__ == "__main__":
    told = open(sys.argv.pop(1), "w", buffering=1)  # noqa: SIM115 - as long as the process

    def observe(event: str, arguments: tuple[Any, ...]) -> None:
        """Note the host of a `sendto`."""
        if event == "socket.sendto":
            told.write(f"{arguments[1][0]}\n")

    sys.addaudithook(observe)
    sys.exit(main())
