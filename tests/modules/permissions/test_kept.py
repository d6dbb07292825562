from __future__ import annotations

from openpy.modules.permissions.kept import MOST_TOLD
from openpy.testing.script import Script
from tests.modules.accounts import URL, fill, script_of, setting

ROUTE = 'allow_source_address("1"); xlog("$retcode"); sl_send_reply("200", "OK");'


def on_table() -> Script:
    return Script(script_of(ROUTE, "permissions", settings=setting("permissions", "db_url", URL)))


def verdict(script: Script) -> str:
    script.send("OPTIONS", "sip:bob@example.com", source="udp:192.0.2.1:5060")
    return script.printed[-1]


def reload(script: Script) -> tuple[int, str]:
    reply = script.mi("address_reload")
    assert reply is not None
    return reply.code, reply.reason


def test_what_is_kept_is_that_of_the_last_reading() -> None:
    with on_table() as script:
        fill(script, "address", {"grp": 1, "ip_addr": "192.0.2.1"})
        assert verdict(script) == "-1"
        assert reload(script) == (200, "OK")
        assert verdict(script) == "1"


def test_it_stays_where_the_table_cannot_be_read() -> None:
    with on_table() as script:
        fill(script, "address", {"grp": 1, "ip_addr": "192.0.2.1"})
        reload(script)
        script.sql("DROP TABLE address")
        assert reload(script) == (400, "Address table reload failed")
        assert verdict(script) == "1"
        told = [line.text for line in script.log if line.origin == "permissions"]
        assert told[-1].startswith("Address table reload failed: ")


def test_not_every_row_is_told_that_cannot_be_used() -> None:
    with on_table() as script:
        fill(script, "address", *({"grp": 1, "ip_addr": f"x{number}"} for number in range(30)))
        assert reload(script) == (200, "OK")
        told = [line.text for line in script.log if line.origin == "permissions"]
        assert len(told) == MOST_TOLD + 1
        assert told[0].startswith("table address: the row (1, x0, ")
        assert told[-1] == "table address: 20 further rows are left out"
