"""Ids in blocks: no two servers give the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from queue import Empty, SimpleQueue

import pytest

from openpy.db import schema
from openpy.db.dialect import Connection, Dialect, execute, fetch
from openpy.db.errors import Unavailable
from openpy.db.ids import BLOCK, IdBlocks, SharedIds
from openpy.db.url import DatabaseUrl

Posted = SimpleQueue[Callable[[], None]]


@pytest.fixture
def posted() -> Posted:
    return SimpleQueue()


@pytest.fixture
def ids(dialect: Dialect, connection: Connection, url: DatabaseUrl, posted: Posted) -> SharedIds:
    schema.create(dialect, connection, [IdBlocks])
    return SharedIds(dialect, partial(dialect.connect, url, patience=5.0), posted.put)


def turn(posted: Posted) -> None:
    posted.get(timeout=5)()


def test_each_block_begins_where_the_last_one_ends(ids: SharedIds, connection: Connection) -> None:
    assert ids.reserve(connection, "mailbox", 0) == range(1, 1 + BLOCK)
    assert ids.reserve(connection, "mailbox", 0) == range(1 + BLOCK, 1 + 2 * BLOCK)
    assert ids.reserve(connection, "other", 0) == range(1, 1 + BLOCK)
    assert fetch(connection, "SELECT name, next_id FROM openpy_ids ORDER BY name") == [
        ("mailbox", 1 + 2 * BLOCK),
        ("other", 1 + BLOCK),
    ]


def test_a_block_is_above_what_the_table_has(ids: SharedIds, connection: Connection) -> None:
    assert ids.reserve(connection, "mailbox", 70_000).start == 70_001
    assert ids.reserve(connection, "mailbox", 5).start == 70_001 + BLOCK


def test_an_id_that_another_hand_took_is_left_out(ids: SharedIds) -> None:
    ids.skip("mailbox", 7)
    ids.add("mailbox", range(1, 11))
    ids.add("mailbox", range(101, 111))
    for id_ in (0, 105, 3):
        ids.skip("mailbox", id_)
    assert ids.next("mailbox") == 4
    ids.skip("mailbox", 10)
    assert ids.next("mailbox") == 101


def test_servers_that_reserve_at_once_get_blocks_of_their_own(
    ids: SharedIds, dialect: Dialect, url: DatabaseUrl
) -> None:
    blocks: list[range] = []

    def work() -> None:
        with closing(dialect.connect(url, patience=5.0)) as connection:
            for _ in range(5):
                blocks.append(ids.reserve(connection, "mailbox", 0))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({block.start for block in blocks}) == len(blocks) == 20


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_next_block_is_there_before_the_first_is_used(
    ids: SharedIds, posted: Posted, connection: Connection
) -> None:
    assert ids.lacks("mailbox")
    ids.add("mailbox", ids.reserve(connection, "mailbox", 0))
    given = [ids.next("mailbox") for _ in range(BLOCK // 2)]
    with pytest.raises(Empty):
        posted.get(timeout=0.1)
    given.append(ids.next("mailbox"))
    turn(posted)
    assert given == [*range(1, BLOCK // 2 + 2)]
    given += [ids.next("mailbox") for _ in range(BLOCK // 2)]
    assert len(set(given)) == len(given)
    assert not ids.lacks("mailbox")


@pytest.mark.parametrize("kind", ["sqlite"])
def test_when_all_are_used_there_is_none(
    ids: SharedIds, posted: Posted, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unavailable, match="no ids of table mailbox"):
        ids.next("mailbox")
    execute(connection, "ALTER TABLE openpy_ids RENAME TO away")
    ids.add("mailbox", range(1, 3))
    assert [ids.next("mailbox"), ids.next("mailbox")] == [1, 2]
    turn(posted)
    assert "no ids of table mailbox could be reserved" in caplog.text
    execute(connection, "ALTER TABLE away RENAME TO openpy_ids")
    with pytest.raises(Unavailable, match="all reserved ids of table mailbox are used"):
        ids.next("mailbox")
    turn(posted)
    assert ids.next("mailbox") >= 1


@pytest.mark.parametrize("kind", ["sqlite"])
def test_one_row_that_two_servers_insert_is_there_once(
    ids: SharedIds, connection: Connection, dialect: Dialect
) -> None:
    ids.reserve(connection, "mailbox", 0)
    ids._insert(connection, "INSERT INTO openpy_ids (name, next_id) VALUES (?, ?)", "mailbox")
    assert fetch(connection, "SELECT count(*) FROM openpy_ids") == [(1,)]
    with pytest.raises(Exception, match="nosuch"):
        ids._insert(connection, "INSERT INTO nosuch (name, next_id) VALUES (?, ?)", "mailbox")


@pytest.mark.parametrize("kind", ["sqlite"])
def test_an_id_costs_little(ids: SharedIds) -> None:
    ids.add("mailbox", range(1, 10 * BLOCK))
    begun = time.process_time()
    for _ in range(BLOCK):
        ids.next("mailbox")
    assert (time.process_time() - begun) / BLOCK < 20e-6
