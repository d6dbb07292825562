"""What scripts write as arguments and parameters of tm: destinations with flags, words, times, and AVPs of times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openpy.engine.destinations import Destination, DestinationKind
from openpy.engine.module import ArgumentError
from openpy.engine.named import NamedAvp
from openpy.engine.run import Run


@dataclass(frozen=True, slots=True)
class TargetKind:
    """The first argument of t_relay: flags (`0x01`), or `[proto:]host[:port]`."""

    description: str = "flags such as 0x01, or a destination such as udp:192.0.2.1:5060"

    def convert(self, text: str, environment: Any) -> int | Destination:
        """Convert; raises ArgumentError."""
        try:
            return int(text, 0)
        except ValueError:
            return DestinationKind().convert(text, environment)


@dataclass(frozen=True, slots=True)
class FlagsKind:
    """Flags of t_relay: a decimal or hexadecimal number."""

    description: str = "flags such as 0x01"

    def convert(self, text: str, environment: Any) -> int:
        """Convert; raises ArgumentError."""
        try:
            return int(text, 0)
        except ValueError:
            raise ArgumentError(f'"{text}" is no number; flags are written as 0x01') from None


@dataclass(frozen=True, slots=True)
class WordKind:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def description(self) -> str:
        """For messages and docs."""
        return "one of " + ", ".join(self.words)

    def convert(self, text: str, environment: Any) -> str:
        """Check; raises ArgumentError."""
        if text not in self.words:
            raise ArgumentError(f'"{text}" is none of {", ".join(self.words)}')
        return text


def at_least_2(value: int) -> int:
    """A parameter of at least 2; raises ArgumentError."""
    if value < 2:
        raise ArgumentError("must be at least 2")
    return value


def seconds_in(run: Run, avp: NamedAvp) -> float | None:
    """The time that the AVP of a parameter holds for this message, in seconds; None where it holds none."""
    value = avp.read(run)
    try:
        seconds = int(value or 0)
    except ValueError:
        run.warn(f"{avp.text} holds no number of seconds: {value}")
        return None
    return float(seconds) if seconds > 0 else None
