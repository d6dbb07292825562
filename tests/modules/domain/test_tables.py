from __future__ import annotations

from openpy.db.tables import columns_of, name_of
from openpy.modules.domain.tables import TABLES, Domain


def test_the_layout_is_that_of_1_3() -> None:
    assert list(TABLES) == [Domain]
    assert (name_of(Domain), Domain.table_version) == ("domain", 1)
    assert list(columns_of(Domain)) == ["domain", "last_modified"]
