from __future__ import annotations

from openpy.db.tables import columns_of, name_of
from openpy.modules.acc.tables import COLUMNS, TABLES, VERSIONS, Acc, MissedCalls, accounting_table


def test_the_tables_of_1_3() -> None:
    assert (Acc, MissedCalls) == TABLES
    assert {name_of(table): table.table_version for table in TABLES} == VERSIONS
    assert tuple(columns_of(Acc)) == COLUMNS == tuple(columns_of(MissedCalls))
    assert Acc.legacy_widths["sip_reason"] == 32


def test_a_table_of_the_scripts_own() -> None:
    table = accounting_table("mine", 0, ("m", "f", "t", "c", "s", "r", "at"), ("who", "what"))
    assert name_of(table) == "mine"
    assert list(columns_of(table)) == ["m", "f", "t", "c", "s", "r", "at", "who", "what"]
    assert columns_of(table)["at"] is None
