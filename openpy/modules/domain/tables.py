"""The table of domains, as OpenSER 1.3 has it. Others fill it: openpy only reads."""

from __future__ import annotations

from typing import ClassVar

from openpy.db.tables import Table, text_column, time_column

__all__ = ["TABLES", "Domain"]


class Domain(Table):
    """One domain a row that is served."""

    table_version = 1
    newer_accepted = True
    needed: ClassVar[frozenset[str] | None] = frozenset({"domain"})

    domain = text_column(64)
    last_modified = time_column()

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "domain"
        indexes = ((("domain",), True),)


TABLES: tuple[type[Table], ...] = (Domain,)
