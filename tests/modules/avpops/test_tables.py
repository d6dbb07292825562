from __future__ import annotations

from openpy.db import schema
from openpy.db.dialect import execute
from openpy.db.tables import columns_of, name_of
from openpy.db.url import DatabaseUrl
from openpy.modules.avpops.tables import COLUMNS, UsrPreferences, with_columns
from tests.modules.avpops.kit import connected
from tests.servers import DIALECTS

OF_1_3 = """CREATE TABLE usr_preferences (id {serial}, uuid VARCHAR(64) DEFAULT '' NOT NULL,
username VARCHAR(128) DEFAULT '0' NOT NULL, domain VARCHAR(64) DEFAULT '' NOT NULL, attribute VARCHAR(32) DEFAULT ''
NOT NULL, {type} INT DEFAULT 0 NOT NULL, {value} VARCHAR(128) DEFAULT '' NOT NULL,
last_modified {datetime} DEFAULT '1900-01-01 00:00:01' NOT NULL)"""

SERIALS = {
    "sqlite": "INTEGER PRIMARY KEY",
    "mysql": "INT AUTO_INCREMENT PRIMARY KEY",
    "postgres": "SERIAL PRIMARY KEY",
}


def test_columns_are_those_of_1_3() -> None:
    assert list(columns_of(UsrPreferences)) == [
        "uuid", "username", "domain", "attribute", "type", "value", "last_modified",
    ]  # fmt: skip
    assert UsrPreferences.table_version == 2
    assert set(COLUMNS) < set(columns_of(UsrPreferences))


def test_it_is_made_and_found_good(url: DatabaseUrl, kind: str) -> None:
    with connected(url) as connection:
        assert schema.create(DIALECTS[kind], connection, [UsrPreferences]) == ["usr_preferences"]
        assert schema.check(DIALECTS[kind], connection, [UsrPreferences]) == []
        assert schema.versions(DIALECTS[kind], connection, [UsrPreferences]) == {"usr_preferences": 2}


def test_the_one_of_1_3_is_good_whatever_its_version(url: DatabaseUrl, kind: str) -> None:
    dialect = DIALECTS[kind]
    with connected(url) as connection:
        names = {"type": dialect.quote("type"), "value": dialect.quote("value")}
        datetime = "TIMESTAMP" if kind == "postgres" else "DATETIME"
        execute(connection, OF_1_3.format(serial=SERIALS[kind], datetime=datetime, **names))
        assert schema.check(dialect, connection, [UsrPreferences]) == []


def test_columns_may_have_other_names() -> None:
    own = {column: column for column in COLUMNS}
    assert with_columns(own) is UsrPreferences
    other = with_columns({**own, "uuid": "id_of", "type": "kind"})
    columns = columns_of(other)
    assert name_of(other) == "usr_preferences"
    assert columns["id_of"] == 64
    assert "kind" in columns
    assert not {"uuid", "type"} & set(columns)
