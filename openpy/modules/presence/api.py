"""What other modules get from `presence.bind()` (1.3's `bind_presence`)."""

from __future__ import annotations

from openpy.modules.presence.events import EventPackage, EventRegistry
from openpy.sip.errors import RemoteError
from openpy.sip.headers import Event, parse_event

__all__ = ["EventPackage", "PresenceApi"]


class PresenceApi:
    """Registers events and looks them up."""

    __slots__ = ("_registry",)

    def __init__(self, registry: EventRegistry) -> None:
        self._registry = registry

    def add_event(self, package: EventPackage) -> None:
        """Serve an event; one of that name which is served already stays."""
        self._registry.add(package)

    def contains_event(self, name: str) -> EventPackage | None:
        """The package that an Event header with this text would mean; None also if it cannot be parsed."""
        try:
            event = parse_event(name)
        except RemoteError:
            return None
        return self._registry.search(event)

    def search_event(self, event: Event) -> EventPackage | None:
        """The package that a parsed Event header means."""
        return self._registry.search(event)

    def get_event_list(self) -> str:
        """The value of Allow-Events."""
        return self._registry.allow_events()
