from __future__ import annotations

from openpy.db.tables import columns_of, name_of
from openpy.modules.permissions.tables import TABLES, Address, Trusted


def test_the_layout_is_that_of_1_3() -> None:
    assert list(TABLES) == [Trusted, Address]
    assert (name_of(Trusted), Trusted.table_version, Trusted.oldest_version) == ("trusted", 4, 3)
    assert list(columns_of(Trusted)) == ["src_ip", "proto", "from_pattern", "tag"]
    assert (name_of(Address), Address.table_version) == ("address", 3)
    assert list(columns_of(Address)) == ["grp", "ip_addr", "mask", "port"]
