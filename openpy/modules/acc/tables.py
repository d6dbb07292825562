"""The tables of accounting: OpenSER 1.3's layout with wider columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from peewee import CharField, DateTimeField

from openpy.db.tables import CALL_ID_WIDTH, TAG_WIDTH, URI_WIDTH, Table

__all__ = ["COLUMNS", "TABLES", "VERSIONS", "Acc", "MissedCalls", "accounting_table"]

WIDTHS = (64, TAG_WIDTH, TAG_WIDTH, CALL_ID_WIDTH, 3, 128)
LEGACY_WIDTHS = (16, 64, 64, 64, 3, 32)
COLUMNS = ("method", "from_tag", "to_tag", "callid", "sip_code", "sip_reason", "time")


def accounting_table(
    name: str, version: int, columns: Sequence[str], extras: Sequence[str] = ()
) -> type[Table]:
    """A table of this name. `columns` are the names of those that `COLUMNS` names, `extras` those of further texts.

    A table that OpenSER does not know needs no entry in `version`: 1.3 never looks for one.
    """
    texts = dict(zip(columns, WIDTHS, strict=False))
    fields: dict[str, Any] = {column: CharField(width, default="") for column, width in texts.items()}
    fields[columns[-1]] = DateTimeField()
    fields |= {extra: CharField(URI_WIDTH, default="", null=True) for extra in extras}
    legacy = dict(zip(columns, LEGACY_WIDTHS, strict=False)) | dict.fromkeys(extras, 1)
    meta = type("Meta", (), {"table_name": name, "indexes": (((columns[3],), False),)})
    made: type[Table] = type(
        name,
        (Table,),
        {
            **fields,
            "__doc__": "Records of accounting.",
            "__module__": __name__,
            "Meta": meta,
            "table_version": version,
            "newer_accepted": True,
            "legacy_widths": legacy,
        },
    )
    return made


VERSIONS = {"acc": 4, "missed_calls": 3}

Acc = accounting_table("acc", VERSIONS["acc"], COLUMNS)
MissedCalls = accounting_table("missed_calls", VERSIONS["missed_calls"], COLUMNS)

TABLES: tuple[type[Table], ...] = (Acc, MissedCalls)
