from __future__ import annotations

from openpy.db.tables import columns_of, name_of
from openpy.modules.dispatcher.tables import TABLES, Dispatcher


def test_the_layout_is_that_of_1_3() -> None:
    assert list(TABLES) == [Dispatcher]
    assert (name_of(Dispatcher), Dispatcher.table_version, Dispatcher.newer_accepted) == (
        "dispatcher",
        1,
        False,
    )
    assert columns_of(Dispatcher) == {"setid": None, "destination": 192, "description": 64}
