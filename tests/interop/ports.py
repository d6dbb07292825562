"""The ports that a foreign program has chosen for itself."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

BOUND = {"udp": "07", "tcp": "0A"}
"""The state of a socket that has a port and no peer, as the kernel writes it."""


def ports_under(timeout: int, transport: str) -> list[int]:
    """The ports on which the child of this process (of `timeout`) listens, in the order in which it opened them."""
    ports = {}
    for line in Path(f"/proc/net/{transport}").read_text().splitlines()[1:]:
        _, local, _, state, _, _, _, _, _, inode, *_ = line.split()
        if state == BOUND[transport]:
            ports[f"socket:[{inode}]"] = int(local.partition(":")[2], 16)
    return [ports[link] for link in _links(timeout) if link in ports]


def _links(timeout: int) -> list[str]:
    """What stands behind the descriptors of the child, if there is one and it does not end just now."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for child in Path(f"/proc/{timeout}/task/{timeout}/children").read_text().split():
            opened = sorted(int(name) for name in os.listdir(f"/proc/{child}/fd"))
            return [os.readlink(f"/proc/{child}/fd/{number}") for number in opened]
    return []
