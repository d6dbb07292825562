import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TypeAlias

import pytest

from openpy.db.dialect import Connection, Dialect, execute, fetch
from openpy.db.errors import DatabaseError, OutcomeUnknown, RowRefused, Unavailable
from openpy.db.statements import TableSql
from openpy.db.url import DatabaseUrl
from openpy.db.writer import IDLE, Delete, Done, Update, Upsert, Writer
from tests.gate import Gate
from tests.servers import with_server

Posted: TypeAlias = SimpleQueue[Callable[[], None]]
Answers: TypeAlias = list[tuple[object, DatabaseError | None]]


@pytest.fixture
def posted() -> Posted:
    """What the writer wants to be run in the loop's thread, which is the test's own."""
    return SimpleQueue()


@pytest.fixture
def answers() -> Answers:
    return []


@pytest.fixture
def lost() -> list[DatabaseError]:
    """Why the writer asked for a connection."""
    return []


@pytest.fixture
def writer(
    url: DatabaseUrl, dialect: Dialect, posted: Posted, empty_table: TableSql, lost: list[DatabaseError]
) -> Iterator[Writer]:
    writer = Writer(dialect, posted.put, lost.append, capacity=200)
    writer.adopt(dialect.connect(url))
    writer.start()
    yield writer
    writer.stop()


def lock(connection: Connection, dialect: Dialect) -> None:
    """Keep everybody else from writing rows up to 9, and with SQLite any."""
    execute(connection, dialect.begin)
    for id_ in range(10):
        execute(connection, f"INSERT INTO mailbox (id, owner, unread) VALUES ({id_}, 'l{id_}', 0)")


def turn(posted: Posted) -> None:
    """One turn of the loop: the answers of one batch."""
    posted.get(timeout=10)()


def ignore(reason: DatabaseError) -> None:
    """Nobody brings a connection."""


def note(answers: Answers, label: object) -> Done:
    return lambda error: answers.append((label, error))


def row(table: TableSql, id_: int, owner: str | None = "") -> Upsert:
    return Upsert(table, id_, (f"o{id_}" if owner == "" else owner, 0, None))


def test_a_batch_is_posted_once_and_answered_in_order(
    writer: Writer, posted: Posted, answers: Answers, empty_table: TableSql, connection: Connection
) -> None:
    for n in range(100):
        writer.submit(n % 7, [row(empty_table, n)], note(answers, n))
    writer.flush()
    assert writer.waiting == 100
    turn(posted)
    assert answers == [(n, None) for n in range(100)]
    assert posted.empty()
    assert writer.waiting == 0
    assert writer.counts.commits == 1
    assert fetch(connection, "SELECT count(*) FROM mailbox") == [(100,)]


def test_nothing_is_written_before_the_flush(
    writer: Writer, posted: Posted, answers: Answers, empty_table: TableSql
) -> None:
    writer.submit("k", [row(empty_table, 1)], note(answers, 1))
    time.sleep(0.05)
    assert posted.empty()
    writer.flush()
    writer.flush()
    turn(posted)
    assert answers == [(1, None)]


def test_what_arrives_during_a_commit_is_the_next_batch(
    writer: Writer,
    dialect: Dialect,
    posted: Posted,
    answers: Answers,
    empty_table: TableSql,
    connection: Connection,
) -> None:
    lock(connection, dialect)
    for n in range(10):
        writer.submit(n, [row(empty_table, n)], note(answers, n))
        writer.flush()
        time.sleep(0.005)
    connection.rollback()
    while len(answers) < 10:
        turn(posted)
    assert answers == [(n, None) for n in range(10)]
    assert writer.counts.commits == 2


def test_one_bad_row_among_many_is_refused_alone(
    writer: Writer, posted: Posted, answers: Answers, empty_table: TableSql
) -> None:
    for n in range(30):
        writer.submit(n, [row(empty_table, n, None if n == 17 else "")], note(answers, n))
    writer.flush()
    turn(posted)
    assert [label for label, _ in answers] == list(range(30))
    refused = {label: error for label, error in answers if error is not None}
    assert list(refused) == [17]
    assert isinstance(refused[17], RowRefused)


def test_a_key_is_refused_from_its_failure_until_it_is_forgiven(
    writer: Writer, posted: Posted, answers: Answers, empty_table: TableSql
) -> None:
    def submit(label: str, owner: str | None = "") -> None:
        writer.submit("k", [row(empty_table, len(label), owner)], note(answers, label))
        writer.flush()

    writer.forgive("k")  # nothing to forgive: no effect on what follows
    submit("1", None)
    turn(posted)
    submit("22")  # submitted before the loop dealt with the failure
    writer.forgive("k")
    submit("333")
    while len(answers) < 3:
        turn(posted)
    first = answers[0][1]
    assert isinstance(first, RowRefused)
    assert answers[1:] == [("22", first), ("333", None)]
    writer.forgive("k")  # for "22", which fell in the train of "1": no effect
    submit("4444", None)
    submit("55555")
    while len(answers) < 5:
        turn(posted)
    assert answers[3][1] is not None
    assert answers[4][1] is answers[3][1]


def test_a_full_queue_refuses_at_once(
    writer: Writer, posted: Posted, answers: Answers, empty_table: TableSql
) -> None:
    for n in range(200):
        writer.submit(n, [row(empty_table, n)], note(answers, n))
    with pytest.raises(Unavailable, match="full"):
        writer.submit("k", [row(empty_table, 1)], note(answers, "k"))
    writer.flush()
    turn(posted)
    writer.submit("k", [row(empty_table, 1)], note(answers, "k"))


def test_an_answer_may_submit_and_one_that_fails_costs_nobody_else_his(
    writer: Writer, posted: Posted, answers: Answers, empty_table: TableSql, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(error: DatabaseError | None) -> None:
        raise LookupError("a mistake in the answer")

    def submit_again(error: DatabaseError | None) -> None:
        writer.submit("k", [Update(empty_table.update("note"), 1, ("again",))], note(answers, "again"))

    writer.submit("k", [row(empty_table, 1)], fail)
    writer.submit("k", [row(empty_table, 2)], submit_again)
    writer.flush()
    turn(posted)
    turn(posted)
    assert answers == [("again", None)]
    assert "a mistake in the answer" in caplog.text


def test_stop_finishes_what_is_queued_and_closes(
    writer: Writer, posted: Posted, answers: Answers, empty_table: TableSql, connection: Connection
) -> None:
    writer.submit("k", [row(empty_table, 1)], note(answers, 1))
    writer.stop()
    assert fetch(connection, "SELECT owner FROM mailbox") == [("o1",)]
    turn(posted)
    assert answers == [(1, None)]
    with pytest.raises(Unavailable, match="closed"):
        writer.submit("k", [Delete(empty_table, 1)], note(answers, 2))


def test_a_locked_database_is_answered_within_half_a_second_and_serves_again(
    writer: Writer,
    dialect: Dialect,
    posted: Posted,
    answers: Answers,
    empty_table: TableSql,
    connection: Connection,
) -> None:
    waited: list[float] = []

    def submit(n: int) -> None:
        begun = time.monotonic()

        def done(error: DatabaseError | None) -> None:
            waited.append(time.monotonic() - begun)
            answers.append((n, error))

        writer.submit(n, [row(empty_table, n)], done)
        writer.flush()

    lock(connection, dialect)
    submit(1)
    time.sleep(0.02)
    submit(2)  # waits for the batch of 1, then in its own
    while len(answers) < 2:
        turn(posted)
    assert [type(error) for _, error in answers] == [Unavailable] * 2
    assert max(waited) < 0.5
    connection.rollback()
    submit(3)
    turn(posted)
    assert answers[2] == (3, None)


def test_without_a_connection_everything_is_refused_at_once_until_one_is_brought(
    url: DatabaseUrl, dialect: Dialect, posted: Posted, answers: Answers, empty_table: TableSql
) -> None:
    writer = Writer(dialect, posted.put, ignore)
    writer.start()
    writer.submit("k", [row(empty_table, 1)], note(answers, 1))
    writer.flush()
    turn(posted)
    assert isinstance(answers[0][1], Unavailable)
    writer.adopt(dialect.connect(url))
    writer.forgive("k")
    writer.submit("k", [row(empty_table, 1)], note(answers, 2))
    writer.stop()
    turn(posted)
    assert answers[1] == (2, None)


@with_server
def test_a_connection_that_is_lost_while_idle_is_asked_for(
    dialect: Dialect, posted: Posted, gate: Gate, gated: DatabaseUrl
) -> None:
    asked = threading.Event()
    writer = Writer(dialect, posted.put, lambda reason: asked.set())
    writer.adopt(dialect.connect(gated))
    writer.start()
    assert not asked.wait(2 * IDLE)
    gate.shut()
    assert asked.wait(2 * IDLE)
    writer.stop()


@with_server
def test_a_server_that_hangs_is_answered_within_half_a_second(
    dialect: Dialect, empty_table: TableSql, posted: Posted, answers: Answers, gate: Gate, gated: DatabaseUrl
) -> None:
    writer = Writer(dialect, posted.put, ignore)
    writer.adopt(dialect.connect(gated))
    writer.start()
    gate.freeze()
    begun = time.monotonic()
    for n in range(2):
        writer.submit(n, [row(empty_table, n)], note(answers, n))
        writer.flush()
        time.sleep(0.01)
    turn(posted)
    turn(posted)
    assert time.monotonic() - begun < 0.5
    assert [type(error) for _, error in answers] == [Unavailable] * 2
    writer.stop()


@with_server
def test_on_unknown_hears_of_what_may_have_been_kept(
    dialect: Dialect, empty_table: TableSql, posted: Posted, answers: Answers, gate: Gate, gated: DatabaseUrl
) -> None:
    unknown: list[object] = []
    lost: list[DatabaseError] = []
    writer = Writer(dialect, posted.put, lost.append)
    writer.adopt(dialect.connect(gated))
    writer.start()
    writer.on_unknown = unknown.extend
    gate.cut_at(b"COMMIT")
    writer.submit("k", [row(empty_table, 1)], note(answers, 1))
    writer.flush()
    turn(posted)
    writer.stop()
    assert unknown == ["k"]
    assert isinstance(answers[0][1], OutcomeUnknown)
    assert len(lost) == 1


CHILD = textwrap.dedent("""
    import sys
    from queue import SimpleQueue
    from openpy.db.statements import TableSql, Upsert
    from openpy.db.url import parse_url
    from openpy.db.writer import Writer
    from tests.servers import DIALECTS

    url, early = parse_url(sys.argv[1]), sys.argv[2] == "early"
    dialect = DIALECTS[url.scheme]
    posted = SimpleQueue()
    table = TableSql(dialect, "mailbox", ["owner", "unread", "note"], {})
    connection = dialect.connect(url)
    table.adapt(dialect.real_columns(connection, "mailbox"))
    writer = Writer(dialect, posted.put, print)
    writer.adopt(connection)
    writer.start()
    say = lambda number: print(number, flush=True)
    number = 0
    while True:
        for _ in range(20):
            number += 1
            if early:
                say(number)
            answer = (lambda error, number=number: None if early else say(number))
            writer.submit(number, [Upsert(table, number, (str(number), 0, None))], answer)
        writer.flush()
        if not early:
            posted.get()()
""")


@pytest.mark.parametrize("early", [False, True])
def test_kill_9_loses_nothing_that_was_acknowledged(
    url: DatabaseUrl, empty_table: TableSql, connection: Connection, early: bool
) -> None:
    """The control says "done" before the commit, and must lose something."""
    command = [sys.executable, "-c", CHILD, str(url), "early" if early else "kept"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=os.getcwd()) as child:
        assert child.stdout is not None
        acknowledged = [child.stdout.readline() for _ in range(1000)]
        child.send_signal(signal.SIGKILL)
        acknowledged += child.stdout.readlines()
    kept = {id_ for (id_,) in fetch(connection, "SELECT id FROM mailbox")}
    lost = {int(line) for line in acknowledged if line.endswith("\n")} - kept
    assert bool(lost) is early
