from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openpy.db.dialect import Row
from openpy.db.errors import DatabaseError, Unavailable
from openpy.db.tables import reading
from openpy.engine.lookups import Lookups, TableNames, spellings
from openpy.engine.module import REQUEST, ArgumentError, Function, ModuleError, RouteKind, Text
from openpy.engine.run import Overloaded, Run
from openpy.engine.waiting import Stepper
from openpy.modules.domain.tables import Domain
from openpy.script.environment import Parameter
from openpy.sip.message import parse_message
from openpy.testing.script import MOMENT, Script
from tests.engine.kit import KeptFlow, Sent, request

TEXT = 'loadmodule "sqlite.so"\nloadmodule "tm.so"\nroute { exit; }'
URL = "sqlite:///lookups.db"


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    with Script(TEXT, folder=tmp_path) as script:
        yield script


@pytest.fixture
def lookups(script: Script) -> Lookups:
    made = Lookups(script.server, "test", URL)
    made.open([reading(Domain, ["domain"])])
    script.sql("INSERT INTO domain (domain) VALUES ('a.example'), ('b.example')")
    return made


def asked(script: Script, lookups: Lookups, *values: str, sql: str = "") -> list[Row] | BaseException:
    """What a query gives, to a request that waits for it."""
    message = parse_message(request(branch=f"z9hG4bK{hash(values)}"))
    run = Run(script.server, message, KeptFlow([]))
    results: list[Any] = []
    text = sql or lookups.select("domain", ["domain"], ["domain"])
    Stepper(lookups.ask(run, text, *values), lambda rows, error: results.append(error or rows)).step()
    script.run_for(MOMENT)
    (result,) = results
    return result  # type: ignore[no-any-return]


def test_the_text_of_a_query(lookups: Lookups) -> None:
    assert lookups.select("domain", ["id", "domain"]) == 'SELECT "id", "domain" FROM "domain"'
    assert lookups.select("t", ["x"], ["y"], ["z"]) == 'SELECT "x" FROM "t" WHERE "y" = ? AND "z" IN (?, ?)'
    assert lookups.select('a"b', ["x"], ["y", "z"]) == 'SELECT "x" FROM "a""b" WHERE "y" = ? AND "z" = ?'


def test_values_are_bound(script: Script, lookups: Lookups) -> None:
    assert asked(script, lookups, "a.example") == [("a.example",)]
    assert asked(script, lookups, "' OR '1'='1") == []


@pytest.mark.parametrize("value", ["a\0", "\udcff", "é\udc80"])
def test_what_no_row_can_have_is_not_asked_for(script: Script, lookups: Lookups, value: str) -> None:
    assert asked(script, lookups, value, sql="no SQL at all") == []


def test_a_request_is_held_while_it_waits(script: Script, lookups: Lookups) -> None:
    run = Run(script.server, parse_message(request()), KeptFlow([]))
    Stepper(lookups.ask(run, "SELECT 1"), lambda rows, error: None).step()
    assert run.is_held


def test_an_error_is_raised_and_logged(script: Script, lookups: Lookups) -> None:
    assert isinstance(asked(script, lookups, sql="SELECT nothing"), DatabaseError)
    assert isinstance(asked(script, lookups, "x", sql="SELECT nothing"), DatabaseError)
    assert ["syntax error" in line.text for line in script.log] == [True]  # not each of a second
    script.run_for(1)
    assert isinstance(asked(script, lookups, "y", sql="SELECT nothing"), DatabaseError)
    assert len(script.log) == 2


@pytest.mark.pure
def test_where_no_request_can_be_held(
    script: Script, lookups: Lookups, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(run: Run) -> None:
        raise Overloaded

    monkeypatch.setattr(Run, "hold", full)
    assert isinstance(asked(script, lookups, "a.example"), Unavailable)


def test_hosts_are_looked_for_in_lower_case_too(script: Script, lookups: Lookups) -> None:
    script.sql("INSERT INTO domain (domain) VALUES ('C.example')")
    sql = lookups.select("domain", ["domain"], hosts=["domain"])
    for host, found in (("A.Example", "a.example"), ("b.example", "b.example"), ("C.example", "C.example")):
        assert asked(script, lookups, *spellings(host), sql=sql) == [(found,)]


def test_a_url_that_nobody_serves(script: Script) -> None:
    with pytest.raises(ModuleError, match="no database module for oracle"):
        Lookups(script.server, "test", "oracle://a/b")


def test_a_table_that_cannot_serve(script: Script, lookups: Lookups) -> None:
    script.sql("DELETE FROM version")
    with pytest.raises(ModuleError, match=r"test cannot use its database .*table domain has no version"):
        Lookups(script.server, "test", URL).open([reading(Domain, ["domain"])])


def test_a_request_is_refused_that_nobody_can_judge_yet(script: Script, lookups: Lookups) -> None:
    sent: list[Sent] = []
    run = Run(script.server, parse_message(request()), KeptFlow(sent))
    run.kind = RouteKind.FAILURE
    assert (lookups.not_yet(run), sent) == (-1, [])
    run.kind = RouteKind.REQUEST
    assert lookups.not_yet(run) == 0
    assert [(reply.start, int(reply.get("Retry-After")) in range(1, 6)) for reply in sent] == [
        ("SIP/2.0 503 Service Unavailable", True)
    ]


# --- tables that are kept -------------------------------------------------------------------------------------------


def test_a_table_is_kept_from_the_start_on(lookups: Lookups) -> None:
    kept: list[Row] = []
    lookups.keep(lookups.select("domain", ["domain"]), kept.extend)
    assert kept == [("a.example",), ("b.example",)]


def test_a_query_that_is_refused_stops_the_start(lookups: Lookups) -> None:
    with pytest.raises(ModuleError, match="test cannot use its database"):
        lookups.keep("SELECT nothing", lambda rows: None)


def test_one_that_is_away_is_tried_again(
    script: Script, lookups: Lookups, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect = script.server.databases[URL].dialect
    connect = dialect.connect

    def away(*parts: Any, **options: Any) -> Any:
        raise Unavailable("away")

    monkeypatch.setattr(dialect, "connect", away)
    kept: list[Row] = []

    def take(rows: list[Row]) -> None:
        kept.extend(rows)
        raise ModuleError("it makes no sense")

    lookups.keep(lookups.select("domain", ["domain"]), take)
    for _ in range(3):
        script.run_for(1)
    assert kept == []
    monkeypatch.setattr(dialect, "connect", connect)
    for _ in range(3):
        script.run_for(1)
    assert kept == [("a.example",), ("b.example",)]
    texts = [line.text for line in script.log]
    assert texts[-1] == "it makes no sense"
    assert "trying again" in texts[0]


# --- names of tables ------------------------------------------------------------------------------------------------


def test_the_tables_that_a_script_names_are_noted() -> None:
    names = TableNames()
    kinds = (TableNames(), Text.__metadata__[0])  # type: ignore[attr-defined]
    parameters = tuple(Parameter(f"p{number}", kind) for number, kind in enumerate(kinds))
    noting = names.noting(Function("f", parameters, REQUEST, print))
    for text in ("one", "two", "one"):
        assert noting.parameters[0].kind.convert(text, None) == text  # type: ignore[arg-type]
    assert names.names == ["one", "two"]
    assert noting.parameters[1] is parameters[1]
    with pytest.raises(ArgumentError, match="name of a table is needed"):
        names.convert("", None)
