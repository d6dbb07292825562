from __future__ import annotations

import pytest

from openpy.engine.mi import Node
from openpy.modules.pike.module import Pike
from openpy.script.diagnostics import ScriptError
from openpy.testing.script import Script
from tests.modules.accounts import setting

SETTINGS = setting("pike", "reqs_density_per_unit", 10)


def text(settings: str = SETTINGS, listen: str = "") -> str:
    return f"""{listen}
    loadmodule "sl.so"
    loadmodule "pike.so"
    {settings}
    route {{ if (!pike_check_req()) {{ drop(); exit; }} sl_send_reply("200", "OK"); }}
    """


def answered(script: Script, requests: int, source: str = "udp:192.0.2.1:5060") -> int:
    return sum(
        bool(script.send("OPTIONS", "sip:bob@example.com", source=source).replies) for _ in range(requests)
    )


def listed(script: Script) -> list[Node]:
    reply = script.mi("pike_list")
    assert reply is not None
    assert (reply.code, reply.reason) == (200, "OK")
    return reply.nodes


def test_the_parameters() -> None:
    assert {name: item.default for name, item in Pike.parameters().items()} == {
        "sampling_time_unit": 2,
        "reqs_density_per_unit": 30,
        "remove_latency": 120,
        "max_nodes": 65536,
    }


@pytest.mark.parametrize("name", list(Pike.parameters()))
def test_wrong_parameters_stop_the_start(name: str) -> None:
    with pytest.raises(ScriptError, match="1 or more expected, not 0"):
        Script(text(setting("pike", name, 0)))


@pytest.mark.parametrize(("address", "most"), [("192.0.2.1", 30), ("[2001:db8::1]", 80)])
def test_a_flood_is_dropped_until_it_ends(address: str, most: int) -> None:
    settings = SETTINGS + setting("pike", "sampling_time_unit", 20)
    with Script(
        text(settings, "listen=udp:127.0.0.1:5060\nlisten=udp:[::1]:5060"), core={"debug": 2}
    ) as script:
        source = f"udp:{address}:5060"
        assert 10 <= answered(script, 150, source) <= most
        assert answered(script, 1, "udp:192.0.2.200:5060") == 1
        host = address.strip("[]")
        assert listed(script) == [Node("", host)]
        told = [line.text for line in script.log if line.origin == "pike"]
        assert told == [f"too many hits on {host} !!"]
        assert script.statistic("pike:pike_blocked_requests") >= 150 - most
        script.run_for(41)
        assert listed(script) == []
        assert answered(script, 1, source) == 1


def test_the_quiet_are_forgotten_where_nothing_comes_any_more() -> None:
    with Script(text(SETTINGS + setting("pike", "remove_latency", 5))) as script:
        answered(script, 1)
        assert script.statistic("pike:pike_nodes") == 1
        script.run_for(7)
        assert script.statistic("pike:pike_nodes") == 0


def test_other_limits_at_a_reload() -> None:
    with Script(text()) as script:
        answered(script, 60)
        assert len(listed(script)) == 1
        script.path.write_text(text(setting("pike", "reqs_density_per_unit", 1000)))
        reply = script.mi("reload")
        assert reply is not None
        assert reply.code == 200
        assert listed(script) == []
        assert answered(script, 60) == 60


def test_made_up_sources_are_kept_within_bounds() -> None:
    with Script(text(SETTINGS + setting("pike", "max_nodes", 20))) as script:
        for number in range(60):
            answered(script, 1, f"udp:{number + 1}.0.2.1:5060")
        assert script.statistic("pike:pike_nodes") == 20
