"""The table of URIs, as OpenSER 1.3 has it. Others fill it: openpy only reads."""

from __future__ import annotations

from typing import ClassVar

from openpy.db.tables import Table, text_column, time_column

__all__ = ["TABLES", "Uri"]


class Uri(Table):
    """One user of URIs a row that an account may use."""

    table_version = 1
    newer_accepted = True
    needed: ClassVar[frozenset[str] | None] = frozenset({"username", "domain", "uri_user"})

    username = text_column(64)
    domain = text_column(64)
    uri_user = text_column(64)
    last_modified = time_column()

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "uri"
        indexes = ((("username", "domain", "uri_user"), True),)


TABLES: tuple[type[Table], ...] = (Uri,)
