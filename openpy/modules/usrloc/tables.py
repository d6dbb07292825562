"""The tables of contacts: OpenSER 1.3's layout with wider columns. A script may name any table of this layout."""

from __future__ import annotations

from typing import ClassVar

from peewee import SQL, CharField, DateTimeField, FloatField, IntegerField

from openpy.db.tables import CALL_ID_WIDTH, URI_WIDTH, Table, named

__all__ = ["COLUMNS", "TABLES", "Aliases", "Location"]


class Location(Table):
    """One contact a row. `expires` is time 0 for a permanent contact, `methods` NULL for all methods."""

    table_version = 1004
    newer_accepted = True
    legacy_widths: ClassVar[dict[str, int]] = {"username": 64, "domain": 64, "received": 128, "path": 128}

    username = CharField(URI_WIDTH, constraints=[SQL("DEFAULT ''")])
    domain = CharField(URI_WIDTH, null=True)
    contact = CharField(URI_WIDTH, constraints=[SQL("DEFAULT ''")])
    received = CharField(URI_WIDTH, null=True)
    path = CharField(URI_WIDTH, null=True)
    expires = DateTimeField(constraints=[SQL("DEFAULT '2020-05-28 21:32:15'")])
    q = FloatField(constraints=[SQL("DEFAULT 1.0")])
    callid = CharField(CALL_ID_WIDTH, constraints=[SQL("DEFAULT 'Default-Call-ID'")])
    cseq = IntegerField(constraints=[SQL("DEFAULT 13")])
    last_modified = DateTimeField(constraints=[SQL("DEFAULT '1900-01-01 00:00:01'")])
    flags = IntegerField(constraints=[SQL("DEFAULT 0")])
    cflags = IntegerField(constraints=[SQL("DEFAULT 0")])
    user_agent = CharField(255, constraints=[SQL("DEFAULT ''")])
    socket = CharField(64, null=True)
    methods = IntegerField(null=True)

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "location"
        indexes = ((("username", "domain", "contact"), False),)


Aliases = named(Location, "aliases")
"""Other names of users, as the stock script keeps them."""

COLUMNS = tuple(field.column_name for field in Location._meta.sorted_fields if field.column_name != "id")
"""The columns by the names that 1.3 gives them, in the order of a row."""

TABLES: tuple[type[Table], ...] = (Location, Aliases)
