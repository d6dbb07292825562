"""The parameter `db_scheme`: how values are read from tables of another layout than the preferences have.

A scheme reads `name:element=value;element=value`. It gives the columns by which a user is found, the column of the
value, the type of the value and the table; what it does not name is as in the table of preferences.
"""

from __future__ import annotations

from dataclasses import dataclass

from openpy.engine.checks import identifier
from openpy.engine.module import ArgumentError

FORM = "write name:element=value;element=value"

COLUMNS = {"uuid_col": "uuid", "username_col": "username", "domain_col": "domain", "value_col": "value"}
"""The elements that name columns, and what 1.3 calls these in the table of preferences."""

ELEMENTS = (*COLUMNS, "value_type", "table")
TYPES = ("integer", "string")


@dataclass(frozen=True, slots=True)
class Scheme:
    """One scheme. `columns` are those that it names, by what they are in the table of preferences."""

    name: str
    columns: dict[str, str]
    table: str = ""
    is_integer: bool = False


def parse_scheme(text: str) -> Scheme:
    """Parse a scheme; raises ArgumentError."""
    name, colon, rest = text.partition(":")
    name = name.strip()
    if not colon or not name or len(name.split()) != 1:
        raise ArgumentError(f'"{text}" is no scheme; {FORM}')
    columns: dict[str, str] = {}
    table, is_integer = "", False
    for part in rest.removesuffix(";").split(";"):
        element, equals, value = (item.strip() for item in part.partition("="))
        element = element.lower()
        if not equals or not value:
            raise ArgumentError(f'"{part.strip()}" in the scheme {name} is no element; {FORM}')
        if element not in ELEMENTS:
            raise ArgumentError(
                f'"{element}" is no element of a scheme: there are {", ".join(ELEMENTS[:-1])} and {ELEMENTS[-1]}'
            )
        if element == "value_type":
            if value.lower() not in TYPES:
                raise ArgumentError(f'"{value}" is no value_type: there are {" and ".join(TYPES)}')
            is_integer = value.lower() == "integer"
        elif element == "table":
            table = identifier(value)
        else:
            columns[COLUMNS[element]] = identifier(value)
    return Scheme(name, columns, table, is_integer)
