"""The table of destinations, as OpenSER 1.3 has it. Others fill it: openpy only reads."""

from __future__ import annotations

from typing import ClassVar

from peewee import SQL, IntegerField

from openpy.db.tables import Table, text_column

__all__ = ["TABLES", "Dispatcher"]


class Dispatcher(Table):
    """One destination of a set a row."""

    table_version = 1
    needed: ClassVar[frozenset[str] | None] = frozenset({"setid", "destination"})

    setid = IntegerField(constraints=[SQL("DEFAULT 0")])
    destination = text_column(192)
    description = text_column(64)

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "dispatcher"


TABLES: tuple[type[Table], ...] = (Dispatcher,)
