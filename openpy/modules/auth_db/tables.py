"""The table of subscribers, as OpenSER 1.3 has it. Others fill it: openpy only reads."""

from __future__ import annotations

from typing import ClassVar

from peewee import CharField

from openpy.db.tables import Table, text_column, time_column

__all__ = ["TABLES", "Subscriber"]


class Subscriber(Table):
    """One account a row: `ha1` is MD5(user:realm:password), `ha1b` MD5(user@domain:realm:password)."""

    table_version = 6
    newer_accepted = True
    needed: ClassVar[frozenset[str] | None] = frozenset({"username", "domain", "password", "ha1", "ha1b"})

    username = text_column(64)
    domain = text_column(64)
    password = text_column(128)
    first_name = text_column(64)
    last_name = text_column(64)
    email_address = text_column(64)
    datetime_created = time_column()
    ha1 = text_column(64)
    ha1b = text_column(64)
    timezone = CharField(64, null=True)
    rpid = CharField(64, null=True)

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "subscriber"
        indexes = ((("username", "domain"), True), (("username",), False))


TABLES: tuple[type[Table], ...] = (Subscriber,)
