"""The table of XCAP documents: OpenSER 1.3's layout with wider columns."""

from __future__ import annotations

from typing import ClassVar

from peewee import BlobField, CharField, IntegerField

from openpy.db.tables import URI_WIDTH, Table

__all__ = ["TABLES", "Xcap"]

PRES_RULES = 2
PIDF_MANIPULATION = 16
"""Values of `doc_type`."""


class Xcap(Table):
    """One document a row, written by an XCAP server."""

    table_version = 3
    legacy_widths: ClassVar[dict[str, int]] = {"username": 64, "domain": 64, "doc_uri": 128}

    username = CharField(URI_WIDTH)
    domain = CharField(URI_WIDTH)
    doc = BlobField()
    doc_type = IntegerField()
    etag = CharField(64)
    source = IntegerField()
    doc_uri = CharField(URI_WIDTH)
    port = IntegerField()

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "xcap"
        indexes = (
            (("username", "domain", "doc_type", "doc_uri"), True),
            (("source",), False),
        )


TABLES: tuple[type[Table], ...] = (Xcap,)
