"""The functions as scripts call them; those that need a database on each kind of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from openpy.db.dialect import Connection, execute, fetch
from openpy.db.url import DatabaseUrl, parse_url
from openpy.engine.server import Server
from openpy.script.diagnostics import Diagnostic, ScriptError, Severity
from tests.engine.kit import request
from tests.modules.avpops.kit import (
    SHOWN,
    bench,
    connected,
    empty,
    insert,
    printed,
    rows,
    run_cases,
    run_site,
    site,
)
from tests.servers import DIALECTS

CODE = 'xlog("code $rc");'
LOAD = f'avp_db_load("$ru", "*"); {CODE} {SHOWN}'


def code(call: str) -> str:
    """A call, and its return code printed."""
    return f'if ({call}) {{ xlog("1"); }} else {{ xlog("$rc"); }}'


# --- without a database -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "result", "shown"),
    [
        ("$avp(s:x)", "1", "2, 1 | a | 5"),
        ("$avp(s:x)/g", "1", "<null> | a | 5"),
        ("$avp(s:x)/G", "1", "<null> | a | 5"),
        ("$avp(i:5)", "1", "3, 2, 1 | a | <null>"),
        ("$avp(s:none)", "-1", "3, 2, 1 | a | 5"),
        ("$avp(s:none)/g", "-1", "3, 2, 1 | a | 5"),
        ("$avp($var(n))", "1", "3, 2, 1 | <null> | 5"),
        ("$avp(alias)", "1", "3, 2, 1 | a | <null>"),
        ("s", "1", "<null> | <null> | 5"),
        ("i", "1", "3, 2, 1 | a | <null>"),
        ("a", "1", "<null> | <null> | <null>"),
        ("*", "1", "<null> | <null> | <null>"),
        ("A/g", "1", "<null> | <null> | <null>"),
        ("s2/g", "1", "<null> | <null> | 5"),
    ],
)
def test_avp_delete(tmp_path: Path, name: str, result: str, shown: str) -> None:
    before = '$avp(s:x) = 1; $avp(s:x) = 2; $avp(s:x) = 3; $avp(s:y) = "a"; $avp(i:5) = 5; $var(n) = "y";'
    route = f"{before} {code(f'avp_delete({name!r})')} {SHOWN}"
    assert printed(tmp_path, route, 'avp_aliases="alias=i:5"') == [result, shown]


def test_avp_delete_of_nothing(tmp_path: Path) -> None:
    assert printed(tmp_path, code('avp_delete("a")')) == ["-1"]


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("$avp(s:x)", "1"),
        ("$avp(s:none)", "-1"),
        ("$avp(s:x)/s", "1"),
        ("$avp(s:x)/n", "-1"),
        ("$avp(s:x)/e", "-1"),
        ("$avp(i:5)/n", "1"),
        ("$avp(i:5)/s", "-1"),
        ("$avp(i:5)/e", "1"),
        ("$avp(i:5)/ne", "1"),
        ("$avp(s:empty)/e", "1"),
        ("$avp(s:empty)/se", "1"),
        ("$avp(s:empty)/S", "1"),
        ("$(avp(s:x)[1])/n", "1"),
        ("$(avp(s:x)[2])", "-1"),
        ("$(avp(s:x)[-1])/n", "1"),
        ("$(avp(s:x)[$var(i)])/n", "1"),
    ],
)
def test_is_avp_set(tmp_path: Path, value: str, result: str) -> None:
    before = '$avp(s:x) = 7; $avp(s:x) = "text"; $avp(i:5) = 0; $avp(s:empty) = ""; $var(i) = 1;'
    assert printed(tmp_path, f"{before} {code(f'is_avp_set({value!r})')}") == [result]


def test_avp_print_logs_all_at_info(tmp_path: Path) -> None:
    with bench(
        tmp_path, f'$avp(s:x) = 1; $avp(s:x) = "a"; $avp(i:5) = "b"; {code("avp_print()")}'
    ) as running:
        running.receive(request())
        logged = [line for line in running.log if ":avpops:" in line]
        assert list(running.printed()) == ["1"]
    assert logged == [
        'INFO:avpops: $avp(s:x) = "a"',
        "INFO:avpops: $avp(s:x) = 1",
        'INFO:avpops: $avp(i:5) = "b"',
    ]


def test_avp_printf_is_there_beside_it(tmp_path: Path) -> None:
    assert printed(tmp_path, 'avp_printf("$avp(s:x)", "$rU at $rd"); xlog("$avp(s:x)");') == [
        "bob at example.com"
    ]


ROUTE_KINDS = ("failure_route[1]", "onreply_route", "branch_route[1]")
CALLS = (
    'avp_delete("a")', 'avp_pushto("$du", "$avp(s:x)")', 'avp_check("$ru", "eq/s:x")',
    'avp_copy("$avp(s:x)", "$avp(s:y)")', 'avp_subst("$avp(s:x)", "/a/b/")', 'avp_op("$avp(s:x)", "add/i:1")',
    'is_avp_set("$avp(s:x)")', "avp_print()",
)  # fmt: skip
WITH_DATABASE = (
    'avp_db_load("$ru", "*")', 'avp_db_store("$ru", "*")', 'avp_db_delete("$ru", "*")', 'avp_db_query("select 1")',
)  # fmt: skip


def loaded(
    folder: Path, route: str, more: str = "", *, table: str = "usr_preferences", url: str = ""
) -> None:
    """Load a script whose avpops has a database; nothing is opened."""
    parameters = f'modparam("avpops", "db_url", "{url or "sqlite:///x.db"}")\n'
    if table:
        parameters += f'modparam("avpops", "avp_table", "{table}")\n'
    file = folder / "loaded.cfg"
    scheme = (url or "sqlite").partition(":")[0]
    names = ("sl", "xlog", scheme, "avpops")
    loads = "".join(f'loadmodule "{name}.so"\n' for name in names)
    file.write_text(f"{loads}{parameters}{more}\nroute {{ {route} }}\n")
    Server().load(file)


def test_each_function_is_for_the_same_routes(tmp_path: Path) -> None:
    calls = " ".join(f"{call};" for call in (*CALLS, *WITH_DATABASE))
    loaded(tmp_path, calls, "\n".join(f"{kind} {{ {calls} }}" for kind in ROUTE_KINDS))
    with pytest.raises(ScriptError) as caught:
        loaded(tmp_path, ";", f"error_route {{ {calls} }}")
    told = [item.message for item in errors_of(caught.value)]
    assert len(told) == len(CALLS) + len(WITH_DATABASE)
    assert all("Command cannot be used in the block" in message for message in told)


def test_functions_of_the_database_need_one_and_the_others_none(tmp_path: Path) -> None:
    calls = " ".join(f"{call};" for call in (*CALLS, *WITH_DATABASE))
    with pytest.raises(ScriptError) as caught, bench(tmp_path, calls):
        pass
    assert [item.message for item in errors_of(caught.value)] == [
        f"{call.partition('(')[0]}() cannot be used: avpops has no database" for call in WITH_DATABASE
    ]
    assert all('modparam("avpops", "db_url"' in item.hint for item in errors_of(caught.value))


BAD_OPERANDS = (
    ('avp_delete("x")', '"x" names no AVP'),
    ('avp_delete("")', "names no AVP"),
    ('avp_delete("$ru")', '"$ru" is no AVP'),
    ('avp_delete("$avp(s:x)/x")', '"x" is no flag: there is g'),
    ('avp_delete("$avp(i:x)")', "bad avp name"),
    ('avp_delete("$(avp(s:x)[1])")', "is no AVP"),
    ('avp_delete("$avp(s:x)g")', "what is more stands behind a slash"),
    ('avp_delete("sx")', "names no AVP"),
    ('avp_pushto("ru", "$avp(s:x)")', '"ru" is no place for a value'),
    ('avp_pushto("$rU", "$avp(s:x)")', '"$rU" is no place for a value; write $ru, $ru/username'),
    ('avp_pushto("$hdr(To)", "$avp(s:x)")', "append_hf"),
    ('avp_pushto("$ru/user", "$avp(s:x)")', '"/user" is no part of $ru'),
    ('avp_pushto("$du/domain", "$avp(s:x)")', "is no part of $du"),
    ('avp_pushto("$ru", "sip:a@b")', "is no pseudo-variable"),
    ('avp_pushto("$ru", "$avp(s:x)/d")', '"d" is no flag: there is g'),
    ('avp_check("text", "eq/s:x")', "is no pseudo-variable"),
    ('avp_check("$nothing", "eq/s:x")', "unknown script variable"),
    ('avp_check("$ru/g", "eq/s:x")', "there are no flags here"),
    ('avp_check("$ru", "is/s:x")', '"is" is no operator: there are eq, ne'),
    ('avp_check("$ru", "eqx/s:x")', '"eqx" is no operator'),
    ('avp_check("$ru", "eq")', "eq needs a value"),
    ('avp_check("$ru", "eq/")', "eq needs a value"),
    ('avp_check("$ru", "eq/s:")', '"s:" is no value'),
    ('avp_check("$ru", "eq/x:y")', '"x:y" is no value'),
    ('avp_check("$ru", "eq/i:y")', '"y" is no number'),
    ('avp_check("$ru", "eq/i:9999999999")', "32 bits"),
    ('avp_check("$ru", "eq/s:x/q")', '"q" is no flag: there are g and i'),
    ('avp_check("$ru", "re/s:(")', "bad regular expression"),
    ('avp_check("$ru", "re/i:5")', "is a number"),
    ('avp_check("$ru", "re/$avp(s:x)")', "write if ($x =~ $avp(s:x))"),
    ('avp_check("$ru", "fm/i:5")', "is a number"),
    ('avp_check("$ru", "fm/[z-a]")', "the wrong way round"),
    ('avp_check("$ru", "and/s:x")', "and compares numbers"),
    ('avp_copy("$ru", "$avp(s:x)")', "is no AVP"),
    ('avp_copy("$avp(s:x)", "$ru")', "is no AVP"),
    ('avp_copy("$avp(s:x)/g", "$avp(s:y)")', "there are no flags here"),
    ('avp_copy("$avp(s:x)", "$avp(s:y)/x")', '"x" is no flag: there are g, d, n and s'),
    ('avp_subst("$ru", "/a/b/")', "is no AVP"),
    ('avp_subst("$avp(s:x)/$ru", "/a/b/")', "is no AVP"),
    ('avp_subst("$avp(s:x)/x", "/a/b/")', '"x" is no flag'),
    ('avp_subst("$avp(s:x)", "/a/b")', "does not end with /"),
    ('avp_subst("$avp(s:x)", "/(/b/")', "bad regular expression"),
    ('avp_subst("$avp(s:x)", "/a/b/x")', '"x" is no flag of a substitution'),
    ('avp_subst("$avp(s:x)", "/a/$nothing/")', "unknown script variable"),
    ('avp_op("$ru", "add/i:1")', "is no AVP"),
    ('avp_op("$avp(i:1)/g", "add/i:1")', "is no AVP"),
    ('avp_op("$avp(i:1)", "pow/i:1")', '"pow" is no operator: there are add, sub'),
    ('avp_op("$avp(i:1)", "add/s:1")', "calculates with numbers"),
    ('avp_op("$avp(i:1)", "add/1")', "calculates with numbers"),
    ('avp_op("$avp(i:1)", "add/i:1/x")', '"x" is no flag: there are g and d'),
    ('is_avp_set("x")', "does not begin with a pseudo-variable"),
    ('is_avp_set("$ru")', "is no value of an AVP"),
    ('is_avp_set("$(avp(s:x)[*])")', "is no value of an AVP"),
    ('is_avp_set("$avp(s:x)/g")', '"g" is no flag: there are e, s and n'),
    ('is_avp_set("$avp(s:x)/sn")', "not both"),
    ('avp_print("x")', "takes 0 argument"),
    ('avp_write("a", "b")', "write $avp(s:name) = value"),
)  # fmt: skip


def test_bad_operands_are_refused(tmp_path: Path) -> None:
    """Each is on a line of its own."""
    calls = "\n".join(f"{call};" for call, _ in BAD_OPERANDS)
    with pytest.raises(ScriptError) as caught, bench(tmp_path, f"\n{calls}\n"):
        pass
    check_told(BAD_OPERANDS, caught.value)


def errors_of(error: ScriptError) -> list[Diagnostic]:
    """What stops the start; the scripts here answer nothing, of which they are warned."""
    return [item for item in error.diagnostics if item.severity is Severity.ERROR]


def check_told(expected: Sequence[tuple[str, str]], error: ScriptError) -> None:
    """Whether each call is told what is wrong with it, and nothing else is told."""
    errors = errors_of(error)
    lines = [item.position.line for item in errors]
    assert len(set(lines)) == len(lines) == len(expected)
    for (call, told), item in zip(expected, errors, strict=True):
        assert told in f"{item.message} {item.hint}", call


BAD_OPERANDS_OF_THE_DATABASE = (
    ('avp_db_load("", "a")', "names nobody"),
    ('avp_db_load("$nothing", "a")', "unknown script variable"),
    ('avp_db_load("$ru/x", "a")', '"/x" is no part of a user: there are /username'),
    ('avp_db_load("alice/x", "a")', '"/x" is no part of a user'),
    ('avp_db_load("$ru/", "a")', "is no part of a user"),
    ('avp_db_load("$ru", "x")', '"x" names no AVP'),
    ('avp_db_load("$ru", "a/")', "the name of a table is missing"),
    ('avp_db_load("$ru", "a/b;c")', "is no name of a table"),
    ('avp_db_load("$ru", "$avp(s:x)/$no")', 'no scheme is called "no": there are credit'),
    ('avp_db_load("$ru", "a/$credit")', "gives values and no names"),
    ('avp_db_store("$ru", "$avp(s:x)/$credit")', "is for avp_db_load only"),
    ('avp_db_delete("$ru", "$avp(s:x)/$credit")', "is for avp_db_load only"),
    ('avp_db_query("$avp(s:q)")', "does not begin with a word of SQL"),
    ('avp_db_query("select 1 from $var(t)")', 'the name that follows "from"'),
    ('avp_db_query("select 1", "$ru")', "is no AVP"),
    ('avp_db_query("select 1", "$avp(s:a),$avp(s:b)")', "is not part of the pseudo-variable"),
    ('avp_db_query("select \'$rU")', "does not end"),
)  # fmt: skip


def test_bad_operands_of_the_database_are_refused(tmp_path: Path) -> None:
    scheme = 'modparam("avpops", "db_scheme", "credit:value_col=cents")'
    calls = "\n".join(f"{call};" for call, _ in BAD_OPERANDS_OF_THE_DATABASE)
    with pytest.raises(ScriptError) as caught:
        loaded(tmp_path, f"\n{calls}\n", scheme)
    check_told(BAD_OPERANDS_OF_THE_DATABASE, caught.value)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('modparam("avpops", "avp_url", "sqlite:///other.db")', "db_url and avp_url name two databases"),
        ('modparam("avpops", "db_scheme", "x:value_col=a")\nmodparam("avpops", "db_scheme", "X:value_col=b")',
         "two schemes are called x"),
        ('modparam("avpops", "db_scheme", "nonsense")', '"nonsense" is no scheme'),
        ('modparam("avpops", "uuid_column", "a b")', "is no name of a table or column"),
        ('modparam("avpops", "avp_table", "")', "is no name of a table or column"),
        ('modparam("avpops", "max_rows", 0)', "1 or more"),
        ('modparam("avpops", "use_domain", "yes")', "takes a number"),
        ('modparam("avpops", "nothing", 1)', "not found in module <avpops>"),
    ],
)  # fmt: skip
def test_bad_parameters_are_refused(tmp_path: Path, more: str, told: str) -> None:
    with pytest.raises(ScriptError) as caught:
        loaded(tmp_path, ";", more)
    assert told in "\n".join(item.message for item in errors_of(caught.value))


def test_a_database_needs_a_table_and_its_module(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="avpops has a database and no table"):
        loaded(tmp_path, ";", table="")
    file = tmp_path / "x.cfg"
    file.write_text(
        'loadmodule "avpops.so"\nmodparam("avpops", "avp_url", "mysql://a@b/c")\n'
        'modparam("avpops", "avp_table", "t")\nroute { ; }\n'
    )
    with pytest.raises(ScriptError, match="no database module for mysql"):
        Server().load(file)


# --- loading ----------------------------------------------------------------------------------------------------

ROWS = (
    ("bob", "x", "old", 0),
    ("bob", "x", "new", 0),
    ("bob", "y", "-7", 1),
    ("bob", "5", "text", 2),
    ("bob", "5", "9", 3),
    ("bob", "x", "no number", 1),
    ("bob", "name", "no number", 2),
    ("Bob", "x", "other", 0),
    ("carol", "x", "carol's", 0),
)


LOADS = (
    ('avp_db_load("$ru", "*")', "1", "new, old | -7 | 9, text"),
    ('avp_db_load("$ru", "a")', "1", "new, old | -7 | 9, text"),
    ('avp_db_load("$ru", "s")', "1", "new, old | -7 | <null>"),
    ('avp_db_load("$ru", "i")', "1", "<null> | <null> | 9, text"),
    ('avp_db_load("$ru", "$avp(s:x)")', "1", "new, old | <null> | <null>"),
    ('avp_db_load("$ru", "$avp(i:5)")', "1", "<null> | <null> | 9, text"),
    ('avp_db_load("$ru", "$avp(s:5)")', "-1", "<null> | <null> | <null>"),
    ('avp_db_load("$ru", "$avp($var(n))")', "1", "<null> | -7 | <null>"),
    ('avp_db_load("$ru", "$avp($hdr(Absent))")', "-1", "<null> | <null> | <null>"),
    ('avp_db_load("$ru", "$avp(s:none)")', "-1", "<null> | <null> | <null>"),
    ('avp_db_load("$ru/username", "$avp(s:y)")', "1", "<null> | -7 | <null>"),
    ('avp_db_load("$ru/domain", "$avp(s:y)")', "1", "<null> | -7 | <null>"),
    ('avp_db_load("$var(uri)/uri", "$avp(s:x)")', "1", "carol's | <null> | <null>"),
    ('avp_db_load("sip:carol@example.com/uri", "$avp(s:x)")', "1", "carol's | <null> | <null>"),
    ('avp_db_load("$var(uri)", "*")', "-1", "<null> | <null> | <null>"),
    ('avp_db_load("unique", "*")', "1", "by id | <null> | <null>"),
    ('avp_db_load("$var(id)", "*")', "1", "by id | <null> | <null>"),
    ('avp_db_load("$hdr(Absent)", "*")', "-1", "<null> | <null> | <null>"),
    ('avp_db_load("$rU/uri", "*")', "-1", "<null> | <null> | <null>"),
)  # fmt: skip


def test_avp_db_load(tmp_path: Path, url: DatabaseUrl, connection: Connection) -> None:
    insert(connection, url.scheme, *ROWS)
    quote = DIALECTS[url.scheme].quote
    columns = ", ".join(map(quote, ("uuid", "attribute", "value")))
    execute(connection, f"INSERT INTO usr_preferences ({columns}) VALUES ('unique', 'x', 'by id')")
    before = '$var(n) = "y"; $var(uri) = "sip:carol@example.com"; $var(id) = "unique";'
    found = run_cases(tmp_path, url, [f"{before} {code(call)} {SHOWN}" for call, _, _ in LOADS])
    for (call, result, shown), (lines, _) in zip(LOADS, found, strict=True):
        assert lines == [result, shown], call


@pytest.mark.parametrize(("use_domain", "result"), [(0, "there"), (1, "here")])
def test_use_domain(
    tmp_path: Path, url: DatabaseUrl, connection: Connection, use_domain: int, result: str
) -> None:
    insert(connection, url.scheme, ("bob", "x", "here", 0))
    insert(connection, url.scheme, ("bob", "x", "there", 0), domain="example.net")
    more = f'modparam("avpops", "use_domain", {use_domain})'
    route = 'avp_db_load("$ru", "$avp(s:x)"); xlog("$avp(s:x)");'
    assert run_site(tmp_path, url, route, more) == ([result], [])


def test_schemes_read_tables_of_another_layout(
    tmp_path: Path, url: DatabaseUrl, connection: Connection
) -> None:
    execute(
        connection,
        "CREATE TABLE accounts (owner VARCHAR(20), host VARCHAR(20), cents INTEGER, note VARCHAR(9))",
    )
    execute(connection, "INSERT INTO accounts VALUES ('bob', 'example.com', 250, '17')")
    execute(connection, "INSERT INTO accounts VALUES ('bob', 'example.net', 300, 'word')")
    common = "username_col=owner;domain_col=host;table=accounts"
    more = "\n".join(
        f'modparam("avpops", "db_scheme", "{scheme}")'
        for scheme in (
            f"credit:{common};value_col=cents;value_type=integer",
            f"Text:{common};value_col=cents",
            f"number:{common};value_col=note;value_type=integer",
        )
    )
    calls = (
        ("credit", 'is_avp_set("$avp(i:5)/n")'),
        ("text", 'is_avp_set("$avp(i:5)/s")'),
        ("number", 'is_avp_set("$avp(i:5)/n")'),
    )
    route = "".join(
        f'avp_db_load("$ru/domain", "$avp(i:5)/${scheme}"); if ({check}) {{ xlog("$(avp(i:5)[*])"); }} '
        'avp_delete("a"); '
        for scheme, check in calls
    )
    assert run_site(tmp_path, url, route, more, lines=3)[0] == ["250", "250", "17"]


def test_other_tables_and_columns(tmp_path: Path, url: DatabaseUrl) -> None:
    kind = url.scheme
    names = {
        "uuid": "id_of",
        "attribute": "attr",
        "value": "val",
        "type": "typ",
        "username": "usr",
        "domain": "dom",
    }
    more = "".join(f'modparam("avpops", "{own}_column", "{name}")\n' for own, name in names.items())
    with connected(url) as connection:
        serial = {
            "sqlite": "INTEGER PRIMARY KEY",
            "mysql": "INT AUTO_INCREMENT PRIMARY KEY",
            "postgres": "SERIAL",
        }
        for name in ("usr_preferences", "others"):
            execute(
                connection,
                f"CREATE TABLE {name} (id {serial[kind]}, id_of VARCHAR(64) DEFAULT '', attr VARCHAR(64), "
                "val VARCHAR(255), typ INT, usr VARCHAR(255), dom VARCHAR(255), last_modified VARCHAR(30))",
            )
        route = (
            '$avp(s:x) = "mine"; avp_db_store("$ru", "$avp(s:x)"); avp_db_store("$ru", "$avp(s:x)/others"); '
            '$avp(s:y) = 6; avp_db_store("$ru", "s/others"); avp_db_delete("$ru", "$avp(s:x)"); '
            f'avp_delete("a"); avp_db_load("$ru", "a/others"); {SHOWN}'
        )
        assert run_site(tmp_path, url, route, more) == (["<null> | 6 | <null>"], [])
        assert fetch(connection, "SELECT usr, dom, attr, val, typ FROM others") in (
            [("bob", "", "y", "6", 1)],
            (("bob", "", "y", "6", 1),),
        )


# --- storing and deleting ---------------------------------------------------------------------------------------


X, Y, FIVE = [("x", 0, "b"), ("x", 0, "a")], [("y", 1, "-7")], [("5", 2, "t"), ("5", 3, "5")]
STORES: tuple[tuple[str, str, list[tuple[str, int, str]]], ...] = (
    ('avp_db_store("$ru", "a")', "1", X + Y + FIVE),
    ('avp_db_store("$ru", "*")', "1", X + Y + FIVE),
    ('avp_db_store("$ru", "s")', "1", X + Y),
    ('avp_db_store("$ru", "i")', "1", FIVE),
    ('avp_db_store("$ru", "$avp(s:x)")', "1", X),
    ('avp_db_store("$ru", "$avp(i:5)")', "1", FIVE),
    ('avp_db_store("$ru", "$avp(s:none)")', "-1", []),
    ('avp_db_store("$hdr(Absent)", "a")', "-1", []),
)


def test_avp_db_store(tmp_path: Path, url: DatabaseUrl, connection: Connection) -> None:
    before = '$avp(s:x) = "a"; $avp(s:x) = "b"; $avp(s:y) = -7; $avp(i:5) = 5; $avp(i:5) = "t";'
    found = run_cases(
        tmp_path,
        url,
        [f"{before} {code(call)}" for call, _, _ in STORES],
        lambda: empty(connection),
        lambda: rows(connection, url.scheme),
    )
    for (call, result, stored), (lines, kept) in zip(STORES, found, strict=True):
        assert lines == [result], call
        assert kept == [("", "bob", "", attribute, kind, value) for attribute, kind, value in stored], call


OWNERS = (
    ("$ru", 0, ("", "bob", "")),
    ("$ru", 1, ("", "bob", "example.com")),
    ("$ru/username", 1, ("", "bob", "")),
    ("$ru/domain", 0, ("", "", "example.com")),
    ("$ru/uuid", 0, ("sip:bob@example.com", "", "")),
    ("some'one", 0, ("some'one", "", "")),
)


@pytest.mark.parametrize("use_domain", [0, 1])
def test_whose_the_rows_are(
    tmp_path: Path, url: DatabaseUrl, connection: Connection, use_domain: int
) -> None:
    owners = [(source, owner) for source, domain, owner in OWNERS if domain == use_domain]
    found = run_cases(
        tmp_path,
        url,
        [f'$avp(s:x) = "v"; {code(f"""avp_db_store("{source}", "a")""")}' for source, _ in owners],
        lambda: empty(connection),
        lambda: rows(connection, url.scheme),
        f'modparam("avpops", "use_domain", {use_domain})',
    )
    for (source, owner), (lines, kept) in zip(owners, found, strict=True):
        assert (lines, kept) == (["1"], [(*owner, "x", 0, "v")]), source


def test_what_the_database_has_is_not_stored_again(
    tmp_path: Path, url: DatabaseUrl, connection: Connection
) -> None:
    insert(connection, url.scheme, ("bob", "x", "loaded", 0), ("bob", "5", "1", 3))
    store = code('avp_db_store("$ru", "a")')
    route = f'avp_db_load("$ru", "a"); {store} $avp(s:x) = "more"; avp_copy("$avp(i:5)", "$avp(s:y)"); {store} {store}'
    assert run_site(tmp_path, url, route, lines=3) == (["-1", "1", "-1"], [])
    assert [row[3:] for row in rows(connection, url.scheme)] == [
        ("x", 0, "loaded"),
        ("5", 3, "1"),
        ("x", 0, "more"),
        ("y", 1, "1"),
    ]


def test_a_row_that_is_refused_does_not_keep_out_the_others(
    tmp_path: Path, url: DatabaseUrl, connection: Connection
) -> None:
    kind = url.scheme
    if kind == "sqlite":  # it takes texts of any length
        execute(
            connection,
            "CREATE TRIGGER refuse BEFORE INSERT ON usr_preferences WHEN length(NEW.value) > 255 "
            "BEGIN SELECT RAISE(ABORT, 'too long'); END",
        )
    route = f'$avp(s:x) = "v"; $avp(s:y) = $hdr(Long); $avp(i:5) = 1; {code("""avp_db_store("$ru", "a")""")}'
    message = request("OPTIONS", "sip:bob@example.com", f"Long: {'x' * 300}")
    lines, complaints = run_site(tmp_path, url, route, messages=[message])
    assert lines == ["1"]
    assert "too long" in complaints[0].lower()
    assert [row[3:] for row in rows(connection, kind)] == [("x", 0, "v"), ("5", 3, "1")]


DELETES: tuple[tuple[str, list[str]], ...] = (
    ('avp_db_delete("$ru", "*")', []),
    ('avp_db_delete("$ru", "a")', []),
    ('avp_db_delete("$ru", "s")', ["5"]),
    ('avp_db_delete("$ru", "i")', ["x", "y"]),
    ('avp_db_delete("$ru", "$avp(s:x)")', ["5", "y"]),
    ('avp_db_delete("$ru", "$avp(i:5)")', ["x", "y"]),
    ('avp_db_delete("$ru", "$avp(s:none)")', ["5", "x", "y"]),
    ('avp_db_delete("$fu", "*")', ["5", "x", "y"]),
)


def test_avp_db_delete(tmp_path: Path, url: DatabaseUrl, connection: Connection) -> None:
    def prepare() -> None:
        empty(connection)
        preferences = (
            ("bob", "x", "a", 0),
            ("bob", "y", "1", 1),
            ("bob", "5", "b", 2),
            ("carol", "x", "c", 0),
        )
        insert(connection, url.scheme, *preferences)

    found = run_cases(
        tmp_path, url, [code(call) for call, _ in DELETES], prepare, lambda: rows(connection, url.scheme)
    )
    for (call, left), (lines, kept) in zip(DELETES, found, strict=True):
        assert lines == ["1"], call
        assert sorted(row[3] for row in kept if row[1] == "bob") == left, call
        assert [row[5] for row in kept if row[1] == "carol"] == ["c"]


# --- queries ----------------------------------------------------------------------------------------------------


QUERIES = (
    ("select value from usr_preferences where username = '$rU' and type = 0 order by id", "$avp(s:x)", "1",
     "old, new | <null> | <null>"),
    ("select value, type from usr_preferences where username = '$rU' order by id", "$avp(s:x);$avp(s:y)", "1",
     "old, new, 4 | 0, 0, 1 | <null>"),
    ("select type, value from usr_preferences where username = '$rU' order by id", "$avp(s:y)", "1",
     "<null> | 0, 0, 1 | <null>"),
    ("select null, '', 5 from usr_preferences where value = 'old'", "$avp(s:x);$avp(s:y);$avp(i:5)", "1",
     "<null> | <null> | 5"),
    ("select value from usr_preferences where username = $rU and type = $var(one)", "$avp(s:x)", "1",
     "4 | <null> | <null>"),
    ("select value from usr_preferences where value like '%$var(part)%'", "$avp(s:x)", "1", "old | <null> | <null>"),
    ("select value from usr_preferences where username = '$rd'", "$avp(s:x)", "-1", "<null> | <null> | <null>"),
    ("select nonsense", "$avp(s:x)", "-1", "<null> | <null> | <null>"),
)  # fmt: skip


def test_avp_db_query(tmp_path: Path, url: DatabaseUrl, connection: Connection) -> None:
    insert(connection, url.scheme, ("bob", "x", "old", 0), ("bob", "x", "new", 0), ("bob", "y", "4", 1))
    before = '$var(one) = 1; $var(part) = "ol";'
    calls = [f'avp_db_query("{sql}", "{targets}")' for sql, targets, _, _ in QUERIES]
    found = run_cases(tmp_path, url, [f"{before} {code(call)} {SHOWN}" for call in calls])
    for (sql, _, result, shown), (lines, _) in zip(QUERIES, found, strict=True):
        assert lines == [result, shown], sql


def test_avp_db_query_without_names(tmp_path: Path, url: DatabaseUrl, connection: Connection) -> None:
    insert(connection, url.scheme, ("bob", "x", "v", 0))
    query = "select username, value, type from usr_preferences"
    route = f'{code(f"""avp_db_query("{query}")""")} xlog("$avp(i:1) $avp(i:2) $avp(i:3)");'
    assert run_site(tmp_path, url, route, lines=2) == (["1", "bob v 0"], [])


def test_avp_db_query_writes_too_and_what_it_wrote_is_committed(
    tmp_path: Path, url: DatabaseUrl, connection: Connection
) -> None:
    write = "insert into usr_preferences (uuid, attribute, value) values ('$rU', 'x', '$hdr(Subject)')"
    change = "update usr_preferences set value = 'changed' where uuid = '$rU'"
    route = (
        f'{code(f"""avp_db_query("{write}")""")} {code(f"""avp_db_query("{change}")""")} '
        f'{code("""avp_db_query("select count(*) from usr_preferences", "$avp(i:5)")""")} {SHOWN}'
    )
    message = request("OPTIONS", "sip:bob@example.com", "Subject: 50% 'off'")
    lines, _ = run_site(tmp_path, url, route, messages=[message], lines=4)
    assert lines == ["-1", "-1", "1", "<null> | <null> | 1"]
    assert rows(connection, url.scheme)[0][5] == "changed"


USERS = (
    "bob'%20or%20'1'='1",
    "bob%5C'",
    "x'--",
    "x%22",
    "$ru",
    "%25s",
    "?",
    "x%00'",
    "x;drop%20table%20usr_preferences",
)
CONDITIONS = (
    "username = '$(rU{s.unescape.user})'",
    "username = $(rU{s.unescape.user})",
    "uuid = 'x' or username = 'a$(rU{s.unescape.user})'",
)


def test_a_user_is_never_sql(tmp_path: Path, url: DatabaseUrl, connection: Connection) -> None:
    insert(connection, url.scheme, ("bob", "x", "secret", 0), ("carol", "x", "secret", 0))
    queries = " ".join(
        f'avp_db_query("select value from usr_preferences where {where}", "$avp(s:x)"); '
        f'avp_db_query("delete from usr_preferences where {where}");'
        for where in CONDITIONS
    )
    route = (
        f'$var(u) = $(rU{{s.unescape.user}}); {queries} avp_db_load("$ru", "a"); avp_db_load("$var(u)", "a"); '
        f'avp_db_delete("$ru", "a"); avp_db_delete("$var(u)", "a"); {SHOWN}'
    )
    messages = [request("OPTIONS", f"sip:{user}@example.com", branch=f"z9hG4bK{user}") for user in USERS]
    lines, _ = run_site(tmp_path, url, route, messages=messages, lines=len(USERS))
    assert lines == ["<null> | <null> | <null>"] * len(USERS)
    assert [(row[1], row[5]) for row in rows(connection, url.scheme)] == [
        ("bob", "secret"),
        ("carol", "secret"),
    ]


def test_too_many_rows(tmp_path: Path, url: DatabaseUrl, connection: Connection) -> None:
    insert(connection, url.scheme, *(("bob", "x", f"{n}", 0) for n in range(4)))
    route = f'{code("""avp_db_load("$ru", "a")""")} {SHOWN}'
    lines, complaints = run_site(tmp_path, url, route, 'modparam("avpops", "max_rows", 3)', lines=2)
    assert lines == ["-1", "<null> | <null> | <null>"]
    assert complaints == ["avp_db_load: the statement gives more than 3 rows"]
    assert run_site(tmp_path, url, LOAD, 'modparam("avpops", "max_rows", 4)', lines=2)[0][1].startswith(
        "3, 2, 1, 0"
    )


def test_bytes_that_are_no_text(tmp_path: Path, url: DatabaseUrl, connection: Connection) -> None:
    message = request("OPTIONS", "sip:bob@example.com", "Subject: x").replace(
        b"Subject: x", b"Subject: \xff'"
    )
    route = f'$avp(s:x) = $hdr(Subject); {code("""avp_db_store("$ru", "a")""")}'
    lines, complaints = run_site(tmp_path, url, route, messages=[message])
    assert lines == ["-1"]
    assert complaints == ["avp_db_store: a value for the database is no valid UTF-8"]
    assert rows(connection, url.scheme) == []


def test_the_idiom_of_preferences(
    tmp_path: Path, url: DatabaseUrl, connection: Connection, root: Path
) -> None:
    """But for the parameter of tm, which is not built, and for sending."""
    text = (root / "tests/language/idioms/38-preferences.cfg").read_text()
    route = text[text.index("route {") + len("route {") : text.rindex("}")]
    assert "t_relay();" in route
    route = route.replace("t_relay();", 'xlog("$ru $avp(s:uuid) $avp(s:callee_fr_inv_timer) $avp(s:cfu)");')
    execute(connection, "CREATE TABLE subscriber (username VARCHAR(64), uuid VARCHAR(64))")
    execute(connection, "INSERT INTO subscriber VALUES ('bob', 'id-of-bob')")
    insert(
        connection, url.scheme, ("bob", "cfu", "sip:carol@example.org", 0), ("bob", "ringtimeout", "20", 1)
    )
    messages = [request(), request(uri="sip:dave@example.com", branch="z9hG4bK2")]
    lines, complaints = run_site(tmp_path, url, route, messages=messages, lines=2)
    assert sorted(lines) == [
        "sip:carol@example.org id-of-bob 20 <null>",
        "sip:dave@example.com <null> <null> <null>",
    ]
    assert complaints == []


# --- waiting ----------------------------------------------------------------------------------------------------

SLOW = {
    "mysql": "select sleep(0.4)",
    "postgres": "select 1 from pg_sleep(0.4)",
    "sqlite": "select count(*) from (with recursive c(n) as (select 1 union all select n + 1 from c where n < 1500000) "
    "select n from c)",
}


def test_a_slow_database_keeps_no_other_message_waiting(
    tmp_path: Path, url: DatabaseUrl, connection: Connection
) -> None:
    """And a retransmission of what waits does not run the script again."""
    query = f'avp_db_query("{SLOW[url.scheme]}", "$avp(i:1)");'
    route = f'if ($rU == "slow") {{ {query} }} xlog("$rU"); sl_send_reply("200", "OK");'

    async def play() -> tuple[list[str], int]:
        async with site(tmp_path, url, route) as running:
            await running.ask(request(uri="sip:warm@up", branch="z9hG4bK0"))
            slow = request(uri="sip:slow@example.com", branch="z9hG4bKslow", call_id="slow")
            await running.ask(slow, slow, *(request(branch=f"z9hG4bK{n}") for n in range(1, 9)), lines=8)
            await running.until(lambda: "slow" in running.printed)
            return running.printed, len(running.sent)

    lines, sent = asyncio.run(play())
    assert lines == ["warm", *["bob"] * 8, "slow"]
    assert sent == 10


def test_a_database_that_is_away(tmp_path: Path, url: DatabaseUrl, connection: Connection) -> None:
    calls = " ".join(map(code, WITH_DATABASE))

    async def play() -> tuple[list[str], list[str]]:
        async with site(tmp_path, url, f"$avp(s:x) = 1; {calls}") as running:
            database = next(iter(running.server.databases.values()))
            database.executor().stop()
            return await running.ask(lines=4), running.complaints()

    lines, complaints = asyncio.run(play())
    assert lines == ["-1"] * 4
    assert complaints == [
        f"{name}: the database is closed"
        for name in ("avp_db_load", "avp_db_store", "avp_db_delete", "avp_db_query")
    ]


def test_before_the_database_came_nothing_is_asked(tmp_path: Path) -> None:
    async def play() -> tuple[list[str], list[str]]:
        away = parse_url("postgres://nobody@127.0.0.1:1/x")
        async with site(tmp_path, away, code('avp_db_load("$ru", "a")')) as running:
            return await running.ask(), running.complaints()

    assert asyncio.run(play()) == (["-1"], ["avp_db_load: the database is not there yet"])


def test_without_room_for_a_transaction_nothing_is_asked(
    tmp_path: Path, url: DatabaseUrl, connection: Connection
) -> None:
    async def play() -> tuple[list[str], list[str]]:
        async with site(tmp_path, url, code('avp_db_load("$ru", "a")')) as running:
            running.server.transactions.capacity = 0
            return await running.ask(), running.complaints()

    lines, complaints = asyncio.run(play())
    assert lines == ["-1"]
    assert "no room for a transaction" in complaints[0]


def test_a_table_that_does_not_fit_stops_the_start(tmp_path: Path, url: DatabaseUrl) -> None:
    with connected(url) as connection:
        execute(connection, "CREATE TABLE usr_preferences (id INTEGER, uuid VARCHAR(8))")
    with pytest.raises(Exception, match="usr_preferences has no column username"):
        run_site(tmp_path, url, ";")


def test_sqlite_makes_its_table_and_servers_say_what_makes_it(tmp_path: Path, url: DatabaseUrl) -> None:
    if url.scheme == "sqlite":
        assert run_site(tmp_path, url, code('avp_db_load("$ru", "a")')) == (["-1"], [])
    else:
        with pytest.raises(Exception, match="openpydbctl create makes it"):
            run_site(tmp_path, url, ";")


def test_the_same_database_by_both_names(tmp_path: Path) -> None:
    loaded(tmp_path, 'avp_db_load("$ru", "a");', 'modparam("avpops", "avp_url", "sqlite:///x.db")')


@pytest.mark.parametrize(
    "call",
    [
        'avp_check("$ua", "re/^(a+)+$$")',
        'avp_check("$ua", "fm/*a*a*a*a*a*a*a*a*b")',
        'avp_subst("$avp(s:x)", "/(a|aa)+$$/b/g")',
        'avp_subst("$avp(s:x)", "/(a*)*b/b/g")',
        'avp_check("$ru", "fm/$ua")',
    ],
)
def test_a_hostile_expression_takes_no_time(tmp_path: Path, call: str) -> None:
    agent = "a" * 20_000 + "!" if "fm/$ua" not in call else "*a" * 500
    message = request("OPTIONS", f"sip:{'a' * 3000}@example.com", f"User-Agent: {agent}")
    with bench(tmp_path, f'$avp(s:x) = $ua; {call}; xlog("done");') as running:
        begun = time.process_time()
        running.receive(message)
        took = time.process_time() - begun
        assert list(running.printed()) == ["done"]
    assert took < 0.1
