"""The tables of groups, as OpenSER 1.3 has them. Others fill them: openpy only reads."""

from __future__ import annotations

from typing import ClassVar

from peewee import SQL, IntegerField

from openpy.db.tables import Table, text_column, time_column

__all__ = ["TABLES", "Grp", "ReGrp"]


class Grp(Table):
    """One membership a row."""

    table_version = 2
    newer_accepted = True
    needed: ClassVar[frozenset[str] | None] = frozenset({"username", "domain", "grp"})

    username = text_column(64)
    domain = text_column(64)
    grp = text_column(64)
    last_modified = time_column()

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "grp"
        indexes = ((("username", "domain", "grp"), True),)


class ReGrp(Table):
    """One expression a row, and the number of the group of those whom it matches.

    1.3's own scripts make a text of the number, which its module then refuses; either is taken here.
    """

    table_version = 1
    newer_accepted = True
    needed: ClassVar[frozenset[str] | None] = frozenset({"reg_exp", "group_id"})

    reg_exp = text_column(128)
    group_id = IntegerField(constraints=[SQL("DEFAULT 0")])

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "re_grp"
        indexes = ((("group_id",), False),)


TABLES: tuple[type[Table], ...] = (Grp, ReGrp)
