"""The database of a world: what fails in it, and what stays."""

from __future__ import annotations

import pytest

from openpy.db.dialect import execute, fetch
from openpy.db.errors import OutcomeUnknown, Unavailable
from openpy.testing.world import World
from tests.simulation.database import SimulatedDatabase


def test_a_commit_of_unknown_outcome_is_done_or_not() -> None:
    world = World(1)
    database = SimulatedDatabase(world)
    outcomes = set()
    for number in range(20):
        database.trouble.unknown = 0.0
        connection = database.dialect.connect(database.url)
        execute(connection, "BEGIN IMMEDIATE")
        execute(connection, "INSERT INTO version VALUES (?, 1)", (f"t{number}",))
        database.trouble.unknown = 1.0
        with pytest.raises(OutcomeUnknown):
            connection.commit()
        with pytest.raises(Unavailable):
            fetch(connection, "SELECT 1")
        outcomes.add(bool(database.ask("SELECT 1 FROM version WHERE table_name = ?", f"t{number}")))
    database.close()
    assert outcomes == {True, False}


def test_a_database_that_is_away_takes_nothing_and_keeps_what_was_committed() -> None:
    world = World(1)
    database = SimulatedDatabase(world)
    connection = database.dialect.connect(database.url)
    execute(connection, "INSERT INTO version VALUES ('kept', 1)")
    execute(connection, "BEGIN IMMEDIATE")
    execute(connection, "INSERT INTO version VALUES ('lost', 1)")
    database.trouble.away = True
    with pytest.raises(Unavailable):
        connection.commit()
    with pytest.raises(Unavailable):
        database.dialect.connect(database.url)
    database.trouble.away = False
    again = database.dialect.connect(database.url)
    assert fetch(again, "SELECT table_name FROM version WHERE table_name IN ('kept', 'lost')") == [("kept",)]
    database.close()
