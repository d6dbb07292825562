from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openpy import __version__
from openpy.engine.blacklists import Target
from openpy.engine.corecommands import CoreCommands
from openpy.engine.mi import Node, Reply
from openpy.testing.script import Script
from tests.engine.kit import EPOCH, Bench, request


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path, 'sl_send_reply("200", "OK");') as made:
        yield made


def run(bench: Bench, name: str, *values: str) -> Reply | None:
    command = bench.server.commands.find(name)
    assert command is not None
    answer = bench.server.commands.run(command, [Node(value=value) for value in values])
    assert answer.done
    return answer.value


def lines(bench: Bench, name: str, *values: str) -> list[str]:
    reply = run(bench, name, *values)
    assert reply is not None
    assert (reply.code, reply.reason) == (200, "OK")
    return [f"{node.name}::{node.value}" if node.name else node.value or "" for node in reply.nodes]


def test_which_lists_them_in_the_order_of_1_3(bench: Bench) -> None:
    names = "get_statistics,reset_statistics,uptime,version,pwd,arg,which,ps,kill,debug,list_blacklists"
    assert ",".join(lines(bench, "which")).startswith(f"{names},reload")
    assert bench.server.commands.find("Which") is None


def test_uptime(bench: Bench) -> None:
    bench.clock.now += 65.7
    now, since, up = lines(bench, "uptime")
    assert now.startswith("Now::")
    assert since.startswith("Up since::")
    assert len(since) == len("Up since::Sun Sep 13 12:26:40 2020")
    assert up == "Up time::65 [sec]"
    assert bench.server.up_since == EPOCH + 100


def test_who_and_where_the_server_is(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["openpy", "-f", "x.cfg"])
    assert lines(bench, "version") == [f"Server::openpy ({__version__})"]
    assert lines(bench, "pwd") == [f"WD::{os.getcwd()}"]
    assert lines(bench, "arg") == ["openpy", "-f", "x.cfg"]
    assert lines(bench, "list_blacklists") == []
    reply = run(bench, "ps")
    assert reply is not None
    (process,) = reply.nodes
    assert (process.name, process.value) == ("Process", None)
    kind = f"stand-alone SIP receiver {bench.server.sockets.endpoints[0]}"
    assert process.attributes == {"ID": "0", "PID": str(os.getpid()), "Type": kind}


def test_kill_stops_the_server_and_says_failed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    assert run(bench, "kill") is None
    assert sent == [(os.getpid(), signal.SIGTERM)]


def test_debug_tells_and_sets_the_level(bench: Bench) -> None:
    assert lines(bench, "debug") == ["DEBUG::4"]
    assert lines(bench, "debug", "-1") == ["DEBUG::-1"]
    assert bench.server.log.level == -1
    assert run(bench, "debug", "high") == Reply(400, "Bad parameter")


def test_statistics_by_name_by_group_and_all(bench: Bench) -> None:
    bench.receive(request())
    one = lines(bench, "get_statistics", "RCV_requests", "nonsense")
    assert one == ["core:rcv_requests = 1"]
    group = lines(bench, "get_statistics", "sl:")
    assert "sl:sent_replies = 1" in group
    assert all(line.startswith("sl:") for line in group)
    everything = lines(bench, "get_statistics", "all")
    assert {*one, *group} < {*everything}
    assert lines(bench, "get_statistics", "nonsense", "core:rcv_requests") == one
    assert run(bench, "get_statistics", "nonsense", "tm:rcv_requests") == Reply(404, "Statistics Not Found")
    assert run(bench, "get_statistics") == Reply(400, "Too few or too many arguments")


def test_statistics_are_set_to_0(bench: Bench) -> None:
    bench.receive(request())
    assert lines(bench, "reset_statistics", "RCV_REQUESTS", "nonsense") == []
    assert bench.value("rcv_requests") == 0
    assert bench.value("sent_replies", "sl") == 1
    assert run(bench, "reset_statistics", "nonsense") == Reply(404, "Statistics Not Found")
    assert run(bench, "reset_statistics") == Reply(400, "Too few or too many arguments")


def test_they_are_the_servers_own(bench: Bench) -> None:
    assert {command.group for command in bench.server.commands} >= {"core"}
    assert isinstance(CoreCommands(bench.server).which(), Reply)


def test_list_blacklists_shows_each_rule(tmp_path: Path) -> None:
    more = 'disable_dns_blacklist=no dst_blacklist=gw:{(tcp,192.0.2.0/24,5060,"MESSAGE*"), !(any,2001:db8::/32,0,"")}'
    with Bench(tmp_path, more=more) as bench:
        dead, target = bench.server.dead_targets, Target("udp", "192.0.2.9", 5060)
        assert dead is not None
        dead.found_by_name(target)
        dead.failed(target)
        bench.clock.now += 40
        reply = run(bench, "list_blacklists")
        assert reply is not None
        gateways, dns = reply.nodes
        assert [(node.name, node.value, node.attributes) for node in reply.nodes] == [
            ("List", "gw", {"owner": "0", "flags": "1"}),
            ("List", "dns", {"owner": "0", "flags": "2"}),
        ]
        shown = [
            ",".join(f"{child.name}={child.value}" for child in rule.children)
            + " "
            + rule.attributes["flags"]
            for rule in (*gateways.children, *dns.children)
        ]
        assert shown == [
            "IP=192.0.2.0,Mask=255.255.255.0,Proto=2,Port=5060,Match=MESSAGE* 0",
            "IP=2001:db8::,Mask=ffff:ffff::,Proto=0,Port=0 1",
            "IP=192.0.2.9,Mask=255.255.255.255,Proto=1,Port=5060,Expire=200 0",
        ]


def test_reload_reads_the_script_anew(load_script: Callable[..., Script], tmp_path: Path) -> None:
    path = tmp_path / "x.cfg"
    path.write_text('loadmodule "sl.so"\nroute { sl_send_reply("200", "One"); }')
    script = load_script(path)
    path.write_text('loadmodule "sl.so"\nroute { sl_send_reply("200", "Two"); }')
    dry, done = script.mi("reload", "dry-run"), script.mi("reload", "partial")
    assert dry is not None
    assert done is not None
    assert [node.value for node in dry.nodes] == [f"{path} can be reloaded", "  route is changed (line 2)"]
    assert (done.code, done.reason, done.nodes[0].value) == (200, "OK", f"{path} is reloaded")
    path.write_text("route {")
    refused = script.mi("reload")
    assert refused is not None
    assert (refused.code, refused.reason) == (400, f"the old script goes on: {path} has 1 error")
    assert len(refused.nodes) > 1
    unknown = script.mi("reload", "x")
    assert unknown is not None
    assert unknown.reason == "x is no option: dry-run and partial are"
