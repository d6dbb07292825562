from __future__ import annotations

from openpy.db.tables import columns_of, name_of
from openpy.modules.uri_db.tables import TABLES, Uri


def test_the_layout_is_that_of_1_3() -> None:
    assert list(TABLES) == [Uri]
    assert (name_of(Uri), Uri.table_version) == ("uri", 1)
    assert list(columns_of(Uri)) == ["username", "domain", "uri_user", "last_modified"]
