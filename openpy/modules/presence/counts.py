"""The figures of presence, as the module exports them."""

from __future__ import annotations

from dataclasses import dataclass, field

from openpy.engine.module import Count


@dataclass(slots=True)
class Counts:
    """What there is now, and how often something happened since the start."""

    publications: Count = field(default_factory=Count)
    subscriptions: Count = field(default_factory=Count)
    notifies_sent: Count = field(default_factory=Count)
    notifies_failed: Count = field(default_factory=Count)
