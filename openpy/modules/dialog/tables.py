"""The table of dialogs: OpenSER 1.3's layout with wider columns."""

from __future__ import annotations

from typing import ClassVar

from peewee import CharField, IntegerField

from openpy.db.tables import CALL_ID_WIDTH, TAG_WIDTH, URI_WIDTH, Table, columns_of

__all__ = ["COLUMNS", "TABLES", "DialogTable"]

CSEQ_WIDTH, ROUTES_WIDTH, SOCKET_WIDTH = 11, 1024, 64


class DialogTable(Table):
    """One dialog a row. Times are Unix times; states have 1.3's numbers."""

    table_version = 2
    legacy_widths: ClassVar[dict[str, int]] = {
        "from_uri": 128,
        "from_tag": 64,
        "to_uri": 128,
        "to_tag": 64,
        "caller_cseq": 7,
        "callee_cseq": 7,
        "caller_route_set": 512,
        "callee_route_set": 512,
        "caller_contact": 128,
        "callee_contact": 128,
    }

    hash_entry = IntegerField()
    hash_id = IntegerField()
    callid = CharField(CALL_ID_WIDTH)
    from_uri = CharField(URI_WIDTH)
    from_tag = CharField(TAG_WIDTH)
    to_uri = CharField(URI_WIDTH)
    to_tag = CharField(TAG_WIDTH)
    caller_cseq = CharField(CSEQ_WIDTH)
    callee_cseq = CharField(CSEQ_WIDTH)
    caller_route_set = CharField(ROUTES_WIDTH, null=True)
    callee_route_set = CharField(ROUTES_WIDTH, null=True)
    caller_contact = CharField(URI_WIDTH)
    callee_contact = CharField(URI_WIDTH)
    caller_sock = CharField(SOCKET_WIDTH)
    callee_sock = CharField(SOCKET_WIDTH)
    state = IntegerField()
    start_time = IntegerField()
    timeout = IntegerField()

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "dialog"
        indexes = ((("hash_entry", "hash_id"), False),)


COLUMNS = tuple(columns_of(DialogTable))
"""The columns by the names that 1.3 gives them, in the order of a row."""

TABLES: tuple[type[Table], ...] = (DialogTable,)
