"""Presentities that watch their watchers (RFC 3857)."""

from __future__ import annotations

from openpy.documents import watcherinfo
from openpy.testing.world import World
from openpy.useragent.subscription import NotifyState
from tests.simulation.phones import Handset, Watcher

WATCHERINFO = "application/watcherinfo+xml"


class Owner(Watcher):
    """Puts together what full and partial documents tell of the watchers of its presence."""

    event, accept = "presence.winfo", WATCHERINFO

    def __init__(self, world: World, handset: Handset, uri: str, expires: int) -> None:
        super().__init__(world, handset, uri, uri, expires)
        self._known: dict[str, str] = {}
        self._version = -1
        self._world = world

    @property
    def seen(self) -> list[str]:
        """Who watches, as it was told."""
        return sorted(self._known.values())

    def _told(self, state: NotifyState) -> None:
        super()._told(state)
        if state.state != "active":
            return
        told = watcherinfo.parse(state.body)
        if not told.full and told.version != self._version + 1:
            self._world.breach(
                f"{self.uri}: version {told.version} of watchers' information after {self._version}"
            )
        self._version = told.version
        if told.full:
            self._known.clear()
        for watchers in told.lists:
            for watcher in watchers.watchers:
                if watcher.status == "active":
                    self._known[watcher.id] = watcher.uri
                else:
                    self._known.pop(watcher.id, None)
