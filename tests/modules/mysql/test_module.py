import importlib.util

import pytest

from openpy.engine.module import Module, ModuleError
from openpy.engine.modulefinder import find_module
from openpy.modules.mysql.dialect import DIALECT
from openpy.modules.mysql.module import Mysql


@pytest.mark.parametrize("path", ["mysql.so", "db_mysql.so", "/usr/lib/openser/modules/mysql.so"])
def test_a_database_module_is_its_dialect(path: str) -> None:
    assert find_module(path) is Mysql
    assert issubclass(Mysql, Module)
    assert Mysql.dialect is DIALECT
    assert Mysql.dialect.schemes == ("mysql",)


def test_without_the_driver_the_start_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Mysql(services=None)  # type: ignore[arg-type]
    module.check()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleError) as caught:
        module.check()
    assert caught.value.hint == 'run: pip install "openpy[mysql]"'
