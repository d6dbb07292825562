from __future__ import annotations

from math import inf

import pytest

from openpy.engine.module import ArgumentError
from openpy.modules.nathelper.relays import Relays, Written, read_relays
from openpy.modules.nathelper.wires import Done, Patience
from tests.modules.nathelper.relaying import Asker, Proxy
from tests.modules.usrloc.kit import run

QUICK = Patience(1, 0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("unix:/var/run/rtpproxy.sock", [(0, "unix:/var/run/rtpproxy.sock", 1)]),
        ("/var/run/rtpproxy.sock", [(0, "/var/run/rtpproxy.sock", 1)]),
        ("udp:localhost:7722=2 udp6:[::1]:7722", [(0, "udp:localhost:7722", 2), (0, "udp6:[::1]:7722", 1)]),
        ("3 == udp:localhost:7722", [(3, "udp:localhost:7722", 1)]),
    ],
)
def test_what_a_parameter_says(text: str, found: list[tuple[int, str, int]]) -> None:
    assert read_relays(text) == [Written(*each) for each in found]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 ==",
        "x == udp:h:1",
        "udp:h",
        "udp:h:0",
        "udp:h:65536",
        "udp::1",
        "tcp:h:1",
        "unix:",
        "udp:h:1=",
        "udp:h:1=0",
        "rtpproxy.sock",
    ],
)
def test_what_it_cannot_say(text: str) -> None:
    with pytest.raises(ArgumentError):
        read_relays(text)


class Fake:
    """A wire whose rtpproxy answers, or (None) does not."""

    def __init__(self, reply: str | None) -> None:
        self.reply = reply
        self.asked = 0

    def ask(self, command: str, patience: Patience, done: Done) -> None:
        self.asked += 1
        done(self.reply)

    def close(self) -> None:
        self.asked = -1


def relays(asker: Asker, text: str, *wires: Fake) -> Relays:
    found = Relays(asker.services, read_relays(text), QUICK, 60)
    for relay, wire in zip(found, wires, strict=True):
        relay.wire = wire
    return found


def test_a_call_stays_with_its_rtpproxy_and_weights_count() -> None:
    one, two = Fake("one"), Fake("two")
    found = relays(Asker(), "udp:h:1=3 udp:h:2", one, two)
    for number in range(400):
        first, again = (run(found.ask(0, f"call{number}", "U")) for _ in range(2))
        assert first == again
    assert (one.asked + two.asked, 500 < one.asked < 700) == (800, True)
    found.close()
    assert (one.asked, two.asked) == (-1, -1)


def test_one_that_does_not_answer_is_left_alone_for_a_while() -> None:
    asker = Asker()
    one, two = Fake(None), Fake("two")
    found = relays(asker, "udp:h:1=99999 udp:h:2", one, two)
    assert run(found.ask(0, "call", "U")) == ["two"]
    assert run(found.ask(0, "call", "U")) == ["two"]
    assert one.asked == 1
    assert asker.logged == ["udp:h:1 does not answer, and is left alone for 60 s"]
    first, second = found
    assert (found.rest_of(first), found.rest_of(second)) == (60, 0)
    asker.run_for(61)
    one.reply = "one"
    assert run(found.ask(0, "call", "U")) == ["one"]


def test_none_answers() -> None:
    asker = Asker()
    found = relays(asker, "udp:h:1", Fake(None))
    assert run(found.ask(0, "call", "U")) == [None]
    assert run(found.ask(7, "call", "U")) == [None]
    assert asker.logged[1:] == ["no rtpproxy of set 0 can be used", "no rtpproxy of set 7 can be used"]


def test_switched_off_and_on() -> None:
    asker = Asker()
    one = Fake("one")
    found = relays(asker, "udp:h:1", one)
    assert not found.switch("udp:h:2", on=False)
    assert found.switch("udp:h:1", on=False)
    (relay,) = found
    assert found.rest_of(relay) == inf
    asker.run_for(1000)
    assert run(found.ask(0, "call", "U")) == [None]
    found.switch("udp:h:1", on=True)
    assert run(found.ask(0, "call", "U")) == ["one"]


def test_one_that_was_switched_off_while_it_was_asked_stays_off() -> None:
    asker = Asker()
    one = Fake(None)
    found = relays(asker, "udp:h:1", one)
    waiting: list[Done] = []
    one.ask = lambda command, patience, done: waiting.append(done)  # type: ignore[method-assign]
    reply = run(found.ask(0, "call", "U"))
    found.switch("udp:h:1", on=False)
    waiting[0](None)
    assert reply == [None]
    (relay,) = found
    assert relay.silent_until == inf


def test_a_real_one() -> None:
    asker = Asker()
    with Proxy() as proxy:
        found = Relays(asker.services, read_relays(f"1 == {proxy.url}"), QUICK, 60)
        reply = run(found.ask(1, "call", "U call"))
        proxy.serve()
        asker.read()
        assert reply == ["7002 198.51.100.88"]
        found.close()
