from __future__ import annotations

from openpy.db.tables import columns_of, name_of
from openpy.modules.group.tables import TABLES, Grp, ReGrp


def test_the_layout_is_that_of_1_3() -> None:
    assert [(name_of(table), table.table_version) for table in TABLES] == [("grp", 2), ("re_grp", 1)]
    assert list(columns_of(Grp)) == ["username", "domain", "grp", "last_modified"]
    assert list(columns_of(ReGrp)) == ["reg_exp", "group_id"]
