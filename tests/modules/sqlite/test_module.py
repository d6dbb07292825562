from openpy.engine.module import Module
from openpy.modules.sqlite.dialect import DIALECT
from openpy.modules.sqlite.module import Sqlite


def test_a_database_module_is_its_dialect() -> None:
    assert issubclass(Sqlite, Module)
    assert Sqlite.name == "sqlite"
    assert Sqlite.dialect is DIALECT
    assert Sqlite.dialect.schemes == ("sqlite",)
