"""Keeps each message once, and no more of one owner than there may be."""

from __future__ import annotations

from openpy.engine.merged import MergedRequests
from openpy.engine.run import Run
from openpy.modules.msilo.messages import Message, NotKept, Owner
from openpy.modules.msilo.store import Store


class Keeping:
    """The way into the store. Messages that are not committed yet count too."""

    __slots__ = ("_coming", "_merged", "_store")

    def __init__(self, store: Store, merged: MergedRequests) -> None:
        self._store = store
        self._merged = merged
        self._coming: dict[Owner, int] = {}

    async def keep(self, run: Run, message: Message, most: int) -> None:
        """Keep the message of a run; its owner has `most` at most, 0: any number. Raises NotKept, or DatabaseError."""
        if self._merged.holds(run.request):
            raise NotKept("it is a copy of one that came another way")
        owner, coming = message.owner, self._coming
        coming[owner] = coming.get(owner, 0) + 1
        try:
            if most and await self._store.count(run, owner) > most - coming[owner]:
                raise NotKept(f"{owner.uri} has {most} messages")
            await self._store.keep(run, message)
        finally:
            coming[owner] -= 1
            if not coming[owner]:
                del coming[owner]
