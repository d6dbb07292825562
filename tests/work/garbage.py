"""What some work leaves to the garbage collector."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable


def left_by(work: Callable[[], None]) -> Counter[str]:
    """The types of what only the garbage collector can free of what some work made."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        work()
        gc.collect()
        return Counter(type(item).__name__ for item in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
