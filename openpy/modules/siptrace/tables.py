"""The table of traced messages: OpenSER 1.3's layout with wider columns."""

from __future__ import annotations

from typing import ClassVar

from peewee import TextField

from openpy.db.tables import CALL_ID_WIDTH, TAG_WIDTH, URI_WIDTH, Table, columns_of, text_column, time_column

__all__ = ["COLUMNS", "TABLES", "SipTrace"]


class SipTrace(Table):
    """One message a row, for each user who is traced. 1.3 does not look at the version."""

    table_version = 1
    any_version = True
    legacy_widths: ClassVar[dict[str, int]] = {
        "traced_user": 128,
        "fromip": 50,
        "toip": 50,
        "fromtag": 64,
    }

    date = time_column()
    callid = text_column(CALL_ID_WIDTH)
    traced_user = text_column(URI_WIDTH)
    msg = TextField()
    method = text_column(50)
    status = text_column(128)
    fromip = text_column(64)
    toip = text_column(64)
    fromtag = text_column(TAG_WIDTH)
    direction = text_column(4)

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "sip_trace"
        indexes = (
            (("traced_user",), False),
            (("date",), False),
            (("fromip",), False),
            (("callid",), False),
        )


COLUMNS = tuple(columns_of(SipTrace))
"""The columns by the names that 1.3 gives them, in the order of a row."""

TABLES: tuple[type[Table], ...] = (SipTrace,)
