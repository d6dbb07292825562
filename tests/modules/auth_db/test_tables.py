from __future__ import annotations

from openpy.db.tables import columns_of, name_of
from openpy.modules.auth_db.tables import TABLES, Subscriber


def test_the_layout_is_that_of_1_3() -> None:
    assert list(TABLES) == [Subscriber]
    assert (name_of(Subscriber), Subscriber.table_version, Subscriber.newer_accepted) == (
        "subscriber",
        6,
        True,
    )
    assert list(columns_of(Subscriber)) == [
        *("username", "domain", "password", "first_name", "last_name", "email_address", "datetime_created"),
        *("ha1", "ha1b", "timezone", "rpid"),
    ]
