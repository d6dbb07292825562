from __future__ import annotations

import pytest

from openpy.engine.avps import Avp
from openpy.modules.avpops.operands import Selection
from openpy.modules.avpops.preferences import Preferences
from openpy.modules.avpops.schemes import Scheme
from openpy.modules.avpops.sources import Owner
from openpy.modules.avpops.tables import COLUMNS
from openpy.modules.avpops.values import kept
from tests.servers import DIALECTS

OWN = {column: column for column in COLUMNS}


@pytest.fixture
def preferences() -> Preferences:
    return Preferences(DIALECTS["sqlite"], "usr_preferences", OWN)


@pytest.mark.parametrize(
    ("owner", "conditions", "values"),
    [
        (Owner(uuid="u"), '"uuid" = ?', ["u"]),
        (Owner(username="bob"), '"username" = ?', ["bob"]),
        (Owner(domain="d"), '"domain" = ?', ["d"]),
        (Owner(username="bob", domain="d"), '"username" = ? AND "domain" = ?', ["bob", "d"]),
    ],
)
def test_owners(preferences: Preferences, owner: Owner, conditions: str, values: list[str]) -> None:
    select = f'SELECT "value", "attribute", "type" FROM "usr_preferences" WHERE {conditions}'
    assert preferences.load(owner, None) == (select, values)
    assert preferences.load(owner, 5, "db.t") == (
        select.replace('"usr_preferences"', '"db"."t"') + ' AND "attribute" = ?',
        [*values, "5"],
    )


def test_names_of_columns(preferences: Preferences) -> None:
    own = Preferences(DIALECTS["mysql"], "t", {**OWN, "uuid": "id", "type": "kind"})
    sql, _ = own.load(Owner(uuid="u"), None)
    assert sql == "SELECT `value`, `attribute`, `kind` FROM `t` WHERE `id` = %s"


def test_schemes(preferences: Preferences) -> None:
    scheme = Scheme("x", {"username": "owner", "value": "cents"}, "accounts")
    assert preferences.load_by(Owner(username="bob", domain="d"), scheme) == (
        'SELECT "cents" FROM "accounts" WHERE "owner" = ? AND "domain" = ?',
        ["bob", "d"],
    )
    assert preferences.load_by(Owner(uuid="u"), Scheme("y", {})) == (
        'SELECT "value" FROM "usr_preferences" WHERE "uuid" = ?',
        ["u"],
    )


@pytest.mark.parametrize(
    ("kind", "name", "condition", "values"),
    [
        ("a", None, "", []),
        ("s", None, ' AND "type" & 2 = 0', []),
        ("i", None, ' AND "type" & 2 = 2', []),
        ("", "x", ' AND "attribute" = ? AND "type" & 2 = 0', ["x"]),
        ("", 5, ' AND "attribute" = ? AND "type" & 2 = 2', ["5"]),
    ],
)
def test_deletions(
    preferences: Preferences, kind: str, name: str | int | None, condition: str, values: list[str]
) -> None:
    selection = Selection(None, kind) if kind else Selection(Avp("$avp(x)", name or ""))
    assert preferences.delete(Owner(uuid="u"), selection, name) == (
        f'DELETE FROM "usr_preferences" WHERE "uuid" = ?{condition}',
        ["u", *values],
    )


@pytest.mark.parametrize(
    ("name", "value", "row"),
    [
        ("x", "v", ["x", "v", 0]), ("x", -5, ["x", "-5", 1]), (5, "v", ["5", "v", 2]), (5, 6, ["5", "6", 3]),
        ("x", kept(7, "y"), ["x", "7", 1]),
    ],
)  # fmt: skip
def test_rows(preferences: Preferences, name: str | int, value: str | int, row: list[str | int]) -> None:
    sql, values = preferences.insert(Owner(username="bob"), name, value, "t")
    assert sql == (
        'INSERT INTO "t" ("uuid", "attribute", "value", "type", "username", "domain") VALUES (?, ?, ?, ?, ?, ?)'
    )
    assert values == ["", *row, "bob", ""]
