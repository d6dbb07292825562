"""gflags: flags that belong to no message; scripts and people turn them on and off while the server runs."""

from __future__ import annotations

from typing import Annotated

from openpy.engine.mi import MiError, Reply
from openpy.engine.module import (
    ALL_ROUTES,
    Effect,
    Module,
    NumberKind,
    Param,
    mi_command,
    script_function,
)
from openpy.engine.run import Run
from openpy.engine.services import Services

ALL_SET = 2**32 - 1
Flag = Annotated[int, NumberKind(0, 31, "a flag, 0 to 31")]


def _bits(value: int) -> int:
    """Numbers of a script have a sign: the highest flag may stand in it."""
    return value & ALL_SET


class Gflags(Module):
    """32 flags that all messages share. Functions name one flag, commands a bitmap of them.

        if (is_gflag("3")) { sl_send_reply("503", "Under maintenance"); exit; }

    From outside, flag 3 is the bitmap 8:

        openpyctl mi set_gflag 8
        openpyctl mi reset_gflag 0x8
    """

    name = "gflags"
    can_join = True

    initial = Param(int, 0, "The flags that are set at the start, as a bitmap", check=_bits, reload=True)

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.flags = 0

    def check(self) -> None:
        """Begin with what `initial` sets."""
        self.flags = self.initial

    # --- functions --------------------------------------------------------------------------------------------

    @script_function(routes=ALL_ROUTES, effect=Effect.NONE)
    def set_gflag(self, run: Run, flag: Flag) -> int:
        """Set a flag: 1."""
        self.flags |= 1 << flag
        return 1

    @script_function(routes=ALL_ROUTES, effect=Effect.NONE)
    def reset_gflag(self, run: Run, flag: Flag) -> int:
        """Clear a flag: 1."""
        self.flags &= ~(1 << flag)
        return 1

    @script_function(routes=ALL_ROUTES, effect=Effect.NONE)
    def is_gflag(self, run: Run, flag: Flag) -> int:
        """1 if a flag is set, else -1."""
        return 1 if self.flags >> flag & 1 else -1

    # --- commands ---------------------------------------------------------------------------------------------

    @mi_command("set_gflag")
    def set_gflags(self, bitmap: str) -> None:
        """Set all flags of a bitmap, decimal or hexadecimal."""
        self.flags |= _bitmap(bitmap)

    @mi_command("reset_gflag")
    def reset_gflags(self, bitmap: str) -> None:
        """Clear all flags of a bitmap, decimal or hexadecimal."""
        self.flags &= ~_bitmap(bitmap)

    @mi_command("is_gflag")
    def are_gflags(self, bitmap: str) -> Reply:
        """Say `TRUE` if all flags of a bitmap are set, else `FALSE`."""
        wanted = _bitmap(bitmap)
        reply = Reply()
        reply.add(value="TRUE" if self.flags & wanted == wanted else "FALSE")
        return reply

    @mi_command("get_gflags")
    def get_gflags(self) -> Reply:
        """Tell the flags as a bitmap, hexadecimal and decimal."""
        reply = Reply()
        reply.add(value=f"0x{self.flags:X}")
        reply.add(value=str(self.flags))
        return reply


def _bitmap(text: str) -> int:
    """A bitmap of at least one flag; raises MiError."""
    try:
        value = int(text, 16) if text[:2].lower() == "0x" else int(text)
    except ValueError:
        raise MiError(400, "Bad parameter") from None
    if not 0 < value <= ALL_SET:
        raise MiError(400, "Bad parameter")
    return value
