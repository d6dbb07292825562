"""Scripts at work: the example as it is, and calls relayed between two phones."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.wire import Phone, ServerProcess, TcpPhone, parse, pidf

pytestmark = pytest.mark.scenario

RELAY = """\
debug=2
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "xlog.so"
modparam("tm", "T1_timer", 50)
modparam("tm", "T2_timer", 200)
modparam("tm", "fr_timer", 2)

route {{
	if (!mf_process_maxfwd_header("10")) {{
		sl_send_reply("483", "Too Many Hops");
		exit;
	}}
	if (is_method("OPTIONS")) {{
		xlog("L_ERR", "$rm from $si wants $ru\\n");
		append_to_reply("X-Method: $rm\\r\\n");
		sl_send_reply("200", "OK");
		exit;
	}}
	if (is_method("INVITE|MESSAGE"))
		append_hf("P-Seen: by the script\\r\\n");
	if (!t_relay("{callee}"))
		sl_reply_error();
}}
"""


@pytest.fixture
def callee() -> Iterator[Phone]:
    """It knows no server until one relays to it."""
    with Phone(("127.0.0.1", 9), "bob") as phone:
        yield phone


@pytest.fixture
def relay(launch: Launch, callee: Phone) -> ServerProcess:
    return launch(RELAY.format(callee=f"udp:127.0.0.1:{callee.port}"))


@pytest.fixture
def caller(relay: ServerProcess) -> Iterator[Phone]:
    with Phone(relay.address, "alice") as phone:
        yield phone


def test_example_serves_as_it_is(launch: Launch, root: Path, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    server = launch((root / "examples" / "openser.cfg").read_text())
    with Phone(server.address) as phone, TcpPhone(server.tcp_address) as watcher:
        options, presentity = phone.request("OPTIONS", "sip:example.com"), "sip:alice@example.com"
        assert (options.status, options.get("Allow-Events")) == (
            200,
            "presence, presence.winfo, dialog;sla",
        ), "PUB-34"
        assert {"PUBLISH", "SUBSCRIBE"} <= set(options.get("Allow").split(", "))
        dialog, _ = watcher.watch(presentity)
        assert phone.publish(presentity, pidf(note="example")).status == 200
        assert b"example" in watcher.notify(dialog).body
        assert phone.request("MESSAGE", "sip:a@example.com").status == 404
    assert (tmp_path / "var" / "openpy.sqlite").exists()


def test_functions_see_the_message(caller: Phone, relay: ServerProcess) -> None:
    assert caller.request("OPTIONS", "sip:me@example.org").get("X-Method") == "OPTIONS"
    relay.await_log("OPTIONS from 127.0.0.1 wants sip:me@example.org")


def test_log_that_takes_nothing_costs_no_answer(caller: Phone, relay: ServerProcess) -> None:
    resource.prlimit(relay.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    for _ in range(3):
        assert caller.options().status == 200
    assert "wants" not in relay.log.read_text()


def test_message_is_relayed(caller: Phone, callee: Phone, relay: ServerProcess) -> None:
    body = b"\0 any octets \xff"
    data = caller.build("MESSAGE", "sip:bob@example.org", headers=["X-Unknown:  as it;;came "], body=body)
    caller.send(data)
    relayed = callee.await_message(lambda m: m.method == "MESSAGE")
    assert relayed.body == body
    assert b"\r\nX-Unknown:  as it;;came \r\n" in relayed.raw
    assert relayed.get("P-Seen") == "by the script"
    assert relayed.get("Max-Forwards") == "69"
    top, below = relayed.all("Via")
    assert top.startswith(f"SIP/2.0/UDP 127.0.0.1:{relay.ports['udp']};branch=z9hG4bK")
    assert f"rport={caller.port}" in below
    callee.answer(relayed, 200, "Fine", ["X-Answer: yes"])
    reply = caller.final_reply(parse(data))
    assert (reply.start, reply.get("X-Answer")) == ("SIP/2.0 200 Fine", "yes")
    assert reply.all("Via") == [below]


def test_call_is_relayed(caller: Phone, callee: Phone) -> None:
    data = caller.build("INVITE", "sip:bob@example.org", headers=[f"Contact: <{caller.contact}>"])
    caller.send(data)
    caller.await_message(lambda m: m.status == 100)
    invite = callee.await_message(lambda m: m.method == "INVITE")
    callee.answer(invite, 180, "Ringing")
    caller.await_message(lambda m: m.status == 180)
    caller.send(data)
    assert caller.await_message(lambda m: m.status == 180), "a retransmission gets the last reply"
    callee.answer(invite, 200, "OK")
    assert caller.final_reply(parse(data)).status == 200
    request = parse(data)
    caller.send(
        caller.build(
            "ACK",
            "sip:bob@example.org",
            call_id=request.get("Call-ID"),
            to="<sip:bob@example.org>;tag=callee",
        )
    )
    assert callee.await_message(lambda m: m.method == "ACK").get("Call-ID") == request.get("Call-ID")


def test_call_is_cancelled(caller: Phone, callee: Phone) -> None:
    branch = caller.token("z9hG4bKc")
    parts = {"branch": branch, "call_id": "cancelled", "from_tag": "f"}
    caller.send(caller.build("INVITE", "sip:bob@example.org", **parts))  # type: ignore[arg-type]
    invite = callee.await_message(lambda m: m.method == "INVITE")
    callee.answer(invite, 180, "Ringing")
    caller.await_message(lambda m: m.status == 180)
    caller.send(caller.build("CANCEL", "sip:bob@example.org", **parts))  # type: ignore[arg-type]
    cancel = callee.await_message(lambda m: m.method == "CANCEL")
    assert cancel.branch == invite.branch
    callee.answer(cancel)
    callee.answer(invite, 487, "Request Terminated")
    assert callee.await_message(lambda m: m.method == "ACK").branch == invite.branch
    codes = {caller.await_message(lambda m: m.status >= 200).status for _ in range(2)}
    assert codes == {200, 487}


def test_silence_becomes_408(caller: Phone, callee: Phone) -> None:
    reply = caller.request("INVITE", "sip:bob@example.org", 6)
    assert reply.status == 408
    copies = set()
    while (message := callee.receive(0.1)) is not None:
        copies.add(message.raw)
    assert len(copies) == 1, "retransmissions are the same octets"


def test_too_many_hops(caller: Phone, callee: Phone) -> None:
    data = caller.build("MESSAGE", "sip:bob@example.org").replace(b"Max-Forwards: 70", b"Max-Forwards: 0")
    caller.send(data)
    assert caller.final_reply(parse(data)).status == 483
    assert callee.nothing_more(0.1)


def test_a_stop_waits_for_what_is_being_relayed(caller: Phone, callee: Phone, relay: ServerProcess) -> None:
    data = caller.build("MESSAGE", "sip:bob@example.org", body=b"hi")
    caller.send(data)
    asked = callee.await_message(lambda message: message.method == "MESSAGE")
    relay.signal(signal.SIGTERM)
    time.sleep(0.2)
    callee.answer(asked, 202, "Accepted")
    assert caller.final_reply(parse(data)).status == 202
    assert relay.stop() == 0
