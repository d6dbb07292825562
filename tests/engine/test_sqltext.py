from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openpy.db.dialect import Dialect
from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.engine.run import Run
from openpy.engine.sqltext import SqlKind
from openpy.script.environment import ArgumentError, Environment
from openpy.script.transformations import TRANSFORMATIONS
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, request
from tests.servers import DIALECTS

ENVIRONMENT = Environment(pseudo_variables=dict(PSEUDO_VARIABLES), transformations=dict(TRANSFORMATIONS))
SQLITE, MYSQL, POSTGRES = (DIALECTS[kind] for kind in ("sqlite", "mysql", "postgres"))
ALL = (SQLITE, MYSQL, POSTGRES)
HOSTILE = "x' or 1=1; -- %s ?"


def statement(folder: Path, dialect: Dialect, text: str) -> tuple[str, list[Any]]:
    data = request("OPTIONS", "sip:bob@example.com", f"Subject: {HOSTILE}", "Number: 5")
    sql = SqlKind(dialect).convert(text, ENVIRONMENT)
    assert sql.text == text
    with Bench(folder) as bench:
        run = Run(bench.server, parse_message(data), bench.phone())
        run.state.avps = {"x": ["7"], "n": [7]}
        made, values = sql.statement(run)
    return made, list(values)


@pytest.mark.parametrize(
    ("text", "sql", "values"),
    [
        ("select 1", "select 1", []),
        ("select a from t where b = '$rU'", "select a from t where b = ?", ["bob"]),
        ("select a from t where b='sip:$rU@$rd'", "select a from t where b=?", ["sip:bob@example.com"]),
        ("select '$hdr(Subject)'", "select ?", [HOSTILE]),
        ("select '$hdr(Subject)', 'b', $rU", "select ?, 'b', ?", [HOSTILE, "bob"]),
        ("select 'it''s $rU'", "select ?", ["it's bob"]),
        ("select '', '$rU''', ''''", "select '', ?, ''''", ["bob'"]),
        ("select '<$hdr(Absent)>', $hdr(Absent)", "select ?, ?", ["<<null>>", None]),
        ("select $avp(s:x), $avp(s:n), $sp, $rp, $rm", "select ?, ?, ?, ?, ?", ["7", 7, 5066, 5060, "OPTIONS"]),
        ("select ($avp(s:n))", "select (?)", [7]),
        ("select a from t limit $avp(s:n)", "select a from t limit ?", [7]),
        ("select '$$' || '$rU'", "select '$' || ?", ["bob"]),
        ("select a -- '$$\n, '$rU'", "select a -- '$\n, ?", ["bob"]),
        ("select a /* it's */, '$rU' /* ' */", "select a /* it's */, ? /* ' */", ["bob"]),
        ("select `a'b`, '$rU' -- it's", "select `a'b`, ? -- it's", ["bob"]),
        ("insert into t (a, b) values ('$rU',$avp(s:n))", "insert into t (a, b) values (?,?)", ["bob", 7]),
        ("select a from t where b like '%$rU%' and c like '5%'", "select a from t where b like ? and c like '5%'",
         ["%bob%"]),
    ],
)  # fmt: skip
def test_values_are_parameters_on_every_database(
    tmp_path: Path, text: str, sql: str, values: list[Any]
) -> None:
    assert statement(tmp_path, SQLITE, text) == (sql, values)
    marked = sql.replace("%", "%%").replace("?", "%s")
    assert statement(tmp_path, MYSQL, text) == (marked, values)
    assert statement(tmp_path, POSTGRES, text) == (marked, values)


@pytest.mark.parametrize(
    ("text", "sql", "values"),
    [
        ('select "a$rU", "it""s"', 'select %s, "it""s"', ["abob"]),
        ("select 'it\\'s $rU'", "select %s", ["it's bob"]),
        ("select 'a\\n\\t\\q\\\\\\%\\_$rU'", "select %s", ["a\n\tq\\\\%\\_bob"]),
        ("select 'a\\'b', '$rU'", "select 'a\\'b', %s", ["bob"]),
        ("select a # it's\n, '$rU'", "select a # it's\n, %s", ["bob"]),
    ],
)
def test_what_mysql_alone_has(tmp_path: Path, text: str, sql: str, values: list[Any]) -> None:
    assert statement(tmp_path, MYSQL, text) == (sql, values)


def test_double_quotes(tmp_path: Path) -> None:
    assert statement(tmp_path, SQLITE, 'select "$rU"') == ("select ?", ["bob"])
    with pytest.raises(ArgumentError, match=r"a text has single quotes: '\$rU'"):
        SqlKind(POSTGRES).convert('select "$rU"', ENVIRONMENT)
    assert statement(tmp_path, POSTGRES, "select \"a'b\", '$rU'") == ('select "a\'b", %s', ["bob"])


@pytest.mark.parametrize(
    ("text", "is_query"),
    [
        ("select 1", True), ("SELECT 1", True), (" (select 1)", True), ("select*from t", True), ("values (1)", True),
        ("show tables", True), ("explain select 1", True), ("insert into t values (1)", False),
        ("update t set a = 1", False), ("delete from t", False),
        ("with x as (select 1) insert into t select * from x", False), ("call p()", False),
    ],
)  # fmt: skip
def test_which_statements_change_nothing(text: str, is_query: bool) -> None:
    assert SqlKind().convert(text, ENVIRONMENT).is_query is is_query


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "does not begin with a word of SQL"),
        ("$avp(s:query)", "does not begin with a word of SQL: write the statement itself"),
        ("$var(verb) from t", "does not begin with a word of SQL"),
        ("'select'", "does not begin with a word of SQL"),
        ("select$rU", "stands within a word"),
        ("select a from $rU", 'the name that follows "from"'),
        ("INSERT INTO $rU values (1)", 'the name that follows "INTO"'),
        ("update $rU set a = 1", 'the name that follows "update"'),
        ("select a from t join $rU", 'the name that follows "join"'),
        ("drop table $rU", 'the name that follows "table"'),
        ("select a from t order by $rU", 'the name that follows "by"'),
        ("select a_$rU", "stands within a word"),
        ("select t.$rU", "stands within a word"),
        ("select @$rU", "stands within a word"),
        ("select $(rU)x", "stands within a word"),
        ("select $rU'a'", "stands within a word"),
        ("select $rU$rd", "follows another; quote them together"),
        ("select '$rU'$rd", "follows another"),
        ("select `$rU`", "in a name quoted with `"),
        ("select E'$rU'", "in a text with a prefix"),
        ("select 1 -- $rU", "in a comment"),
        ("select 1 /* $rU */", "in a comment"),
        ("select '$rU", "what ' begins in the SQL does not end"),
        ("select 1 /* a", "what /* begins"),
        ("select `a", "what ` begins"),
        ("select $nothing", "unknown script variable"),
        ("select $ru{s.len}", "is only text"),
    ],
)  # fmt: skip
def test_what_is_no_value_is_refused(text: str, told: str) -> None:
    for dialect in ALL:
        with pytest.raises(ArgumentError) as caught:
            SqlKind(dialect).convert(text, ENVIRONMENT)
        assert told in str(caught.value)


def test_a_backslash_before_a_value_is_refused_where_it_means_something(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="a backslash stands before a pseudo-variable"):
        SqlKind(MYSQL).convert("select '\\$rU'", ENVIRONMENT)
    assert statement(tmp_path, POSTGRES, "select '\\$rU'") == ("select %s", ["\\bob"])
