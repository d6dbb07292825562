"""The documents that users keep by XCAP: presence rules, and hard state (pidf-manipulation, RFC 4827).

Rules:
1. All are in memory since the start, as they were read; each is parsed when it is first asked for.
2. The database is read again for one user when somebody says that his documents have changed (`reread`).
3. A document that is broken counts as rules that say nothing, so every watcher waits; a broken hard state as none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from openpy.db.database import Database
from openpy.db.dialect import Row
from openpy.db.errors import DatabaseError
from openpy.db.statements import TableSql
from openpy.documents import pidf, rules
from openpy.documents.pidf import Pidf
from openpy.documents.rules import Ruleset
from openpy.documents.xml import DocumentError
from openpy.engine.log import Log
from openpy.engine.waiting import Wait
from openpy.modules.presence_xml.tables import PIDF_MANIPULATION, PRES_RULES
from openpy.sip.errors import RemoteError

COLUMNS = ("id", "username", "domain", "doc", "doc_type", "doc_uri")

Owner = tuple[str, str]
"""User and domain, the domain in lower case."""

T = TypeVar("T")


class _Kept(Generic[T]):
    """One document: its octets, and what they were found to be."""

    __slots__ = ("body", "index", "parsed", "read")

    def __init__(self, body: bytes, index: bool) -> None:
        self.body = body
        self.index = index  # it is the one called `index`, which counts if there are several
        self.read = False
        self.parsed: T | None = None


class XcapDocuments:
    """The documents in one table. Before `load` nobody knows whether a user has any."""

    __slots__ = ("_database", "_hard_states", "_loaded", "_log", "_query", "_rules", "_table")

    def __init__(self, database: Database, table: TableSql, log: Log) -> None:
        self._database = database
        self._table = table
        self._log = log
        self._loaded = False
        self._rules: dict[Owner, _Kept[Ruleset]] = {}
        self._hard_states: dict[Owner, _Kept[Pidf]] = {}
        quote, mark = database.dialect.quote, database.dialect.placeholder
        columns = ", ".join(map(quote, COLUMNS))
        self._query = f"SELECT {columns} FROM {quote(table.name)} WHERE {quote('username')} = {mark}"

    def load(self) -> None:
        """Read all documents. Blocks; raises DatabaseError."""
        places = [0, *(1 + self._table.columns.index(name) for name in COLUMNS[1:])]
        self._rules.clear()
        self._hard_states.clear()
        self._take([row[place] for place in places] for row in self._database.rows(self._table))
        self._loaded = True

    async def reread(self, user: str, domain: str) -> None:
        """Read the documents of one user again; raises DatabaseError."""
        answer: Wait[list[Row]] = Wait()
        self._database.reader.query(self._query, (user,), partial(_answered, answer))
        rows = [row for row in await answer if row[2].lower() == domain]
        self._rules.pop((user, domain), None)
        self._hard_states.pop((user, domain), None)
        self._take(rows)

    def rules(self, user: str, domain: str) -> Ruleset | None:
        """The rules of a user, None if he has none; raises RemoteError (503) before they are loaded."""
        if not self._loaded:
            raise RemoteError(503, "Service Unavailable", (("Retry-After", "2"),))
        kept = self._rules.get((user, domain))
        if kept is None:
            return None
        if not kept.read:
            kept.read = True
            try:
                kept.parsed = rules.parse(kept.body)
            except DocumentError as error:
                self._log.warning("presence_xml", f"broken rules of {user}@{domain}: {error}")
                kept.parsed = Ruleset(())
        return kept.parsed

    def hard_state(self, user: str, domain: str) -> Pidf | None:
        """The hard state of a user, None if he has none."""
        kept = self._hard_states.get((user, domain))
        if kept is None:
            return None
        if not kept.read:
            kept.read = True
            try:
                kept.parsed = pidf.parse(kept.body)
            except DocumentError as error:
                self._log.warning("presence_xml", f"broken hard state of {user}@{domain}: {error}")
        return kept.parsed

    def _take(self, rows: Iterable[Sequence[Any]]) -> None:
        for _, user, domain, body, kind, name in rows:
            owner = (str(user), str(domain).lower())
            index = str(name).rpartition("/")[2] == "index"
            content = body.encode() if isinstance(body, str) else bytes(body)
            if kind == PRES_RULES:
                _keep(self._rules, owner, _Kept[Ruleset](content, index))
            elif kind == PIDF_MANIPULATION:
                _keep(self._hard_states, owner, _Kept[Pidf](content, index))


def _keep(documents: dict[Owner, _Kept[T]], owner: Owner, document: _Kept[T]) -> None:
    known = documents.get(owner)
    if known is None or document.index or not known.index:
        documents[owner] = document


def _answered(answer: Wait[list[Row]], rows: list[Row], error: DatabaseError | None) -> None:
    if error is None:
        answer.resolve(rows)
    else:
        answer.fail(error)
