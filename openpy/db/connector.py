"""Connections made anew, however long it takes: what runs while the database is away.

Rules:
1. It works in a thread of its own, so that neither the loop nor the writer ever waits for a connection.
2. It tries at once, then after ever longer pauses, none longer than LONGEST_PAUSE.
3. What keeps the database from serving is logged when it changes, and once a minute.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from openpy.db.dialect import Connection
from openpy.db.errors import DatabaseError
from openpy.db.threads import THREADS, Repetition, Threads

__all__ = ["Connector"]

logger = logging.getLogger(__name__)

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 0.5
"""Seconds. A server that is back serves again after one pause and one connect."""

REMINDER = 60.0
"""Seconds between log lines about the same trouble."""

LAST_TRY = 3.0
"""Seconds that `stop` waits for a connect that is under way."""


class Connector:
    """Calls `connect` until it returns a connection, and hands this to `deliver`; both in its own thread.

    `connect` raises DatabaseError where it fails; it may also look whether what it finds can serve.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        deliver: Callable[[Connection], None],
        name: str,
        threads: Threads = THREADS,
    ) -> None:
        self._connect = connect
        self._deliver = deliver
        self._name = name
        self._threads = threads
        self._lock = threading.Lock()
        self._seeking = False
        self._search: Repetition | None = None
        self._stopped = False

    @property
    def is_seeking(self) -> bool:
        """Whether there is no connection, and one is sought."""
        return self._seeking

    def seek(self, reason: DatabaseError) -> None:
        """Bring a connection, since there is none for this reason. While one is sought this does nothing.

        May be called in any thread.
        """
        with self._lock:
            if not self._seeking and not self._stopped:
                self._seeking = True
                trouble = _Trouble(self._name, reason, self._threads.monotonic)
                self._search = self._threads.repeat("database connector", partial(self._try, trouble))

    def stop(self) -> None:
        """Seek no more."""
        self._stopped = True
        search = self._search
        if search is not None:
            search.stop(LAST_TRY)

    def _try(self, trouble: _Trouble) -> float | None:
        """Connect, and deliver; returns the seconds until the next try, if there has to be one."""
        try:
            connection = self._connect()
        except DatabaseError as error:
            trouble.met(error)
            return trouble.pause
        with self._lock:
            self._seeking = False  # before it is delivered, for it may be lost at once
        if self._stopped:
            connection.close()
        else:
            trouble.mended()
            self._deliver(connection)
        return None


class _Trouble:
    """What is said about a database that does not serve, and how long to wait until the next try."""

    def __init__(self, name: str, reason: DatabaseError, monotonic: Callable[[], float]) -> None:
        self.pause = 0.0
        self._name = name
        self._monotonic = monotonic
        self._begun = monotonic()
        self._say(str(reason))

    def met(self, error: DatabaseError) -> None:
        self.pause = min(2 * self.pause or FIRST_PAUSE, LONGEST_PAUSE)
        if str(error) != self._text or self._monotonic() - self._said >= REMINDER:
            self._say(str(error))

    def mended(self) -> None:
        logger.warning("connected to %s again, after %.1f s", self._name, self._monotonic() - self._begun)

    def _say(self, text: str) -> None:
        self._text = text
        self._said = self._monotonic()
        logger.warning("no connection to %s, trying on: %s", self._name, text)
