from __future__ import annotations

from pathlib import Path

import pytest

from openpy.db.url import DatabaseUrl
from openpy.engine.mi import Reply
from openpy.modules.domain.module import Domain
from openpy.modules.domain.tables import Domain as DomainTable
from openpy.script.diagnostics import ScriptError
from openpy.testing.script import Script
from tests.engine.kit import request
from tests.modules.accounts import away_at_first, fill, printed, script_of, setting

MODES = pytest.mark.parametrize("mode", [0, 1])
ROUTE = """
    $var(f) = is_from_local(); $var(u) = is_uri_host_local(); $var(d) = is_domain_local("$hdr(X-Domain)");
    xlog("$var(f) $var(u) $var(d)"); sl_send_reply("200", "OK");
"""


def in_mode(mode: int) -> str:
    return setting("domain", "db_mode", mode)


def reload(script: Script) -> tuple[int, str]:
    reply = script.mi("domain_reload")
    assert reply is not None
    return reply.code, reply.reason


def dump(script: Script) -> Reply:
    reply = script.mi("domain_dump")
    assert reply is not None
    return reply


def codes(mode: int, uri: str, from_: str = "sip:a@x", domain: str = "") -> str:
    with Script(script_of(ROUTE, "domain", settings=in_mode(mode))) as script:
        fill(script, "domain", {"domain": "one.example"}, {"domain": "two.example"})
        if mode:
            assert reload(script) == (200, "OK")
        script.send("OPTIONS", uri, From=f"<{from_}>;tag=1", headers={"X-Domain": domain} if domain else {})
        return script.printed[-1]


def test_the_parameters() -> None:
    assert {name: item.default for name, item in Domain.parameters().items()} == {
        "db_url": "mysql://openserro:openserro@localhost/openser",
        "db_mode": 0,
        "domain_table": "domain",
        "domain_col": "domain",
    }


def test_wrong_parameters_stop_the_start() -> None:
    with pytest.raises(ScriptError, match=r"0 .* or 1 .* expected, not 2"):
        Script(script_of("exit;", "domain", settings=in_mode(2)))
    with pytest.raises(ScriptError, match="is no pseudo-variable"):
        Script(script_of('is_domain_local("one.example");', "domain"))


@MODES
def test_what_is_local(mode: int) -> None:
    assert codes(mode, "sip:bob@one.example", "sip:a@two.example", "one.example") == "1 1 1"
    assert codes(mode, "sip:bob@three.example", "sip:a@four.example", "five.example") == "-1 -1 -1"
    assert codes(mode, "sip:ONE.example:5070;x", "sips:a@Two.Example", "ONE.EXAMPLE") == "1 1 1"
    assert codes(mode, "tel:+1", "tel:+2") == "-2 -1 -1"


@MODES
def test_what_is_no_uri(mode: int) -> None:
    with Script(script_of('$ru = "x";' + ROUTE, "domain", settings=in_mode(mode))) as script:
        script.send("OPTIONS", "sip:a@b")
        assert script.printed == ["-1 -1 -1"]


@MODES
def test_a_branch_has_a_host_of_its_own(mode: int) -> None:
    route = """$ru = "sip:a@one.example"; $du = "sip:192.0.2.9"; append_branch("sip:b@three.example");
    t_on_branch("1"); t_relay(); }
    branch_route[1] { $du = "sip:192.0.2.9"; if (is_uri_host_local()) xlog("$rd"); else xlog("not $rd");"""
    with Script(script_of(route, "domain", settings=in_mode(mode))) as script:
        fill(script, "domain", {"domain": "one.example"})
        if mode:
            reload(script)
        script.send("INVITE", "sip:a@b")
        assert script.printed == ["one.example", "not three.example"]


def test_no_answer() -> None:
    with Script(script_of(ROUTE, "domain")) as script:
        script.sql("DROP TABLE domain")
        script.send("OPTIONS", "sip:a@b", headers={"X-Domain": "b"})
        assert script.printed == ["-1 -1 -1"]


# --- management commands --------------------------------------------------------------------------------------------


def test_the_commands_are_not_there_without_memory() -> None:
    with Script(script_of(ROUTE, "domain")) as script:
        assert reload(script) == (500, "command not activated")
        assert (dump(script).code, dump(script).reason) == (500, "command not activated")


def test_reload_and_dump(tmp_path: Path) -> None:
    with Script(script_of(ROUTE, "domain", settings=in_mode(1)), folder=tmp_path) as script:
        fill(script, "domain", {"domain": "One.example"}, {"domain": "two.example"})
        assert dump(script).nodes == []
        assert reload(script) == (200, "OK")
        assert [(node.name, node.value) for node in dump(script).nodes] == [
            ("", "One.example"),
            ("", "two.example"),
        ]
        script.sql("DELETE FROM domain WHERE domain = 'two.example'")
        assert len(dump(script).nodes) == 2
        assert reload(script) == (200, "OK")
        assert len(dump(script).nodes) == 1
        script.sql("ALTER TABLE domain RENAME TO gone")
        assert reload(script) == (500, "Domain table reload failed")
        assert len(dump(script).nodes) == 1
        script.sql("ALTER TABLE gone RENAME TO domain")
    with Script(script_of(ROUTE, "domain", settings=in_mode(1)), folder=tmp_path) as script:
        assert len(dump(script).nodes) == 1  # they are read at the start


def test_until_they_are_read_new_requests_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    away_at_first(monkeypatch, 3)
    route = 'if (is_uri_host_local()) xlog("local"); else xlog("foreign"); sl_send_reply("200", "OK");'
    with Script(script_of(route, "domain", settings=in_mode(1))) as script:
        fill(script, "domain", {"domain": "one.example"})
        reply = script.send("OPTIONS", "sip:one.example")
        assert (reply.status, script.printed) == (503, [])
        assert 1 <= int(reply.get("Retry-After") or 0) <= 5
        for _ in range(5):
            script.run_for(1)
        assert script.send("OPTIONS", "sip:one.example").status == 200
        assert script.printed == ["local"]


# --- every database -------------------------------------------------------------------------------------------------


@MODES
def test_each_database(tmp_path: Path, kind: str, url: DatabaseUrl, mode: int) -> None:
    script = script_of(ROUTE, "domain", settings=in_mode(mode), url=str(url), database=kind)
    messages = [
        request("OPTIONS", uri, "X-Domain: two.example", call_id=f"c{n}", branch=f"z9hG4bK{n}")
        for n, uri in enumerate(("sip:ONE.example", "sip:three.example"))
    ]
    rows = [(DomainTable, {"domain": "one.example"}), (DomainTable, {"domain": "atlanta.example"})]
    assert printed(tmp_path, kind, url, script, rows, *messages) == ["1 1 -1", "1 -1 -1"]
