"""A table that is kept in memory: read at the start, and again when management says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from openpy.engine.log import Log
from openpy.engine.lookups import DatabaseError, Lookups, Row
from openpy.engine.mi import MiError
from openpy.engine.services import Services

__all__ = ["KeptTable", "tell_problems"]

ORIGIN = "permissions"

MOST_TOLD = 10
"""Rows that cannot be used, and are told one by one."""


class Content(Protocol):
    """What is made of rows."""

    problems: list[str]
    """The rows that cannot be used."""


T = TypeVar("T", bound=Content)


class KeptTable(Generic[T]):
    """What `make` makes of all rows; None until they are read."""

    def __init__(
        self,
        services: Services,
        lookups: Lookups,
        table: str,
        columns: Sequence[str],
        make: Callable[[list[Row]], T],
    ) -> None:
        self._services = services
        self._lookups = lookups
        self._table = table
        self._query = lookups.select(table, columns)
        self._make = make
        self.content: T | None = None

    def read(self) -> None:
        """Read it at the start, or as soon as the server is there; raises ModuleError where the server refuses."""
        self._lookups.keep(self._query, lambda rows: self._take(self._make(rows)))

    async def read_again(self, failure: str) -> None:
        """Read it again; raises MiError with the text `failure`, and then what was kept stays."""
        try:
            rows = await self._lookups.rows(self._query)
        except DatabaseError as error:
            self._services.log.error(ORIGIN, f"{failure}: {error}")
            raise MiError(400, failure) from None
        self._take(await self._services.run_blocking(self._make, rows))

    def _take(self, content: T) -> None:
        tell_problems(self._services.log, self._table, content.problems)
        self.content = content


def tell_problems(log: Log, table: str, problems: Sequence[str]) -> None:
    """Log the rows that cannot be used, the first ones one by one."""
    lines = [*problems[:MOST_TOLD]]
    if len(problems) > MOST_TOLD:
        lines.append(f"{len(problems) - MOST_TOLD} further rows are left out")
    for line in lines:
        log.error(ORIGIN, f"table {table}: {line}")
