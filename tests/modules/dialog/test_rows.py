"""Rows and dialogs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openpy.db.statements import Delete, TableSql
from openpy.db.tables import columns_of
from openpy.modules.dialog.record import Dialog, Leg, Name
from openpy.modules.dialog.rows import Misfit, delete, read, upsert
from openpy.modules.dialog.states import State
from openpy.modules.dialog.tables import COLUMNS, DialogTable
from openpy.modules.sqlite.dialect import SqliteDialect

TABLE = TableSql(SqliteDialect(), "dialog", COLUMNS, columns_of(DialogTable))
CALLER = Leg(
    "a", "sip:a@x", 7, "sip:a@192.0.2.1", ("<sip:p2;lr>", '"A, B" <sip:p1;lr>'), "udp:127.0.0.1:5060"
)
CALLEE = Leg("b", "sip:b@x", 2**31 - 1, "sip:b@192.0.2.9", (), "tcp:[::1]:5060")


def dialog() -> Dialog:
    return Dialog(Name(4095, 2**31 - 1), "call", CALLER, CALLEE, State.CONFIRMED, 1000, 44200)


def row(**changes: object) -> tuple[Any, ...]:
    values = dict(zip(COLUMNS, upsert(TABLE, 5, dialog()).values, strict=True)) | changes
    return (5, *values.values())


def test_there_and_back() -> None:
    (found,), skipped = read([row()])
    assert skipped == 0
    for name in ("name", "call_id", "caller", "callee", "state", "started", "ends"):
        assert getattr(found, name) == getattr(dialog(), name), name
    assert found.row == 5


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"state": 1}, (0, 0)),
        ({"state": 5}, (0, 0)),
        ({"state": 3}, (1, 0)),
        ({"state": 9}, (0, 1)),
        ({"caller_cseq": "x"}, (0, 1)),
        ({"timeout": None}, (0, 1)),
        ({"caller_cseq": ""}, (1, 0)),
    ],
)
def test_rows_of_others(changes: dict[str, object], counts: tuple[int, int]) -> None:
    found, skipped = read([row(**changes)])
    assert (len(found), skipped) == counts


def test_what_does_not_fit() -> None:
    wide = dialog()
    wide.callee = replace(CALLEE, contact="sip:" + "b" * 300)
    with pytest.raises(Misfit, match="callee_contact"):
        upsert(TABLE, 5, wide)


def test_no_more_row() -> None:
    assert delete(TABLE, 5) == Delete(TABLE, 5)
