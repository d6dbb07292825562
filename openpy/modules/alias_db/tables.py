"""The table of aliases, as OpenSER 1.3 has it. Others fill it: openpy only reads."""

from __future__ import annotations

from typing import ClassVar

from openpy.db.tables import Table, text_column

__all__ = ["TABLES", "DbAliases"]


class DbAliases(Table):
    """One alias a row, and the user that it stands for. 1.3 does not look at the version."""

    table_version = 1
    newer_accepted = True
    oldest_version = 0
    needed: ClassVar[frozenset[str] | None] = frozenset(
        {"alias_username", "alias_domain", "username", "domain"}
    )

    alias_username = text_column(64)
    alias_domain = text_column(64)
    username = text_column(64)
    domain = text_column(64)

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "dbaliases"
        indexes = ((("alias_username", "alias_domain"), True), (("username", "domain"), False))


TABLES: tuple[type[Table], ...] = (DbAliases,)
