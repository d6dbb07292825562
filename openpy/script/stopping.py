"""How compiled code says that the script has ended."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Stop(Enum):
    """The result of a route that was left by `exit`, `drop` or an action that returned 0: not a code."""

    STOP = "stop"


STOP: Final = Stop.STOP


class LoopBreak(Enum):
    """A `break` handed out of a part that became a function of its own."""

    BREAK = "break"


BREAK: Final = LoopBreak.BREAK
