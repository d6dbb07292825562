"""The table of short numbers, as OpenSER 1.3 has it. Others fill it: openpy only reads."""

from __future__ import annotations

from typing import ClassVar

from openpy.db.tables import Table, text_column

__all__ = ["TABLES", "SpeedDial"]


class SpeedDial(Table):
    """One short number of a user a row. 1.3 does not look at the version."""

    table_version = 2
    newer_accepted = True
    oldest_version = 0
    needed: ClassVar[frozenset[str] | None] = frozenset(
        {"username", "domain", "sd_username", "sd_domain", "new_uri"}
    )

    username = text_column(64)
    domain = text_column(64)
    sd_username = text_column(64)
    sd_domain = text_column(64)
    new_uri = text_column(128)
    fname = text_column(64)
    lname = text_column(64)
    description = text_column(64)

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "speed_dial"
        indexes = ((("username", "domain", "sd_domain", "sd_username"), True),)


TABLES: tuple[type[Table], ...] = (SpeedDial,)
