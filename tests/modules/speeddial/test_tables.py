from __future__ import annotations

from openpy.db.tables import columns_of, name_of
from openpy.modules.speeddial.tables import TABLES, SpeedDial


def test_the_layout_is_that_of_1_3() -> None:
    assert list(TABLES) == [SpeedDial]
    assert (name_of(SpeedDial), SpeedDial.table_version, SpeedDial.oldest_version) == ("speed_dial", 2, 0)
    assert list(columns_of(SpeedDial)) == [
        *("username", "domain", "sd_username", "sd_domain", "new_uri", "fname", "lname", "description"),
    ]
