"""One row among many that the database, or its own rules, will not have: only who asked for it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench import steps
from bench.generator import Step
from bench.messages import Presentity, Watcher
from openpy.db.dialect import Dialect
from openpy.db.url import DatabaseUrl
from openpy.testing.world import World
from tests.faults.trial import Phones
from tests.scenarios.shared import query, run_sql, with_tables
from tests.servers import DIALECTS, SERVERS, Databases, databases
from tests.simulation.database import URL
from tests.simulation.process import SCRIPT

__all__ = ["databases"]

OTHERS = 30
LONG = "m" * 58
"""With what the phone appends, a Call-ID of 65 characters."""

TABLES = {"presentity": "username", "active_watchers": "watcher_username"}


@dataclass(frozen=True)
class Empty:
    """A real database, with the tables."""

    kind: str
    url: DatabaseUrl

    @property
    def dialect(self) -> Dialect:
        return DIALECTS[self.kind]

    def change(self, statement: str) -> None:
        run_sql(self.kind, self.url, statement)

    def users(self, table: str) -> list[str]:
        return [user for (user,) in query(self.kind, self.url, f"SELECT {TABLES[table]} FROM {table}")]


@pytest.fixture(params=list(DIALECTS))
def database(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path) -> Empty:
    return Empty(request.param, with_tables(databases, request.param, tmp_path))


@contextmanager
def served(database: Empty, folder: Path) -> Iterator[Phones]:
    phones = Phones(World(0), folder, database, SCRIPT)
    with closing(phones):
        yield phones


def refuse_mallory(database: Empty) -> None:
    """Whoever owns the database has a rule of his own."""
    for table, column in TABLES.items():
        if database.kind == "sqlite":
            database.change(
                f"CREATE TRIGGER no_{table} BEFORE INSERT ON {table} WHEN NEW.{column} = 'mallory' "
                "BEGIN SELECT RAISE(ABORT, 'not mallory'); END"
            )
        else:
            database.change(f"ALTER TABLE {table} ADD CONSTRAINT no_{table} CHECK ({column} <> 'mallory')")


def narrow(database: Empty) -> None:
    """A Call-ID has at most 64 characters. SQLite knows no widths."""
    how = (
        "MODIFY callid varchar(64) NOT NULL" if database.kind == "mysql" else "ALTER callid TYPE varchar(64)"
    )
    database.change(f"ALTER TABLE active_watchers {how}")


def watcher(phones: Phones, name: str) -> Watcher:
    """Somebody who watches a presentity of his own."""
    return Watcher(phones.sender, name, Presentity(phones.sender, f"star-of-{name}"[:40]))


def among_others(phones: Phones, table: str, culprit: Step, make: Callable[[int], Step]) -> int:
    """Ask for many rows at once, and for the culprit's in the midst of them; his status. One batch has them all."""
    many = [make(number) for number in range(OTHERS)]
    middle = OTHERS // 2
    answers = phones.ask(*many[:middle], culprit, *many[middle:])
    status = answers.pop(middle)
    assert answers == [200] * OTHERS
    assert phones.process.server is not None
    counts = phones.process.server.databases[URL].writer.counts
    assert counts.largest >= OTHERS
    return status


def test_a_rule_of_the_database_refuses_one_publication(database: Empty, tmp_path: Path) -> None:
    with served(database, tmp_path) as phones:
        refuse_mallory(database)
        mallory = steps.publish(Presentity(phones.sender, "mallory"))
        others = [Presentity(phones.sender, f"other{number:02}") for number in range(OTHERS)]
        status = among_others(phones, "presentity", mallory, lambda number: steps.publish(others[number]))
        assert status == 503
        assert sorted(database.users("presentity")) == [other.name for other in others]
        assert phones.ask(*map(steps.refresh, others)) == [200] * OTHERS


@pytest.mark.parametrize(
    ("database", "case"),
    [(kind, case) for kind in DIALECTS for case in ("rule", "bad UTF-8")]
    + [(kind, case) for kind in SERVERS for case in ("narrow", "narrowed")],
    indirect=["database"],
)
def test_one_subscription_is_refused(database: Empty, tmp_path: Path, case: str) -> None:
    if case == "narrow":
        narrow(database)
    with served(database, tmp_path) as phones:
        if case == "narrowed":
            narrow(database)
        elif case == "rule":
            refuse_mallory(database)
        name = LONG if case.startswith("narrow") else "mallory"
        culprit = steps.subscribe(watcher(phones, name))
        if case == "bad UTF-8":
            culprit = Step(culprit.branch, bytes(culprit.datagram).replace(b":mallory@", b":mall\xffry@"))
        others = [watcher(phones, f"other{number:02}") for number in range(OTHERS)]
        status = among_others(
            phones, "active_watchers", culprit, lambda number: steps.subscribe(others[number])
        )
        assert status == (503 if case in ("rule", "narrowed") else 400)
        assert sorted(database.users("active_watchers")) == [other.name for other in others]
        assert phones.ask(steps.subscribe(watcher(phones, "late"))) == [200]


def test_of_the_same_presentity_too(database: Empty, tmp_path: Path) -> None:
    """What was decided after the refused one, in the same batch, is decided again without it."""
    with served(database, tmp_path) as phones:
        refuse_mallory(database)
        star = Presentity(phones.sender, "star")
        assert phones.ask(steps.publish(star)) == [200]
        fans = [Watcher(phones.sender, f"fan{number:02}", star) for number in range(OTHERS)]
        asked = [steps.subscribe(fan) for fan in fans]
        asked.insert(OTHERS // 2, steps.subscribe(Watcher(phones.sender, "mallory", star)))
        asked.append(steps.refresh(star))
        answers = phones.ask(*asked)
        assert answers.pop(OTHERS // 2) == 503
        assert answers == [200] * (OTHERS + 1)
        assert sorted(database.users("active_watchers")) == [fan.name for fan in fans]
        assert phones.ask(*map(steps.subscribe, fans), steps.publish(star)) == [200] * (OTHERS + 1)
