import importlib.util

import pytest

from openpy.engine.module import Module, ModuleError
from openpy.engine.modulefinder import find_module
from openpy.modules.postgres.dialect import DIALECT
from openpy.modules.postgres.module import Postgres


@pytest.mark.parametrize("path", ["postgres.so", "db_postgres.so", "/usr/lib/openser/modules/postgres.so"])
def test_a_database_module_is_its_dialect(path: str) -> None:
    assert find_module(path) is Postgres
    assert issubclass(Postgres, Module)
    assert Postgres.dialect is DIALECT
    assert Postgres.dialect.schemes == ("postgres", "postgresql")


def test_without_the_driver_the_start_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Postgres(services=None)  # type: ignore[arg-type]
    module.check()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleError) as caught:
        module.check()
    assert caught.value.hint == 'run: pip install "openpy[postgres]"'
