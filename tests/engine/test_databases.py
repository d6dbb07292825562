from __future__ import annotations

import pytest

from openpy.db.threads import Threads
from openpy.engine.databases import database_at
from openpy.engine.module import ModuleError
from openpy.modules.sqlite.module import Sqlite


def test_a_database_speaks_the_dialect_of_its_module() -> None:
    module = Sqlite(services=None)  # type: ignore[arg-type]  # a declaration only
    database = database_at("sqlite:///:memory:", [module], lambda callback: None, Threads())
    assert database.dialect is module.dialect


@pytest.mark.parametrize(
    ("url", "text", "hint"),
    [
        ("mysql://u:p@h/d", "no database module for mysql: is loaded", 'add: loadmodule "mysql.so"'),
        ("nonsense", "", ""),
    ],
)
def test_a_database_that_nobody_speaks_for(url: str, text: str, hint: str) -> None:
    module = Sqlite(services=None)  # type: ignore[arg-type]
    with pytest.raises(ModuleError) as caught:
        database_at(url, [module], lambda callback: None, Threads())
    assert text in caught.value.message
    assert caught.value.hint == hint
