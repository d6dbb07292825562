"""Arguments of registrar."""

from __future__ import annotations

from typing import cast

import pytest

from openpy.engine.module import ArgumentError
from openpy.modules.registrar.arguments import SaveFlagsKind, TableKind
from openpy.modules.usrloc.api import UsrlocApi


class Usrloc:
    def __init__(self, db_mode: int = 0) -> None:
        self.db_mode = db_mode
        self.tables: list[str] = []
        self.register = self.tables.append


def test_usrloc_hears_of_a_table() -> None:
    usrloc = Usrloc()
    kind = TableKind(lambda: cast(UsrlocApi, usrloc))
    assert kind.convert("location", None) == "location"
    assert usrloc.tables == ["location"]
    assert TableKind().convert("location", None) == "location"
    with pytest.raises(ArgumentError, match="the name of a table is missing"):
        kind.convert("", None)


@pytest.mark.parametrize(("text", "flags"), [("", 0), ("0", 0), ("1", 1), ("0x02", 2), ("0x3", 3)])
def test_flags(text: str, flags: int) -> None:
    assert SaveFlagsKind().convert(text, None) == flags


@pytest.mark.parametrize(
    ("text", "told"), [("0x8", "bad flags <0x8>"), ("-1", "bad flags"), ("two", "is no number")]
)
def test_bad_flags(text: str, told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        SaveFlagsKind().convert(text, None)


def test_memory_only_is_not_for_database_only() -> None:
    kind = SaveFlagsKind(lambda: cast(UsrlocApi, Usrloc(3)))
    assert kind.convert("2", None) == 2
    with pytest.raises(ArgumentError, match="db_mode 3"):
        kind.convert("1", None)
