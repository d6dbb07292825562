"""The start: the rows of a table become contacts again.

Rules:
1. Reading changes no row. What has expired meanwhile is taken in like the rest, and ended by its deadline.
2. Rows that cannot be understood are left alone, and told.
3. Rows are read in a thread and taken in slices, between which messages are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from openpy.db.dialect import Row
from openpy.engine.services import Services
from openpy.modules.usrloc.domain import Domain
from openpy.modules.usrloc.rows import Rows

SLICE = 128
"""Rows that are taken in before messages are read again: under 10 ms."""


async def load(services: Services, domain: Domain, rows: Rows, wanted: Callable[[], bool]) -> int:
    """Take in all rows; how many could not be understood. Raises DatabaseError. Ends early if no longer `wanted`."""
    skipped = 0
    found = rows.all()
    while wanted() and (some := await services.run_blocking(_next, found)):
        for row in some:
            item = rows.read(row)
            if item is None:
                skipped += 1
            else:
                domain.take(*item)
    return skipped


def _next(rows: Iterator[Row]) -> list[Row]:
    return list(islice(rows, SLICE))
