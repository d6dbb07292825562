from __future__ import annotations

from openpy.db.tables import columns_of, name_of
from openpy.modules.alias_db.tables import TABLES, DbAliases


def test_the_layout_is_that_of_1_3() -> None:
    assert list(TABLES) == [DbAliases]
    assert (name_of(DbAliases), DbAliases.table_version, DbAliases.oldest_version) == ("dbaliases", 1, 0)
    assert list(columns_of(DbAliases)) == ["alias_username", "alias_domain", "username", "domain"]
