"""The table of messages that are kept: OpenSER 1.3's layout with wider columns."""

from __future__ import annotations

from typing import ClassVar

from peewee import SQL, BlobField, CharField, IntegerField

from openpy.db.tables import URI_WIDTH, Table, text_column

__all__ = ["COLUMNS", "TABLES", "Silo"]


def _time_column() -> IntegerField:
    return IntegerField(constraints=[SQL("DEFAULT 0")])


class Silo(Table):
    """One message a row. Times are Unix time; `snd_time` is 0 but for a reminder."""

    table_version = 5
    legacy_widths: ClassVar[dict[str, int]] = {
        "src_addr": 128,
        "dst_addr": 128,
        "username": 64,
        "domain": 64,
        "ctype": 32,
    }

    src_addr = text_column(URI_WIDTH)
    dst_addr = text_column(URI_WIDTH)
    username = text_column(URI_WIDTH)
    domain = text_column(URI_WIDTH)
    inc_time = _time_column()
    exp_time = _time_column()
    snd_time = _time_column()
    ctype = CharField(URI_WIDTH, constraints=[SQL("DEFAULT 'text/plain'")])
    body = BlobField()

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "silo"
        indexes = ((("username", "domain"), False),)


COLUMNS = tuple(field.column_name for field in Silo._meta.sorted_fields if field.column_name != "id")
"""The columns by the names that 1.3 gives them, in the order of a row."""

TABLES: tuple[type[Table], ...] = (Silo,)
