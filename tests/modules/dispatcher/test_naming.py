from __future__ import annotations

from pathlib import Path

from openpy.modules.dispatcher.naming import PERIOD
from openpy.testing.script import Script
from tests.engine.kit import request
from tests.modules.dispatcher.kit import balancer, command

ROUTE = 'if (ds_is_from_list()) xlog("ours"); else xlog("strange");'
LIST = "1 sip:gw.example\n1 sip:192.0.2.30\n1 sip:GW.example:5070\n"


def test_names_stand_for_their_addresses(tmp_path: Path) -> None:
    with balancer(tmp_path, ROUTE, text=LIST) as bench:
        sources = [("192.0.2.21", 5060), ("192.0.2.22", 5070), ("192.0.2.22", 5071), ("192.0.2.30", 5060)]

        def printed() -> list[str]:
            before = len(list(bench.printed()))
            for number, (host, port) in enumerate(sources):
                bench.receive(request(branch=f"z9hG4bK{before}x{number}"), bench.phone(host=host, port=port))
            return list(bench.printed())[before:]

        assert printed() == ["strange", "strange", "strange", "ours"]
        assert any("gw.example has no address" in line for line in bench.log)
        bench.server.hosts["gw.example"] = ("192.0.2.21", "192.0.2.22")
        bench.run_for(PERIOD + 1)
        assert printed() == ["ours", "ours", "strange", "ours"]


def test_where_nobody_can_tell_what_was_known_stays(tmp_path: Path) -> None:
    with balancer(tmp_path, ROUTE, text="1 sip:silent.example\n") as bench:
        module = bench.server.module("dispatcher")
        assert module is not None
        assert not module.loading
        (known,) = module._sets.destinations  # type: ignore[attr-defined]
        known.addresses = ("192.0.2.40",)
        bench.run_for(PERIOD + 1)
        bench.receive(request(), bench.phone(host="192.0.2.40", port=5060))
        assert list(bench.printed()) == ["ours"]
        assert not any("no address" in line for line in bench.log)


def test_the_names_of_another_list(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("1 sip:192.0.2.1\n")
    text = f"""loadmodule "sl.so"\nloadmodule "xlog.so"\nloadmodule "dispatcher.so"
modparam("dispatcher", "list_file", "{path}")
route {{ {ROUTE} sl_send_reply("200", "OK"); }}
"""
    with Script(text, hosts={"gw.example": "192.0.2.7"}) as script:
        script.send("OPTIONS", "sip:x", source="udp:192.0.2.7:5060")
        path.write_text("1 sip:gw.example\n")
        assert script.mi("ds_reload") is not None
        script.send("OPTIONS", "sip:x", source="udp:192.0.2.7:5060")
        assert script.printed == ["strange", "ours"]


def test_it_stops_with_the_server(tmp_path: Path) -> None:
    with balancer(tmp_path, ROUTE, text=LIST) as bench:
        module = bench.server.module("dispatcher")
        assert module is not None
        module._naming.stop()  # type: ignore[attr-defined]
        bench.server.hosts["gw.example"] = ("192.0.2.21",)
        bench.run_for(2 * PERIOD)
        assert command(bench, "ds_list").code == 200
        bench.receive(request(), bench.phone(host="192.0.2.21", port=5060))
        assert list(bench.printed()) == ["strange"]
