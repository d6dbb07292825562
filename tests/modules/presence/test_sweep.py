"""Rows that nobody else takes care of."""

from openpy.db.errors import Unavailable
from openpy.modules.presence.eventstate import LAST_STATE_LIFETIME
from openpy.modules.presence.sweep import GRACE
from tests.modules.presence.kit import House


def strange(house: House) -> None:
    """Rows of an event that nobody registered: they are not in memory."""
    for name in ("presentity", "active_watchers"):
        sql = house.memory.tables[name]
        place = sql.columns.index("event")
        for id_, row in house.memory.kept[sql].items():
            house.memory.kept[sql][id_] = (*row[:place], "unknown", *row[place + 1 :])


def test_expired_rows_are_deleted_at_the_period() -> None:
    house = House(clean_period=50)
    house.publish(expires=10)
    house.subscribe(expires=10)
    strange(house)
    house = house.restart(clean_period=50)
    house.wait(49)
    assert len(house.memory.named("presentity")) == 1
    house.wait(GRACE)
    assert house.memory.named("presentity") == []
    assert house.memory.named("active_watchers") == []


def test_rows_in_memory_end_by_their_deadline_only() -> None:
    house = House(clean_period=10)
    house.publish(expires=10)
    house.subscribe(expires=10)
    house.writer.failing = Unavailable("away")
    house.wait(GRACE + 40)
    house.writer.failing = None
    house.wait(1)
    assert house.memory.named("presentity") == []
    assert len(house.memory.named("openpy_last_state")) == 1  # the deadline kept it, a sweep would not


def test_rows_in_memory_are_not_swept() -> None:
    house = House(clean_period=10)
    house.publish(expires=10)
    house.subscribe(expires=10)
    assert house.presence._expiry is not None
    house.presence._expiry.halt()
    house.wait(GRACE + 40)
    assert len(house.memory.named("presentity")) == len(house.memory.named("active_watchers")) == 1


def test_a_failing_database_is_asked_again() -> None:
    house = House(clean_period=10)
    house.publish(expires=10)
    strange(house)
    house = house.restart(clean_period=10)
    query = house.memory.reader.query
    house.memory.reader.query = lambda sql, parameters, done: done([], Unavailable("away"))
    house.wait(GRACE + 20)
    house.memory.reader.query = _closed
    house.wait(10)
    house.memory.reader.query = query
    house.writer.failing = Unavailable("away")
    house.wait(10)
    assert len(house.memory.named("presentity")) == 1
    house.writer.failing = None
    house.wait(20)
    assert house.memory.named("presentity") == []
    assert sum("no sweep" in line for line in house.logged) >= 3


def _closed(*arguments: object) -> None:
    raise Unavailable("closed")


def test_after_a_drain_no_sweep() -> None:
    house = House(clean_period=10)
    house.publish(expires=10)
    strange(house)
    house = house.restart(clean_period=10)
    assert house.presence._sweep is not None
    house.presence._sweep.halt()
    house.wait(200)
    assert len(house.memory.named("presentity")) == 1


def test_last_states_that_nobody_knows_are_swept_when_they_are_old() -> None:
    house = House(clean_period=1000)
    house.publish(expires=10)
    house.wait(12)
    (table,) = [table for table in house.memory.kept if table.name == "openpy_last_state"]
    ((id_, row),) = house.memory.kept[table].items()
    house.memory.kept[table][99] = row  # what another server left
    house.wait(2000)
    assert set(house.memory.kept[table]) == {id_, 99}
    house.clock.time += LAST_STATE_LIFETIME + GRACE
    house.wait(1100)
    assert house.memory.kept[table] == {}
