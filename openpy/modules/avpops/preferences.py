"""The statements that read and write preferences: values are parameters, names come from the script alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openpy.db.dialect import Dialect
from openpy.db.executor import PlainStatement
from openpy.engine.avps import AvpName
from openpy.engine.module import Value
from openpy.modules.avpops.operands import Selection
from openpy.modules.avpops.schemes import Scheme
from openpy.modules.avpops.sources import Owner
from openpy.modules.avpops.values import plain

INTEGER_VALUE, INTEGER_NAME = 1, 2
"""Bits of the column `type`."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """A table of preferences: its name, and the names of its columns by those of 1.3."""

    dialect: Dialect
    table: str
    columns: Mapping[str, str]

    def load(self, owner: Owner, name: AvpName | None, table: str = "") -> PlainStatement:
        """Read value, attribute and type of all rows of an owner, or of those of one AVP."""
        conditions, values = self._conditions(owner, self.columns)
        if name is not None:
            conditions.append(self._equals("attribute", self.columns))
            values.append(str(name))
        wanted = ", ".join(self._column(column) for column in ("value", "attribute", "type"))
        return self._select(wanted, table or self.table, conditions), values

    def load_by(self, owner: Owner, scheme: Scheme) -> PlainStatement:
        """Read the values of an owner as a scheme says."""
        columns = {**self.columns, **scheme.columns}
        conditions, values = self._conditions(owner, columns)
        return self._select(self._quoted(columns["value"]), scheme.table or self.table, conditions), values

    def delete(
        self, owner: Owner, selection: Selection, name: AvpName | None, table: str = ""
    ) -> PlainStatement:
        """Delete the rows of an owner that are selected: of one AVP, or of all whose names are of a kind."""
        conditions, values = self._conditions(owner, self.columns)
        kind = selection.kind
        if name is not None:
            conditions.append(self._equals("attribute", self.columns))
            values.append(str(name))
            kind = "i" if isinstance(name, int) else "s"
        if kind != "a":
            bits = INTEGER_NAME if kind == "i" else 0
            conditions.append(f"{self._column('type')} & {INTEGER_NAME} = {bits}")
        return f"DELETE FROM {self._quoted(table or self.table)} WHERE {' AND '.join(conditions)}", values

    def insert(self, owner: Owner, name: AvpName, value: Value, table: str = "") -> PlainStatement:
        """Write a row with one value."""
        bits = (INTEGER_NAME if isinstance(name, int) else 0) | (
            INTEGER_VALUE if isinstance(value, int) else 0
        )
        row = {
            "uuid": owner.uuid or "",
            "attribute": str(name),
            "value": str(plain(value)),
            "type": bits,
            "username": owner.username or "",
            "domain": owner.domain or "",
        }
        names = ", ".join(map(self._column, row))
        marks = ", ".join([self.dialect.placeholder] * len(row))
        return f"INSERT INTO {self._quoted(table or self.table)} ({names}) VALUES ({marks})", list(
            row.values()
        )

    def _select(self, wanted: str, table: str, conditions: list[str]) -> str:
        return f"SELECT {wanted} FROM {self._quoted(table)} WHERE {' AND '.join(conditions)}"

    def _conditions(self, owner: Owner, columns: Mapping[str, str]) -> tuple[list[str], list[str | int]]:
        pairs = [(column, value) for column, value in owner._asdict().items() if value is not None]
        return [self._equals(column, columns) for column, _ in pairs], [value for _, value in pairs]

    def _equals(self, column: str, columns: Mapping[str, str]) -> str:
        return f"{self._quoted(columns[column])} = {self.dialect.placeholder}"

    def _column(self, column: str) -> str:
        return self._quoted(self.columns[column])

    def _quoted(self, name: str) -> str:
        """A name as an identifier; before a dot stands that of its database."""
        return ".".join(map(self.dialect.quote, name.split(".")))
