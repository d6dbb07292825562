"""openpy on a machine whose wall clock is moved: by as many seconds as a file says."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from unittest.mock import patch

from openpy.cli.openpy import main
from openpy.engine.clock import Clock

JUMP = "jump"
"""The file, in the server's working directory. No file: no jump."""


class JumpingClock(Clock):
    """The system's, but for the jump."""

    __slots__ = ()

    def wall(self) -> float:
        """Unix time, moved."""
        moved = Path(JUMP)
        return time.time() + (float(moved.read_text()) if moved.exists() else 0.0)


if __name__ == "__main__":
    with patch("openpy.engine.server.Clock", JumpingClock):
        sys.exit(main())
