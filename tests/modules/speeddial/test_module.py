from __future__ import annotations

from pathlib import Path

import pytest

from openpy.db.url import DatabaseUrl
from openpy.modules.speeddial.module import Speeddial
from openpy.modules.speeddial.tables import SpeedDial
from openpy.script.diagnostics import ScriptError
from openpy.testing.script import Script
from tests.engine.kit import request
from tests.modules.accounts import fill, printed, script_of, setting

ROUTE = '$var(c) = sd_lookup("speed_dial"); xlog("$var(c) $ru"); sl_send_reply("200", "OK");'
DOMAINS = setting("speeddial", "use_domain", 1)
ROW: dict[str, object] = {
    "username": "alice",
    "domain": "example.com",
    "sd_username": "11",
    "sd_domain": "example.com",
    "new_uri": "sip:mother@home.example",
}
MOTHER = "1 sip:mother@home.example"


def looked_up(
    uri: str = "sip:11@example.com", settings: str = "", route: str = ROUTE, **changes: object
) -> str:
    with Script(script_of(route, "speeddial", settings=settings)) as script:
        fill(script, "speed_dial", {**ROW, **changes})
        script.send("INVITE", uri)
        return script.printed[-1]


def test_the_parameters() -> None:
    assert {name: item.default for name, item in Speeddial.parameters().items()} == {
        "db_url": "mysql://openserro:openserro@localhost/openser",
        "user_column": "username",
        "domain_column": "domain",
        "sd_user_column": "sd_username",
        "sd_domain_column": "sd_domain",
        "new_uri_column": "new_uri",
        "use_domain": 0,
        "domain_prefix": "",
    }


def test_wrong_parameters_stop_the_start() -> None:
    with pytest.raises(ScriptError, match="0 or 1"):
        Script(script_of("exit;", "speeddial", settings=setting("speeddial", "use_domain", 2)))
    with pytest.raises(ScriptError, match="name of a table"):
        Script(script_of('sd_lookup("");', "speeddial"))


def test_a_lookup() -> None:
    assert looked_up() == MOTHER
    assert looked_up("sip:12@example.com") == "-1 sip:12@example.com"
    assert looked_up("sip:11@elsewhere.example") == MOTHER
    assert looked_up(username="bob") == "-1 sip:11@example.com"
    assert looked_up("sip:example.com") == "-1 sip:example.com"
    assert looked_up("tel:11") == "-1 tel:11"


def test_domains() -> None:
    assert looked_up(settings=DOMAINS) == MOTHER
    assert looked_up("sip:11@Example.COM", DOMAINS) == MOTHER
    assert looked_up("sip:11@elsewhere.example", DOMAINS).startswith("-1")
    assert looked_up(settings=DOMAINS, domain="elsewhere.example").startswith("-1")
    prefix = DOMAINS + setting("speeddial", "domain_prefix", "sip.")
    assert looked_up("sip:11@sip.example.com", prefix) == MOTHER


def test_another_owner() -> None:
    route = ROUTE.replace('"speed_dial"', '"speed_dial", "sip:$hdr(X-Owner)@example.com"')
    with Script(script_of(route, "speeddial")) as script:
        fill(script, "speed_dial", {**ROW, "username": "bob"})
        for owner in ("bob", "alice"):
            script.send("INVITE", "sip:11@example.com", headers={"X-Owner": owner})
        assert script.printed == [MOTHER, "-1 sip:11@example.com"]
    assert looked_up(route=ROUTE.replace('"speed_dial"', '"speed_dial", "$hdr(X-None)"')).startswith("-1")


@pytest.mark.parametrize("uri", ["", "nonsense", "sip:a@b\r\nX: y", "sip:a b@c"])
def test_a_row_that_holds_no_uri(uri: str) -> None:
    assert looked_up(new_uri=uri) == "-1 sip:11@example.com"


def test_no_answer() -> None:
    with Script(script_of(ROUTE, "speeddial")) as script:
        script.sql("DROP TABLE speed_dial")
        script.send("INVITE", "sip:11@b")
        assert script.printed == ["-1 sip:11@b"]


def test_each_database(tmp_path: Path, kind: str, url: DatabaseUrl) -> None:
    script = script_of(ROUTE, "speeddial", url=str(url), database=kind)
    messages = [
        request("OPTIONS", uri, call_id=f"c{n}", branch=f"z9hG4bK{n}")
        for n, uri in enumerate(("sip:11@example.com", "sip:'OR'1'='1@example.com"))
    ]
    lines = printed(tmp_path, kind, url, script, [(SpeedDial, ROW)], *messages)
    assert lines == [MOTHER, "-1 sip:'OR'1'='1@example.com"]
