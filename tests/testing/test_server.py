"""A whole server in a world: nothing of the machine is touched."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from openpy.engine.module import ModuleError
from openpy.engine.wiretaps import Wiretaps
from openpy.testing.script import Script
from openpy.transaction.flow import Flow

Load = Callable[..., Script]
BOB = "sip:bob@192.0.2.9"
MODULES = 'loadmodule "sl.so"\nloadmodule "tm.so"\nloadmodule "textops.so"\nloadmodule "xlog.so"\n'


@pytest.fixture(autouse=True)
def _no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize(
    ("listen", "endpoints"),
    [
        ("", ["udp:127.0.0.1:5060"]),
        ("port=5070\nlisten=192.0.2.100\n", ["udp:192.0.2.100:5070"]),
        ("listen=udp:192.0.2.100:5080\nlisten=tcp:192.0.2.100:5080\n", ["udp:192.0.2.100:5080"]),
        ("listen=sip.example.com\n", ["udp:192.0.2.50:5060"]),
        ("listen=eth0:5061\n", ["udp:127.0.0.1:5061"]),
    ],
)
def test_it_listens_where_the_script_says(load_script: Load, listen: str, endpoints: list[str]) -> None:
    text = f"{MODULES}{listen}route {{ if (uri==myself) setflag(1); }}"
    script = load_script(text, hosts={"sip.example.com": "192.0.2.50"})
    assert [str(endpoint) for endpoint in script.server.sockets.endpoints] == endpoints
    host = listen.partition("listen=")[2].strip() if "sip" in listen or "eth0" in listen else endpoints[0][4:]
    assert script.send("OPTIONS", f"sip:x@{host}").flags == {1}
    assert script.send("OPTIONS", "sip:x@elsewhere.example").flags == set()


def test_who_listens_hears_what_comes_and_goes_by_tcp(load_script: Load) -> None:
    script = load_script('loadmodule "sl.so" route { sl_send_reply("200", "OK"); }')
    heard: list[str] = []

    class Ears:
        def came(self, data: bytes, flow: Flow) -> None:
            heard.append(f"came {flow.transport} {data[:7].decode()}")

        def went(self, data: bytes, flow: Flow) -> None:
            heard.append(f"went {flow.transport} {data[:7].decode()}")

    script.server.wiretaps = Wiretaps([Ears()], script.server.report)
    script.send("OPTIONS", "sip:bob@example.com", source="tcp:192.0.2.7:4000")
    assert heard == ["came tcp OPTIONS", "went tcp SIP/2.0"]


def test_tcp_both_ways(load_script: Load) -> None:
    script = load_script(f'{MODULES}route {{ xlog("$pr $si:$sp"); t_relay("tcp:192.0.2.9:5062"); }}')
    call = script.send("INVITE", BOB, source="tcp:192.0.2.1:5070")
    assert script.printed == ["TCP 192.0.2.1:5070"]
    assert call.reply.target == "tcp:192.0.2.1:5070"
    (invite,) = call.relayed
    assert invite.target == "tcp:192.0.2.9:5062"
    assert (invite.get("Via") or "").startswith("SIP/2.0/TCP 127.0.0.1:5060")
    invite.answer(200)
    assert call.status == 200
    assert script.server.flow("tcp", "192.0.2.9", 5062) is not None
    assert script.server.flow("tcp", "192.0.2.10", 5062) is None


def test_ipv6_where_the_script_listens_on_it(load_script: Load) -> None:
    script = load_script(f'{MODULES}listen=[2001:db8::1]\nroute {{ sl_send_reply("200", "OK"); }}')
    assert script.send("OPTIONS", BOB, source="[2001:db8::2]").status == 200
    with pytest.raises(AssertionError, match="does not listen on an address that 192"):
        script.send("OPTIONS", BOB)


def test_names_have_the_addresses_that_the_test_gives(load_script: Load) -> None:
    script = load_script(f"{MODULES}route {{ exit; }}", hosts={"A.example": ["192.0.2.3", "192.0.2.4"]})
    resolve = script.server.resolve
    assert resolve("a.EXAMPLE").value == ("192.0.2.3", "192.0.2.4")
    assert resolve("b.example").value == ()
    assert resolve("[2001:db8::1]").value == ("2001:db8::1",)
    assert script.server.connect("udp", "192.0.2.3", 5060).value is not None


def test_whatever_database_is_named_it_is_a_file_of_the_test(load_script: Load, tmp_path: Path) -> None:
    pytest.importorskip("pymysql")
    script = load_script(
        'loadmodule "mysql.so"\nloadmodule "sl.so"\nloadmodule "tm.so"\nloadmodule "presence.so"\n'
        'loadmodule "presence_xml.so"\nmodparam("presence_xml", "force_active", 1)\n'
        'modparam("presence", "db_url", "mysql://a:b@db.example/openser")\nroute { handle_publish(); }'
    )
    assert script.send("PUBLISH", BOB).status == 200
    assert len(script.rows("presentity")) == 1
    (file,) = script.server.files.values()
    assert tmp_path in file.parents
    with pytest.raises(ModuleError, match="no database module for postgres"):
        script.server.database("postgres://db.example/openser")


def test_a_way_in_from_the_machine_is_not_opened(load_script: Load, tmp_path: Path) -> None:
    fifo, socket = tmp_path / "fifo", tmp_path / "socket"
    script = load_script(
        f'loadmodule "mi_fifo.so"\nmodparam("mi_fifo", "fifo_name", "{fifo}")\n'
        f'loadmodule "mi_datagram.so"\nmodparam("mi_datagram", "socket_name", "{socket}")\nroute {{ exit; }}'
    )
    assert not fifo.exists()
    assert not socket.exists()
    answer = script.mi("uptime")
    assert answer is not None
    assert answer.code == 200


def test_timers_fire_when_they_are_due(load_script: Load) -> None:
    script = load_script(f"{MODULES}route {{ t_relay(); }}")
    script.send("INVITE", BOB)
    start = script.now
    again = script.run_for(8.0)
    assert [round(sent.at - again[0].at, 3) for sent in again] == [0.0, 1.0, 3.0, 7.0][: len(again)]
    assert again[0].at <= 0.61
    assert script.now == pytest.approx(start + 8.0)


def test_no_program_runs_unless_the_test_says_what_it_does(load_script: Load, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    script = load_script(f'{MODULES}loadmodule "exec.so"\nroute {{ exec_msg("touch {mark}"); }}')
    assert script.send("OPTIONS", BOB).value("$rc") == -1
    assert any("stub the function" in line.text for line in script.log)
    script.stub("exec_msg", returns=1)
    assert script.send("OPTIONS", BOB).value("$rc") == 1
    assert not mark.exists()


STRANGE = """
loadmodule "mi_fifo.so"
loadmodule "sqlite.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
loadmodule "exec.so"
modparam("mi_fifo", "fifo_name", "/nowhere/fifo")
modparam("presence", "db_url", "sqlite:////nowhere/real.sqlite")
modparam("presence_xml", "force_active", 1)
route {
    if (method == "INFO") exec_msg("/bin/true");
    else if (method == "MESSAGE") t_relay("tcp:192.0.2.9:5062");
    else t_relay();
}
"""


def test_what_is_not_as_outside_is_told_once(load_script: Load) -> None:
    script = load_script(MODULES + STRANGE)
    told = script.server.remarks
    assert told == [
        "mi_fifo was not started",
        "the script names no address to listen on: it runs as if on 127.0.0.1",
        "an empty temporary database was used in place of sqlite:////nowhere/real.sqlite",
    ]
    for method in ("INFO", "MESSAGE", "OPTIONS"):
        script.send(method, "sip:bob@example.com")
        script.send(method, "sip:bob@example.com")
    assert told[3:] == [
        "/bin/true was not run",
        "no connection was opened to tcp:192.0.2.9:5062",
        "example.com was not looked up: for the script it has no address",
    ]
    assert load_script(f"{MODULES}listen=192.0.2.100\nroute {{ exit; }}").server.remarks == []
