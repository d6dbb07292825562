"""Sends what is kept, and deletes what has arrived.

Rules:
1. A row is deleted after the 2xx to its message, and by nothing else but its expiry. What was sent stays until then:
   a server that ends between the 2xx and the commit sends the message once more.
2. An owner's messages are sent one after the other, in the order in which they came. Where nobody is there (404, 408,
   410, 480, 5xx) the others wait for the next time; a message that is refused for itself does not hold them up.
3. What was answered 2xx and could not be deleted is not sent again: it is deleted when the database takes it.
4. A message that is under way and comes back to be kept (its owner has left meanwhile) is not kept a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from openpy.db.errors import DatabaseError
from openpy.engine.destinations import DestinationError
from openpy.engine.lookups import Lookups
from openpy.engine.module import Count
from openpy.engine.services import Services
from openpy.engine.waiting import Stepper, Wait
from openpy.modules.msilo.messages import Owner, Stored
from openpy.modules.msilo.store import Store
from openpy.modules.tm.api import Answer, OwnRequest, TmApi
from openpy.sip.errors import LocalError

MOST = 1000
"""Owners to whom messages are sent at the same time."""

NOBODY_THERE = frozenset((404, 408, 410, 480))


class Kind(NamedTuple):
    """A kind of messages: how one is written, and where it is counted."""

    written: Callable[[Stored], OwnRequest]
    arrived: Count
    failed: Count


class Delivery:
    """What is under way."""

    __slots__ = (
        "_again",
        "_call_ids",
        "_left",
        "_lookups",
        "_messages",
        "_reminders",
        "_reminding",
        "_running",
        "_services",
        "_store",
        "_tm",
    )

    def __init__(
        self, services: Services, store: Store, lookups: Lookups, tm: TmApi, messages: Kind, reminders: Kind
    ) -> None:
        self._services = services
        self._store = store
        self._lookups = lookups
        self._tm = tm
        self._messages = messages
        self._reminders = reminders
        self._running = True
        self._reminding = False
        self._again: dict[Owner, bool] = {}  # to whom messages are sent, and whether to look once more
        self._call_ids: set[str] = set()
        self._left: set[int] = set()  # rows of messages that have arrived

    def halt(self) -> None:
        """Begin nothing any more."""
        self._running = False

    def carries(self, call_id: str) -> bool:
        """Whether a message is one of those that are under way (rule 4)."""
        return call_id in self._call_ids

    # --- to one owner -------------------------------------------------------------------------------------------

    def begin(self, owner: Owner, *, with_reminders: bool) -> bool:
        """Send an owner's messages; False if too much is under way."""
        if owner in self._again:
            self._again[owner] = True
            return True
        if len(self._again) >= MOST or not self._running:
            return False
        self._again[owner] = True
        self._run(self._deliver(owner, with_reminders=with_reminders))
        return True

    async def _deliver(self, owner: Owner, *, with_reminders: bool) -> None:
        try:
            while self._again[owner] and self._running:
                self._again[owner] = False
                await self._send_all(owner, with_reminders=with_reminders)
        finally:
            del self._again[owner]

    async def _send_all(self, owner: Owner, *, with_reminders: bool) -> None:
        last = 0
        while found := await self._store.of(owner, self._now(), last, with_reminders=with_reminders):
            for stored in found:
                last = stored.id
                if stored.id in self._left:
                    continue
                status = await self._concluded(stored, self._messages, self._send(stored, self._messages))
                if not self._running or status in NOBODY_THERE or 500 <= status < 600:
                    return

    # --- reminders ----------------------------------------------------------------------------------------------

    def remind(self) -> None:
        """Send the reminders that are due, unless the last ones are still under way."""
        if not self._reminding and self._running:
            self._reminding = True
            self._run(self._remind())

    async def _remind(self) -> None:
        last, kind = 0, self._reminders
        try:
            while self._running and (found := await self._store.due(self._now(), last)):
                last = found[-1].id
                sent = [(stored, self._send(stored, kind)) for stored in found if stored.id not in self._left]
                for stored, exchange in sent:
                    await self._concluded(stored, kind, exchange)
        finally:
            self._reminding = False

    # --- one message --------------------------------------------------------------------------------------------

    def _send(self, stored: Stored, kind: Kind) -> tuple[str, Wait[Answer]]:
        request = kind.written(stored)
        self._call_ids.add(request.call_id)
        return request.call_id, self._tm.request(request)

    async def _concluded(self, stored: Stored, kind: Kind, exchange: tuple[str, Wait[Answer]]) -> int:
        """The status that a message was answered with; its row is deleted if it has arrived."""
        call_id, answer = exchange
        log, problem = self._services.log.warning, ""
        try:
            status = (await answer).status
        except DestinationError as error:
            status, problem = 503, str(error)
        except LocalError as error:  # what others have written into the row can be in no message
            status, problem = 400, str(error)
        finally:
            self._call_ids.discard(call_id)
        if not 200 <= status < 300:
            kind.failed.value += 1
            if not problem:
                log, problem = self._services.log.info, f"it was answered {status}"
            log("msilo", f"a message to {stored.message.owner.uri} stays: {problem}")
            return status
        kind.arrived.value += 1
        self._left.add(stored.id)
        if await self._deleted({stored.id}):
            self._left.discard(stored.id)  # whoever reads it waits for this
        return status

    # --- rows that are not wanted any more --------------------------------------------------------------------------

    def check(self) -> None:
        """Delete what has arrived, and is still there because the database was away."""
        if self._left and self._running:
            self._run(self._clear(set(self._left)))

    async def _clear(self, ids: set[int]) -> None:
        if await self._deleted(ids) and not (self._again or self._reminding):
            self._left -= ids  # nobody can have read them before

    async def _deleted(self, ids: set[int]) -> bool:
        try:
            await self._store.delete(ids)
        except DatabaseError as error:
            self._lookups.complain(error)
            return False
        return True

    def sweep(self) -> None:
        """Delete what has expired."""
        if self._running:
            self._run(self._sweep())

    async def _sweep(self) -> None:
        while self._running and (ids := await self._store.expired(self._now())):
            await self._store.delete(ids)

    # --- running ------------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return int(self._services.clock.wall())

    def _run(self, work: Coroutine[Any, None, Any]) -> None:
        Stepper(work, self._ended).step()

    def _ended(self, _: object, error: BaseException | None) -> None:
        if isinstance(error, DatabaseError):
            self._lookups.complain(error)
        elif error is not None:
            self._services.log.error("msilo", f"a delivery has failed: {error!r}")
