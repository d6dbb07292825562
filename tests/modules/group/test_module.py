from __future__ import annotations

from pathlib import Path

import pytest

from openpy.db.tables import Table
from openpy.db.url import DatabaseUrl
from openpy.engine.module import ModuleError
from openpy.modules.group.module import Group
from openpy.modules.group.tables import Grp, ReGrp
from openpy.script.diagnostics import ScriptError
from openpy.testing.script import Script
from tests.engine.kit import request
from tests.modules.accounts import away_at_first, fill, printed, script_of, setting

IS_IN = '$var(c) = is_user_in("From", "voicemail"); xlog("$var(c)"); sl_send_reply("200", "OK");'
GROUPS = (
    '$var(c) = get_user_group("From", "i:5"); xlog("$var(c) $(avp(i:5)[*])"); sl_send_reply("200", "OK");'
)
WITH_TABLE = setting("group", "re_table", "re_grp")


def test_the_parameters() -> None:
    assert {name: item.default for name, item in Group.parameters().items()} == {
        "db_url": "mysql://openserro:openserro@localhost/openser",
        "table": "grp",
        "user_column": "username",
        "domain_column": "domain",
        "group_column": "grp",
        "use_domain": 0,
        "re_table": "",
        "re_exp_column": "reg_exp",
        "re_gid_column": "group_id",
        "multiple_gid": 1,
    }


@pytest.mark.parametrize(
    ("settings", "route", "text"),
    [
        (setting("group", "use_domain", 2), "exit;", "0 or 1"),
        (setting("group", "multiple_gid", 5), "exit;", "0 or 1"),
        ("", 'is_user_in("Nobody", "g");', "is nobody"),
        ("", 'get_user_group("From", "i:5");', "group has no re_table"),
        (WITH_TABLE, 'get_user_group("From", "x:5");', "bad avp name"),
        (WITH_TABLE, 'get_user_group("From", "");', "is no AVP"),
    ],
)
def test_wrong_parameters_stop_the_start(settings: str, route: str, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        Script(script_of(route, "group", settings=settings))


def test_is_user_in() -> None:
    with Script(script_of(IS_IN, "group")) as script:
        fill(script, "grp", {"username": "alice", "domain": "elsewhere.example", "grp": "voicemail"})
        for user in ("alice", "Alice", "bob"):
            script.send("INVITE", "sip:b@x", From=f"<sip:{user}@example.com>;tag=1")
        script.send("INVITE", "sip:b@x", From="<sip:example.com>;tag=1")
        script.sql("DROP TABLE grp")
        script.send("INVITE", "sip:b@x")
        assert script.printed == ["1", "-6", "-6", "-1", "-5"]


def test_the_domain_may_count() -> None:
    with Script(script_of(IS_IN, "group", settings=setting("group", "use_domain", 1))) as script:
        fill(script, "grp", {"username": "alice", "domain": "example.com", "grp": "voicemail"})
        for domain in ("example.com", "Example.COM", "elsewhere.example"):
            script.send("INVITE", "sip:b@x", From=f"<sip:alice@{domain}>;tag=1")
        assert script.printed == ["1", "1", "-6"]


def rows(folder: Path, *pairs: tuple[str, object]) -> None:
    """Expressions in a table, for the next start."""
    with Script(script_of("exit;", "group", settings=WITH_TABLE), folder=folder) as script:
        fill(script, "re_grp", *({"reg_exp": text, "group_id": number} for text, number in pairs))


@pytest.mark.parametrize(
    ("settings", "line"), [("", "2 20, 10"), (setting("group", "multiple_gid", 0), "1 10")]
)
def test_get_user_group(tmp_path: Path, settings: str, line: str) -> None:
    rows(tmp_path, ("^sip:ALICE@", 10), ("@example\\.com$", "20"), ("bob", 30))
    with Script(script_of(GROUPS, "group", settings=WITH_TABLE + settings), folder=tmp_path) as script:
        script.send("INVITE", "sip:b@x")
        script.send("INVITE", "sip:b@x", From="<sip:carol@elsewhere.example>;tag=1")
        script.send("INVITE", "sip:b@x", From="<tel:+1>;tag=1")
        assert script.printed == [line, "-1 <null>", "-1 <null>"]


def test_a_row_that_makes_no_sense_stops_the_start(tmp_path: Path) -> None:
    rows(tmp_path, ("(", 1))
    with pytest.raises(ModuleError, match=r'table re_grp: the expression "\(" cannot be used'):
        Script(script_of(GROUPS, "group", settings=WITH_TABLE), folder=tmp_path)


def test_until_the_expressions_are_read_new_requests_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows(tmp_path, ("^sip:alice@", 10))
    away_at_first(monkeypatch, 3)
    with Script(script_of(GROUPS, "group", settings=WITH_TABLE), folder=tmp_path) as script:
        assert script.send("INVITE", "sip:b@x").status == 503
        assert script.printed == []
        for _ in range(5):
            script.run_for(1)
        assert script.send("INVITE", "sip:b@x").status == 200
        assert script.printed == ["1 10"]


def test_each_database(tmp_path: Path, kind: str, url: DatabaseUrl) -> None:
    script = script_of(IS_IN + GROUPS, "group", settings=WITH_TABLE, url=str(url), database=kind)
    message = request("OPTIONS", "sip:b@x")
    other = request("OPTIONS", "sip:b@x", branch="z9hG4bK2", call_id="2").replace(
        b"sip:alice@", b"sip:al'ice@"
    )
    given: list[tuple[type[Table], dict[str, object]]] = [
        (Grp, {"username": "alice", "grp": "voicemail"}),
        (ReGrp, {"reg_exp": "^sip:alice@", "group_id": 7}),
        (ReGrp, {"reg_exp": "atlanta", "group_id": 8}),
    ]
    assert printed(tmp_path, kind, url, script, given, message, other) == ["1", "2 8, 7", "-6", "1 8"]
