from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.kit import Bench, answer
from tests.modules.dispatcher.kit import A, B, balancer, command, listed

PROBE = 'modparam("dispatcher", "ds_ping_interval", 10)\n'


def probing(folder: Path, *, more: str = PROBE, text: str = f"1 {A}\n1 {B}\n") -> Bench:
    """A bench whose first destination is to be probed."""
    bench = balancer(folder, "exit;", text=text, more=f'{more}modparam("tm", "fr_timer", 4)')
    assert command(bench, "ds_set_state", "p", "1", text.split()[1]).code == 200
    return bench


@pytest.mark.parametrize(
    ("status", "flag"), [(200, "A"), (501, "A"), (403, "A"), (404, "P"), (503, "P"), (202, "P"), (None, "P")]
)
def test_answers(tmp_path: Path, status: int | None, flag: str) -> None:
    with probing(tmp_path) as bench:
        assert bench.run_for(9.5) == []
        (sent,) = bench.run_for(0.8)
        assert sent.to == "udp:192.0.2.11:5060"
        assert sent.start == f"OPTIONS {A} SIP/2.0"
        assert sent.get("To") == f"<{A}>"
        assert sent.get("From").startswith("<sip:dispatcher@localhost>;tag=")
        assert sent.get("Max-Forwards") == "70"
        if status:
            bench.receive(answer(sent, status))
        else:
            bench.run_for(6)
        assert listed(bench) == [f"1 {A} {flag}", f"1 {B} A"]
        back = [line for line in bench.log if "is active" in line]
        assert back == ([f"NOTICE:dispatcher: {A} of set 1 is active"] if flag == "A" else [])


def probes(bench: Bench, seconds: float) -> list[str]:
    """The Call-IDs of the probes that are sent meanwhile."""
    return list(dict.fromkeys(sent.get("Call-ID") for sent in bench.run_for(seconds)))


def test_again_and_again_until_it_answers(tmp_path: Path) -> None:
    with probing(tmp_path) as bench:
        assert len(probes(bench, 35)) == 3
        bench.receive(answer(bench.sent[-1], 200))  # too late: the transaction has ended
        assert listed(bench)[0] == f"1 {A} P"
        (sent,) = bench.run_for(6)[:1]
        bench.receive(answer(sent, 200))
        assert probes(bench, 30) == []


def test_one_at_a_time(tmp_path: Path) -> None:
    more = 'modparam("dispatcher", "ds_ping_interval", 1)\n'
    with probing(tmp_path, more=more) as bench:
        assert len(probes(bench, 4.5)) == 1
        assert len(probes(bench, 2)) == 1


def test_how_it_is_asked(tmp_path: Path) -> None:
    more = (
        PROBE
        + """
    modparam("dispatcher", "ds_ping_method", "INFO")
    modparam("dispatcher", "ds_ping_from", "sip:prober@example.com")
    """
    )
    with probing(tmp_path, more=more) as bench:
        (sent,) = bench.run_for(10.3)
        assert sent.start == f"INFO {A} SIP/2.0"
        assert sent.get("From").startswith("<sip:prober@example.com>;tag=")


def test_what_cannot_be_sent(tmp_path: Path) -> None:
    with probing(tmp_path, text="1 sip:nowhere.example\n") as bench:
        assert bench.run_for(21) == []
        assert (
            sum(
                "sip:nowhere.example cannot be probed: Unresolvable destination (-476)" in line
                for line in bench.log
            )
            == 2
        )


def test_somebody_else_has_decided_meanwhile(tmp_path: Path) -> None:
    with probing(tmp_path) as bench:
        (sent,) = bench.run_for(10.3)
        command(bench, "ds_set_state", "i", "1", A)
        bench.receive(answer(sent, 200))
        assert listed(bench)[0] == f"1 {A} I"


@pytest.mark.parametrize("more", ["", 'modparam("dispatcher", "ds_ping_interval", 0)\n'])
def test_nobody_is_asked_by_default(tmp_path: Path, more: str) -> None:
    with probing(tmp_path, more=more) as bench:
        assert bench.run_for(100) == []
        assert any("nobody probes it" in line for line in bench.log)


def test_it_ends_when_the_server_stops(tmp_path: Path) -> None:
    with probing(tmp_path) as bench:
        module = bench.server.module("dispatcher")
        assert module is not None
        with pytest.raises(StopIteration):
            module.drain().send(None)
        assert bench.run_for(30) == []
