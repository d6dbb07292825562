from __future__ import annotations

import pytest

from openpy.engine.usertables import UserTable
from openpy.modules.alias_db.module import AliasDb
from openpy.modules.speeddial.module import Speeddial
from openpy.script.diagnostics import ScriptError
from openpy.sip.uri import parse_uri
from openpy.testing.script import Script
from tests.modules.accounts import fill, script_of, setting

ROUTE = '$var(c) = {call}; xlog("$var(c) $ru"); sl_send_reply("200", "OK");'
ALIAS = {"alias_username": "sales", "alias_domain": "example.com", "username": "bob", "domain": "h.example"}


def test_what_the_modules_have_in_common() -> None:
    common = UserTable.parameters()
    assert list(common) == ["db_url", "user_column", "domain_column", "use_domain", "domain_prefix"]
    for cls in (AliasDb, Speeddial):
        assert list(cls.parameters())[: len(common)] == list(common)
        assert cls.needs == ("database",)


def test_tables_are_those_that_the_script_names() -> None:
    route = ROUTE.format(call='alias_db_lookup("mine")')
    with Script(script_of(route, "alias_db")) as script:
        fill(script, "mine", ALIAS)
        with pytest.raises(LookupError):
            script.rows("dbaliases")
        script.send("INVITE", "sip:sales@nowhere")
        script.send("INVITE", "sip:nobody@nowhere")
        script.sql("DROP TABLE mine")
        script.send("INVITE", "sip:sales@nowhere")
        assert script.printed == ["1 sip:bob@h.example", "-1 sip:nobody@nowhere", "-1 sip:sales@nowhere"]


def test_domains() -> None:
    settings = setting("alias_db", "use_domain", 1) + setting("alias_db", "domain_prefix", "sip.")
    with Script(
        script_of(ROUTE.format(call='alias_db_lookup("t")'), "alias_db", settings=settings)
    ) as script:
        fill(script, "t", ALIAS)
        script.send("INVITE", "sip:sales@sip.example.com")
        script.send("INVITE", "sip:sales@example.org")
        assert [line.split()[0] for line in script.printed] == ["1", "-1"]
        module = script.server.modules["alias_db"]
        assert isinstance(module, UserTable)
        assert module.domain_of(parse_uri("tel:+1")) == ""


def test_a_database_that_nobody_serves() -> None:
    with pytest.raises(ScriptError, match="oracle"):
        Script(script_of("exit;", "speeddial", url="oracle://x"))


def test_each_says_what_it_compares() -> None:
    with pytest.raises(TypeError, match=r"columns.*domains.*users"):
        UserTable(None)  # type: ignore[arg-type,abstract]
