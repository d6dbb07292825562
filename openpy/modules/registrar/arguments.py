"""What scripts write as arguments of registrar. A kind belongs to the module that is loaded: it knows usrloc."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openpy.engine.module import ArgumentError
from openpy.modules.registrar.saving import MEMORY, NO_REPLY
from openpy.modules.usrloc.api import UsrlocApi

DATABASE_ONLY = 3


def _no_usrloc() -> UsrlocApi | None:
    return None


@dataclass(frozen=True, slots=True)
class TableKind:
    """The table of contacts; usrloc hears of it."""

    usrloc: Callable[[], UsrlocApi | None] = _no_usrloc
    description: str = "a table of contacts such as location"

    def convert(self, text: str, environment: Any) -> str:
        """Make the table known; raises ArgumentError."""
        if not text:
            raise ArgumentError("the name of a table is missing")
        api = self.usrloc()
        if api is not None:
            api.register(text)
        return text


@dataclass(frozen=True, slots=True)
class SaveFlagsKind:
    """Flags of `save`: 0x1 keep it in memory only, 0x2 send no reply."""

    usrloc: Callable[[], UsrlocApi | None] = _no_usrloc
    description: str = "flags such as 0x02"

    def convert(self, text: str, environment: Any) -> int:
        """Convert; raises ArgumentError."""
        try:
            flags = int(text, 0) if text else 0
        except ValueError:
            raise ArgumentError(f'"{text}" is no number; flags are written as 0x02') from None
        if not 0 <= flags <= MEMORY | NO_REPLY:
            raise ArgumentError(f"bad flags <{text}>: 0x1 is memory only, 0x2 no reply")
        api = self.usrloc()
        if flags & MEMORY and api is not None and api.db_mode == DATABASE_ONLY:
            raise ArgumentError("the flag 0x1 (memory only) cannot be used with db_mode 3 of usrloc")
        return flags
