"""Rows and contacts: which columns hold what, and the operations that write them.

Rules:
1. A row is addressed by the id that memory keeps. A refresh writes only the columns that change.
2. Values from outside are checked against the real widths before a row is submitted, so that the refusal can name the
   field.
3. A contact that is only for memory has no row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openpy.db.database import Database
from openpy.db.dialect import Row
from openpy.db.statements import Delete, Operation, TableSql, Update, Upsert
from openpy.db.tables import Table
from openpy.modules.usrloc.contacts import ALL_METHODS, MEMORY_ONLY, UNSET_Q, Contact, Contacts
from openpy.modules.usrloc.localtimes import from_column, to_column
from openpy.modules.usrloc.tables import COLUMNS

_SIGN = 1 << 31
_REFRESHED = ("expires", "cseq", "last_modified")
_KEY = ("username", "domain")


class Misfit(Exception):
    """A value that cannot be stored; `column` is 1.3's name of the column."""

    def __init__(self, column: str) -> None:
        super().__init__(f"the value of {column} cannot be stored")
        self.column = column


class Rows:
    """One table of contacts in a database."""

    def __init__(self, database: Database, table: type[Table], *, use_domain: bool) -> None:
        """Check (or make) the table; raises DatabaseError. `use_domain`: an AoR is `user@domain`, else `user`."""
        self.database = database
        self.writer = database.writer
        self.use_domain = use_domain
        self.table: TableSql = database.use(table)
        self._columns = dict(zip(COLUMNS, self.table.columns, strict=True))
        self._names = {column: name for name, column in self._columns.items()}
        self._refresh = self.table.update(*(self._columns[name] for name in _REFRESHED))
        self._change = self.table.update(*(self._columns[name] for name in COLUMNS if name not in _KEY))

    def new_id(self) -> int:
        """The id of a new contact; raises Unavailable."""
        return self.database.next_id(self.table)

    # --- writing ------------------------------------------------------------------------------------------------

    def difference(self, aor: str, before: Contacts, after: Contacts) -> list[Operation]:
        """What makes the rows of an AoR those of other contacts; raises Misfit."""
        if len(before) == len(after) == 1 and before[0].id == after[0].id:
            return self._changed(aor, before[0], after[0])
        known = {contact.id: contact for contact in before}
        operations: list[Operation] = []
        for contact in after:
            operations += self._changed(aor, known.pop(contact.id, None), contact)
        for contact in known.values():
            if not contact.flags & MEMORY_ONLY:
                operations.append(Delete(self.table, contact.id))
        return operations

    def _changed(self, aor: str, old: Contact | None, contact: Contact) -> list[Operation]:
        if contact is old:
            return []
        had_row = old is not None and not old.flags & MEMORY_ONLY
        if contact.flags & MEMORY_ONLY:
            return [Delete(self.table, contact.id)] if had_row else []
        if old is not None and had_row:
            return [self._update(old, contact)]
        return [self.whole(aor, contact)]

    def whole(self, aor: str, contact: Contact) -> Upsert:
        """The whole row; raises Misfit."""
        user, domain = self._split(aor)
        values = (user, domain, *_values(contact))
        self._check(self.table.misfit(values))
        return Upsert(self.table, contact.id, values)

    def _update(self, old: Contact, contact: Contact) -> Update:
        if contact.is_refresh_of(old):
            times = to_column(contact.expires), contact.cseq, to_column(contact.modified)
            return Update(self._refresh, contact.id, times)
        values = _values(contact)
        self._check(self._change.misfit(values))
        return Update(self._change, contact.id, values)

    def delete(self, id_: int) -> Delete:
        """No more row."""
        return Delete(self.table, id_)

    def _check(self, column: str | None) -> None:
        if column is not None:
            raise Misfit(self._names[column])

    def _split(self, aor: str) -> tuple[str, str | None]:
        if not self.use_domain:
            return aor, None
        user, _, domain = aor.rpartition("@")
        return user, domain

    # --- reading ------------------------------------------------------------------------------------------------

    def all(self) -> Iterator[Row]:
        """All rows, as `contact` reads them. Blocks; may be called in any thread. Raises DatabaseError."""
        return self.database.rows(self.table)

    def query(self, aor: str) -> tuple[str, Row]:
        """The query for the rows of an AoR, as `contact` reads them, and its parameters."""
        dialect = self.database.dialect
        user, domain = self._split(aor)
        where = f"{dialect.quote(self._columns['username'])} = {dialect.placeholder}"
        values: Row = (user,)
        if self.use_domain:
            where += f" AND {dialect.quote(self._columns['domain'])} = {dialect.placeholder}"
            values = (user, domain)
        return f"{self.table.select} WHERE {where}", values

    def portion_query(self, number: int, of: int) -> str:
        """The query for the rows whose id leaves this remainder, as `contact` reads them; `of` is a power of 2."""
        return f"{self.table.select} WHERE (id & {of - 1}) = {number}"

    def expired_query(self, now: int) -> tuple[str, Row]:
        """The query for the ids of rows that have expired."""
        dialect = self.database.dialect
        expires, mark = dialect.quote(self._columns["expires"]), dialect.placeholder
        table = dialect.quote(self.table.name)
        # text, as the column holds it: a permanent contact is before every day of 1970's second half
        return (
            f"SELECT id FROM {table} WHERE {expires} < {mark} AND {expires} > {mark}",
            (to_column(now + 1), "1971-01-01 00:00:00"),
        )

    def read(self, row: Row) -> tuple[str, Contact] | None:
        """The AoR and contact of a row; None for one that cannot be understood."""
        id_, *values = row
        item: dict[str, Any] = dict(zip(COLUMNS, values, strict=True))
        user, domain = item["username"], item["domain"] or ""
        if not user or (self.use_domain and not domain):
            return None
        try:
            contact = Contact(
                id_,
                item["contact"],
                from_column(item["expires"]),
                UNSET_Q if item["q"] < 0 else round(item["q"] * 1000),
                item["callid"],
                item["cseq"],
                from_column(item["last_modified"]),
                flags=item["flags"] % (2 * _SIGN),
                branch_flags=item["cflags"] % (2 * _SIGN),
                user_agent=item["user_agent"],
                received=item["received"] or "",
                path=item["path"] or "",
                socket=item["socket"] or "",
                methods=ALL_METHODS if item["methods"] is None else item["methods"] % (2 * _SIGN),
            )
        except (TypeError, ValueError):
            return None
        return f"{user}@{domain}" if self.use_domain else user, contact


def _values(contact: Contact) -> Row:
    """The columns of a contact from `contact` on."""
    return (
        contact.uri,
        contact.received or None,
        contact.path or None,
        to_column(contact.expires),
        -1.0 if contact.q == UNSET_Q else contact.q / 1000,
        contact.call_id,
        contact.cseq,
        to_column(contact.modified),
        _signed(contact.flags),
        _signed(contact.branch_flags),
        contact.user_agent,
        contact.socket or None,
        None if contact.methods == ALL_METHODS else _signed(contact.methods),
    )


def _signed(mask: int) -> int:
    """32 bits as the columns hold them."""
    return mask - 2 * _SIGN if mask >= _SIGN else mask
