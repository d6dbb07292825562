"""The connection of one thread that waits for answers, made when it is needed and made anew when it was lost.

A thread that cannot connect answers with the error at once for PAUSE seconds: a queue must not try one by one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from openpy.db.dialect import Connection, Dialect, execute
from openpy.db.errors import DatabaseError, Unavailable

__all__ = ["PAUSE", "QUICK", "Session"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

PAUSE = 0.1
"""Seconds after a connect that failed in which none is tried."""

QUICK = 0.1
"""Seconds. What failed sooner for a lost connection, and changes nothing, is tried once more on a new one."""


class Session:
    """A connection and the way to get one. `connect` raises DatabaseError, or what the driver raises."""

    def __init__(
        self, connect: Callable[[], Connection], dialect: Dialect, monotonic: Callable[[], float]
    ) -> None:
        self._connect = connect
        self._dialect = dialect
        self._monotonic = monotonic
        self._connection: Connection | None = None
        self._away = DatabaseError()
        self._next_try = 0.0

    def read(self, work: Callable[[Connection], T]) -> T:
        """Work that changes nothing: where the connection was lost meanwhile, once more; raises DatabaseError."""
        begun = self._monotonic()
        is_old = self._connection is not None
        try:
            return self.change(work)
        except Unavailable:
            # The server may have been started anew since the last query; who waited for it must not wait twice.
            if not is_old or self._monotonic() - begun > QUICK:
                raise
        return self.change(work)

    def change(self, work: Callable[[Connection], T]) -> T:
        """Work that is tried once, since it may change something; raises DatabaseError."""
        try:
            if self._connection is None:
                self._connection = self._open()
            with self._dialect.explained():
                return work(self._connection)
        except Unavailable:
            self.close()
            raise

    def keep_alive(self) -> None:
        """Find out whether the connection is still there, so that nobody has to who waits."""
        if self._connection is not None and self._dialect.alive:
            try:
                execute(self._connection, self._dialect.alive)
            except Exception as exception:  # noqa: BLE001 - whatever it is, a new connection mends it
                logger.debug("a connection of a reader is given up: %s", exception)
                self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception as exception:  # noqa: BLE001 - some drivers refuse to close what is lost already
                logger.debug("closing the connection of a reader: %s", exception)

    def _open(self) -> Connection:
        if self._monotonic() < self._next_try:
            raise self._away
        try:
            with self._dialect.explained():
                return self._connect()
        except DatabaseError as error:
            self._away, self._next_try = error, self._monotonic() + PAUSE
            raise
