"""The table of users' preferences: OpenSER 1.3's layout with wider columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from peewee import SQL, CharField, DateTimeField, IntegerField

from openpy.db.tables import URI_WIDTH, Table

__all__ = ["COLUMNS", "TABLES", "UsrPreferences", "with_columns"]

COLUMNS = ("uuid", "attribute", "value", "type", "username", "domain")
"""Those that the module uses, and that may have other names."""


class UsrPreferences(Table):
    """One value of one attribute of one user a row. Others write here too, so the database gives the ids.

    `type`: 1 is set where the value is an integer, 2 where the name of the attribute is one.
    """

    table_version = 2
    any_version = True
    legacy_widths: ClassVar[dict[str, int]] = {
        "username": 128,
        "domain": 64,
        "attribute": 32,
        "value": 128,
    }

    uuid = CharField(64, constraints=[SQL("DEFAULT ''")])
    username = CharField(URI_WIDTH, constraints=[SQL("DEFAULT '0'")])
    domain = CharField(URI_WIDTH, constraints=[SQL("DEFAULT ''")])
    attribute = CharField(64, constraints=[SQL("DEFAULT ''")])
    type = IntegerField(constraints=[SQL("DEFAULT 0")])
    value = CharField(URI_WIDTH, constraints=[SQL("DEFAULT ''")])
    last_modified = DateTimeField(constraints=[SQL("DEFAULT '1900-01-01 00:00:01'")])

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "usr_preferences"
        indexes = (
            (("uuid", "attribute"), False),
            (("username", "domain", "attribute"), False),
        )


TABLES: tuple[type[Table], ...] = (UsrPreferences,)


def with_columns(names: Mapping[str, str]) -> type[Table]:
    """The table whose columns have other names: `names`, by those of OpenSER."""
    fields = {own: _renamed(own, name) for own, name in names.items() if own != name}
    if not fields:
        return UsrPreferences
    meta = type("Meta", (), {"table_name": UsrPreferences._meta.table_name})
    return type(
        "RenamedPreferences", (UsrPreferences,), {**fields, "Meta": meta, "__doc__": UsrPreferences.__doc__}
    )


def _renamed(own: str, name: str) -> Any:
    field: Any = getattr(UsrPreferences, own)
    options = {"column_name": name, "constraints": field.constraints}
    return CharField(field.max_length, **options) if isinstance(field, CharField) else IntegerField(**options)
