"""Rows and contacts, in every database."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from openpy.db.batch import Batch
from openpy.db.database import Database
from openpy.db.dialect import fetch
from openpy.db.statements import Delete, Update, Upsert
from openpy.db.tables import with_columns
from openpy.modules.usrloc.contacts import MEMORY_ONLY, Contact
from openpy.modules.usrloc.rows import Misfit, Rows
from openpy.modules.usrloc.tables import Location
from tests.modules.presence.kit import Memory
from tests.modules.usrloc.kit import NOW, contact, renewed
from tests.servers import DIALECTS, Databases, databases

__all__ = ["databases"]

FULL = {
    "expires": NOW + 3600,
    "q": 705,
    "call_id": "c\u00e9",
    "cseq": 2**31 - 1,
    "modified": NOW,
    "flags": 0,
    "branch_flags": 0xFFFFFFFE,
    "user_agent": 'a "phone" \\ of it\'s own',
    "received": "sip:192.0.2.1:1024;transport=tcp",
    "path": "<sip:p@192.0.2.2;lr>",
    "socket": "udp:192.0.2.3:5060",
    "methods": 0x1FFF,
}


def rows_of(use_domain: bool = False, memory: Memory | None = None, **columns: str) -> Rows:
    database = cast(Database, memory or Memory())
    return Rows(database, with_columns(Location, "location", columns), use_domain=use_domain)


def same(one: Contact, other: Contact) -> bool:
    names = Contact.__slots__
    return [getattr(one, name) for name in names] == [getattr(other, name) for name in names]


@pytest.mark.pure  # compares all that a contact has
@pytest.mark.parametrize("kind", list(DIALECTS))
def test_what_is_written_is_read(kind: str, databases: Databases, tmp_path: Path) -> None:
    dialect = DIALECTS[kind]
    url = databases.empty(kind, tmp_path)
    with closing(dialect.connect(url, patience=20.0)) as connection:
        from openpy.db.schema import create

        create(dialect, connection, [Location])
        connection.commit()
    database = Database(url, dialect, lambda callback: callback())
    database.open()
    rows = Rows(database, Location, use_domain=True)
    full = contact("sip:bob@192.0.2.7", 1, **FULL)
    plain = contact("sip:bob@192.0.2.8", 2, expires=0)
    with closing(dialect.connect(url, patience=20.0)) as connection:
        cursor = connection.cursor()

        def commit(*operations: Upsert | Update | Delete) -> None:
            batch = Batch()
            batch.add(operations)
            cursor.execute(dialect.begin)
            batch.run(cursor)
            connection.commit()

        commit(*rows.difference("bob@example.org", (), (full, plain)))
        sql, values = rows.query("bob@example.org")
        found = [rows.read(row) for row in fetch(connection, sql + " ORDER BY id", values)]
        assert [aor for aor, _ in filter(None, found)] == ["bob@example.org"] * 2
        assert [same(item[1], one) for item, one in zip(filter(None, found), (full, plain), strict=True)] == [
            True,
            True,
        ]
        longer = renewed(full, expires=NOW + 7200, cseq=5, modified=NOW + 60)
        other = renewed(plain, uri="sip:bob@192.0.2.9", q=0, expires=NOW - 5)
        commit(*rows.difference("bob@example.org", (full, plain), (longer, other)))
        read = {item[1].id: item[1] for item in filter(None, map(rows.read, fetch(connection, sql, values)))}
        assert same(read[1], longer)
        assert same(read[2], other)
        sql, values = rows.expired_query(NOW)
        assert list(map(tuple, fetch(connection, sql, values))) == [(2,)]
        portions = [fetch(connection, rows.portion_query(number, 2)) for number in (0, 1)]
        assert [[row[0] for row in found] for found in portions] == [[2], [1]]
        commit(*rows.difference("bob@example.org", (longer, other), (longer,)))
        assert len(list(rows.all())) == 1
        cursor.close()
    database.close()


def test_a_refresh_writes_three_columns() -> None:
    rows, old = rows_of(), contact()
    (operation,) = rows.difference("bob", (old,), (renewed(old, cseq=2, expires=NOW + 7200),))
    assert isinstance(operation, Update)
    assert operation.sql.columns == ("expires", "cseq", "last_modified")


def test_anything_else_writes_all_but_the_key() -> None:
    rows, old = rows_of(), contact()
    (operation,) = rows.difference("bob", (old,), (renewed(old, q=1),))
    assert isinstance(operation, Update)
    assert len(operation.sql.columns) == 13


def test_what_did_not_change_is_not_written() -> None:
    rows, one, two = rows_of(), contact(id_=1), contact("sip:x@y", 2)
    assert rows.difference("bob", (one,), (one,)) == []
    assert rows.difference("bob", (one, two), (two, one)) == []
    assert rows.difference("bob", (one, two), (two,)) == [Delete(rows.table, 1)]


def test_a_contact_for_memory_has_no_row() -> None:
    rows = rows_of()
    only = contact(flags=MEMORY_ONLY)
    kept = renewed(only, flags=0)
    assert rows.difference("bob", (), (only,)) == []
    assert rows.difference("bob", (only,), (renewed(only, cseq=2),)) == []
    assert rows.difference("bob", (only,), ()) == []
    assert rows.difference("bob", (kept,), (only,)) == [Delete(rows.table, 1)]
    (operation,) = rows.difference("bob", (only,), (kept,))
    assert isinstance(operation, Upsert)


@pytest.mark.parametrize(
    ("column", "fields"),
    [
        ("received", {"received": "sip:" + "r" * 200}),
        ("path", {"path": "<sip:" + "p" * 200 + ">"}),
        ("user_agent", {"user_agent": "\udcff"}),
    ],
)
def test_what_does_not_fit_is_named(column: str, fields: dict[str, Any]) -> None:
    memory = Memory()
    memory.widths = {"received": 128, "path": 128}
    rows = rows_of(memory=memory)
    with pytest.raises(Misfit) as caught:
        rows.difference("bob", (), (contact(**fields),))
    assert caught.value.column == column
    old = contact()
    with pytest.raises(Misfit, match=column):
        rows.difference("bob", (old,), (renewed(old, **fields),))


def test_misfits_have_1_3s_names() -> None:
    memory = Memory()
    memory.widths = {"who": 3}
    rows = rows_of(memory=memory, username="who")
    with pytest.raises(Misfit) as caught:
        rows.difference("robert", (), (contact(),))
    assert caught.value.column == "username"


def test_rows_that_cannot_be_understood() -> None:
    rows, with_domain = rows_of(), rows_of(use_domain=True)
    (operation,) = rows.difference("bob", (), (contact(),))
    assert isinstance(operation, Upsert)
    row = (1, *operation.values)
    assert rows.read(row) is not None
    assert with_domain.read(row) is None
    assert rows.read((1, "", *operation.values[1:])) is None
    assert rows.read((*row[:6], "tomorrow", *row[7:])) is None
    assert rows.read((*row[:7], None, *row[8:])) is None


def test_the_query_names_the_columns_as_they_are_there() -> None:
    rows = rows_of(use_domain=True, username="who", domain="where")
    sql, values = rows.query("bob@example.org")
    assert sql.endswith('FROM "location" WHERE "who" = ? AND "where" = ?')
    assert values == ("bob", "example.org")
    assert rows_of().query("bob")[1] == ("bob",)
