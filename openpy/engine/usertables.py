"""Tables of users that scripts name, in which one row is looked up: what alias_db and speeddial have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

from openpy.db.tables import Table, reading
from openpy.engine.checks import identifier, switch
from openpy.engine.lookups import READ_ONLY_URL, DatabaseError, Lookups, Row, TableNames, spellings
from openpy.engine.module import Function, Module, Param
from openpy.engine.run import Run
from openpy.engine.services import Services
from openpy.sip.uri import Uri, without_prefix

__all__ = ["UserTable"]


class UserTable(Module, ABC):
    """A module whose functions look a row up in a table that the script names."""

    needs = ("database",)
    layout: ClassVar[type[Table]]
    """The table as OpenSER has it."""

    db_url = Param(str, READ_ONLY_URL, "Database of the table")
    user_column = Param(str, "username", "Column of the user", check=identifier)
    domain_column = Param(str, "domain", "Column of the user's domain", check=identifier)
    use_domain = Param(int, 0, "1: domains are compared too", check=switch)
    domain_prefix = Param(str, "", "What is taken off domains before that, such as `sip.`")

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._tables = TableNames()
        self._queries: dict[str, str] = {}

    @abstractmethod
    def users(self) -> list[str]:
        """The columns of users that are compared."""

    @abstractmethod
    def domains(self) -> list[str]:
        """Those of their domains, which are compared with `use_domain`."""

    @abstractmethod
    def columns(self) -> list[str]:
        """The columns that are read."""

    def functions(self) -> Iterator[Function]:
        """All script functions; the tables that they name are checked at the start."""
        return map(self._tables.noting, super().functions())

    def check(self) -> None:
        """Find the database; raises ModuleError."""
        self._lookups = Lookups(self.services, self.name, self.db_url)

    async def start(self) -> None:
        """Open the database, and check the tables that the script names; raises ModuleError."""
        users, columns, names = self.users(), self.columns(), self._tables.names
        domains = self.domains() if self.use_domain else []
        self._queries = {name: self._lookups.select(name, columns, users, domains) for name in names}
        self._lookups.open(reading(self.layout, [*users, *domains, *columns], name) for name in names)

    async def find(self, run: Run, table: str, users: Sequence[str], uris: Sequence[Uri]) -> Row | None:
        """What is read of the first row of these users, whose domains are those of `uris`; None: there is none, or
        nobody can tell."""
        hosts = [spelling for uri in uris for spelling in spellings(self.domain_of(uri))]
        try:
            rows = await self._lookups.ask(
                run, self._queries[table], *users, *(hosts if self.use_domain else ())
            )
        except DatabaseError:
            return None
        return rows[0] if rows else None

    def domain_of(self, uri: Uri) -> str:
        """The domain of a URI as the table has it; "" of one that has none."""
        return without_prefix(uri.host, self.domain_prefix) if uri.is_sip else ""
