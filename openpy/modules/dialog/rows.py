"""Rows and dialogs: which columns hold what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openpy.db.dialect import Row
from openpy.db.statements import Delete, TableSql, Upsert
from openpy.modules.dialog.record import Dialog, Leg, Name
from openpy.modules.dialog.states import LIVE, State
from openpy.modules.dialog.tables import COLUMNS
from openpy.sip.errors import RemoteError
from openpy.sip.headers import split_list


class Misfit(Exception):
    """A value that cannot be stored: too long for its column, or no UTF-8."""


def upsert(table: TableSql, id_: int, dialog: Dialog) -> Upsert:
    """The whole row; raises Misfit."""
    caller, callee = dialog.caller, dialog.callee
    values: Row = (
        dialog.name.entry,
        dialog.name.number,
        dialog.call_id,
        caller.uri,
        caller.tag,
        callee.uri,
        callee.tag,
        str(caller.cseq),
        str(callee.cseq),
        ",".join(caller.routes) or None,
        ",".join(callee.routes) or None,
        caller.contact,
        callee.contact,
        caller.socket,
        callee.socket,
        int(dialog.state),
        dialog.started,
        dialog.ends,
    )
    column = table.misfit(values)
    if column is not None:
        raise Misfit(f"the value of {column} cannot be stored")
    return Upsert(table, id_, values)


def delete(table: TableSql, id_: int) -> Delete:
    """No more row."""
    return Delete(table, id_)


def read(rows: Iterable[Row]) -> tuple[list[Dialog], int]:
    """The dialogs that rows hold, and how many rows could not be understood; what was never answered is left out."""
    found, skipped = [], 0
    for row in rows:
        try:
            dialog = _dialog(row)
        except (TypeError, ValueError, RemoteError):
            skipped += 1
        else:
            if dialog.state in LIVE:
                found.append(dialog)
    return found, skipped


def _dialog(row: Row) -> Dialog:
    id_, *values = row
    item: dict[str, Any] = dict(zip(COLUMNS, values, strict=True))
    return Dialog(
        Name(int(item["hash_entry"]), int(item["hash_id"])),
        item["callid"],
        _leg(item, "from", "caller"),
        _leg(item, "to", "callee"),
        State(item["state"]),
        int(item["start_time"]),
        int(item["timeout"]),
        int(id_),
    )


def _leg(item: dict[str, Any], address: str, side: str) -> Leg:
    routes = item[f"{side}_route_set"] or ""
    return Leg(
        item[f"{address}_tag"],
        item[f"{address}_uri"],
        int(item[f"{side}_cseq"] or 0),
        item[f"{side}_contact"],
        tuple(split_list(routes)) if routes else (),
        item[f"{side}_sock"],
    )
