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
from time import monotonic

from openpy.db.dialect import Connection
from openpy.db.errors import DatabaseError

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
        self, connect: Callable[[], Connection], deliver: Callable[[Connection], None], name: str
    ) -> None:
        self._connect = connect
        self._deliver = deliver
        self._name = name
        self._lock = threading.Lock()
        self._seeking = False
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    @property
    def is_seeking(self) -> bool:
        """Whether there is no connection, and one is sought."""
        return self._seeking

    def seek(self, reason: DatabaseError) -> None:
        """Bring a connection, since there is none for this reason. While one is sought this does nothing.

        May be called in any thread.
        """
        with self._lock:
            if not self._seeking and not self._stopped.is_set():
                self._seeking = True
                self._thread = threading.Thread(
                    target=self._work, args=(reason,), name="database connector", daemon=True
                )
                self._thread.start()

    def stop(self) -> None:
        """Seek no more."""
        self._stopped.set()
        thread = self._thread
        if thread is not None:
            thread.join(LAST_TRY)

    def _work(self, reason: DatabaseError) -> None:
        trouble = _Trouble(self._name, reason)
        pause = 0.0
        while not self._stopped.wait(pause):
            try:
                connection = self._connect()
            except DatabaseError as error:
                trouble.met(error)
                pause = min(2 * pause or FIRST_PAUSE, LONGEST_PAUSE)
                continue
            with self._lock:
                self._seeking = False  # before it is delivered, for it may be lost at once
            if self._stopped.is_set():
                connection.close()
            else:
                trouble.mended()
                self._deliver(connection)
            return


class _Trouble:
    """What is said about a database that does not serve."""

    def __init__(self, name: str, reason: DatabaseError) -> None:
        self._name = name
        self._begun = monotonic()
        self._say(str(reason))

    def met(self, error: DatabaseError) -> None:
        if str(error) != self._text or monotonic() - self._said >= REMINDER:
            self._say(str(error))

    def mended(self) -> None:
        logger.warning("connected to %s again, after %.1f s", self._name, monotonic() - self._begun)

    def _say(self, text: str) -> None:
        self._text = text
        self._said = monotonic()
        logger.warning("no connection to %s, trying on: %s", self._name, text)
