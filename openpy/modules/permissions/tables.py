"""The tables of addresses and of trusted peers, as OpenSER 1.3 has them. Others fill them: openpy only reads."""

from __future__ import annotations

from typing import ClassVar

from peewee import SQL, CharField, IntegerField

from openpy.db.tables import Table

__all__ = ["TABLES", "Address", "Trusted"]

ADDRESS_WIDTH = 50


class Trusted(Table):
    """A peer a row: where it sends from, by which transport, and in whose name."""

    table_version = 4
    newer_accepted = True
    oldest_version = 3
    needed: ClassVar[frozenset[str] | None] = frozenset({"src_ip", "proto", "from_pattern", "tag"})

    src_ip = CharField(ADDRESS_WIDTH)
    proto = CharField(4)
    from_pattern = CharField(64, null=True)
    tag = CharField(32, null=True)

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "trusted"
        indexes = ((("src_ip",), False),)


class Address(Table):
    """An address or network a row, and the group that it is in. OpenSER's column has room for IPv4 only."""

    table_version = 3
    newer_accepted = True
    needed: ClassVar[frozenset[str] | None] = frozenset({"grp", "ip_addr", "mask", "port"})

    grp = IntegerField(constraints=[SQL("DEFAULT 0")])
    ip_addr = CharField(ADDRESS_WIDTH)
    mask = IntegerField(constraints=[SQL("DEFAULT 32")])
    port = IntegerField(constraints=[SQL("DEFAULT 0")])

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "address"


TABLES: tuple[type[Table], ...] = (Trusted, Address)
