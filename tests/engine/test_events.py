from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from openpy.engine.events import Event, EventRoute, Nowhere, events_of
from openpy.engine.module import Module
from openpy.engine.server import Server
from openpy.engine.waiting import Wait
from openpy.script.compiler import CompiledRoute, Program
from openpy.script.syntax import Position, RouteKind
from openpy.testing.script import Script
from tests.engine.kit import Bench, request

EVENT = "\nevent_route[core:worker-one-init] {{ {} }}"

LEVEL = "ERROR:script: "


class Ringing(Module):
    """Declares events."""

    name = "ringing"
    bell_rings = Event("It rings")
    other = Event("Something else", name="other_name")


def test_a_class_declares_its_events() -> None:
    assert {name: event.doc for name, event in Ringing.events().items()} == {
        "ringing:bell-rings": "It rings",
        "ringing:other_name": "Something else",
    }
    assert [event.name for event in events_of(Server)] == ["worker-one-init"]
    assert [event.name for event in events_of(Ringing)] == ["bell-rings", "other_name"]


def made_of(function: Callable[[Any], Any], is_async: bool = False) -> CompiledRoute:
    """A route that is this function."""
    return CompiledRoute(RouteKind.EVENT, "x:y", function, is_async, Position("t.cfg", 1, 1, 1, 1))


def bell_of(ringing: Ringing) -> EventRoute | None:
    return ringing.bell_rings


def test_without_a_route_there_is_nothing_to_call(tmp_path: Path) -> None:
    with Bench(tmp_path, ";") as bench:
        ringing = Ringing(bench.server)
        assert bell_of(ringing) is None
        assert bench.server.worker_one_init is None
        Ringing.bell_rings.connect(bench.server, ringing, Program("t.cfg", {}), made_of(lambda run: 1))
        assert isinstance(bell_of(ringing), EventRoute)


def test_who_knows_an_event_runs_the_route_of_another_script(tmp_path: Path) -> None:
    said: list[object] = []
    with Bench(tmp_path, ";") as bench:
        ringing = Ringing(bench.server)
        first, second = Program("1.cfg", {}), Program("2.cfg", {})
        connect = partial(Ringing.bell_rings.connect, bench.server, ringing)
        connect(first, made_of(lambda run: said.append("first")))
        bell = bell_of(ringing)
        assert bell is not None
        connect(second, made_of(lambda run: said.append(run.program)))
        bell()
        assert bell_of(ringing) is bell
        connect(second, None)
        bell()
        assert bell_of(ringing) is None
        connect(first, None)
        assert said == [second]


def logged(folder: Path, body: str) -> list[str]:
    """What the route of the start logs; started by hand, as a server does it."""
    with Bench(folder, ";", more=EVENT.format(body)) as bench:
        before = len(bench.log)
        assert bench.server.worker_one_init is not None
        bench.server.worker_one_init()
        return [line.removeprefix(LEVEL) for line in bench.log[before:]]


def test_a_made_up_request(tmp_path: Path) -> None:
    assert logged(tmp_path, 'xlog("$rm $ru $fu $si:$sp $pr $Ri");') == [
        "OPTIONS sip:nobody@127.0.0.1 sip:nobody@127.0.0.1 127.0.0.1:0 UDP 127.0.0.1"
    ]


def test_each_time_is_a_run_of_its_own(tmp_path: Path) -> None:
    body = '$var(x) += 1; $avp(s:a) = 1; xlog("$var(x) $(avp(s:a)[*])"); exit;'
    assert logged(tmp_path, body) == logged(tmp_path, body) == ["1 1"]


def raised(folder: Path, function: Callable[[Any], Any], is_async: bool) -> list[str]:
    """What is logged when an event runs this function as its route."""
    with Bench(folder, ";") as bench:
        event = EventRoute(bench.server)
        event.lead_to(Program("t.cfg", {}), made_of(function, is_async))
        event()
        return bench.log


def test_an_error_in_a_route_is_logged(tmp_path: Path) -> None:
    def broken(run: object) -> int:
        raise RuntimeError("a bug")

    async def waiting(run: object) -> int:
        raise RuntimeError("another bug")

    assert "RuntimeError: a bug" in raised(tmp_path, broken, False)[-1]
    assert "RuntimeError: another bug" in raised(tmp_path, waiting, True)[-1]


def test_a_route_that_waits_goes_on_later(tmp_path: Path) -> None:
    said: list[str] = []
    wait: Wait[str] = Wait()

    async def waits(run: object) -> int:
        said.append(await wait)
        return 1

    assert raised(tmp_path, waits, True) == []
    wait.resolve("later")
    assert said == ["later"]


def test_what_is_sent_nowhere_is_dropped() -> None:
    flow = Nowhere()
    flow.send(b"x")
    assert (flow.transport, flow.reliable, flow.port) == ("udp", False, 0)


def test_the_server_raises_its_event_after_the_start(load_script: Callable[..., Script]) -> None:
    script = load_script('loadmodule "xlog.so"\nroute { exit; }\n' + EVENT.format('xlog("started");'))
    assert script.printed == ["started"]


def test_sl_and_tm_tell_of_their_answers(tmp_path: Path) -> None:
    more = """
event_route[sl:local-response] { xlog("sl $rm $ci"); }
event_route[sl:filtered-ack] { xlog("ack $rm"); }
event_route[tm:local-response] { xlog("tm $rm"); }"""
    route = (
        'if (is_method("OPTIONS")) { sl_send_reply("404", "No"); exit; } t_newtran(); t_reply("404", "No");'
    )
    with Bench(tmp_path, route, more=more) as bench:
        bench.receive(request())
        (sent,) = bench.receive(request("OPTIONS", call_id="two@x"))
        tag = sent.get("To").partition("tag=")[2]
        bench.receive(request("ACK", call_id="two@x", to_tag=tag))
        bench.receive(request("MESSAGE", call_id="three@x"))
    found = [line.removeprefix(LEVEL) for line in bench.log if line.startswith(LEVEL)]
    assert [line.split()[:2] for line in found] == [["sl", "OPTIONS"]] * 2 + [
        ["ack", "ACK"],
        ["tm", "MESSAGE"],
    ]
