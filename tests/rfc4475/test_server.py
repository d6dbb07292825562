"""RFC 4475 against a whole server: each message is answered as it must be, and none does harm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.rfc4475.messages import DROPPED, MESSAGES, REFUSED, UNTERMINATED
from tests.scenarios.wire import Phone, ServerProcess, SipMessage, parse

pytestmark = pytest.mark.scenario

SCRIPT = """\
debug=2
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
modparam("tm", "T1_timer", 50)
modparam("tm", "T2_timer", 200)

route {{
	if (!mf_process_maxfwd_header("70")) {{
		sl_send_reply("483", "Too Many Hops");
		exit;
	}}
	if (is_present_hf("Require")) {{
		append_to_reply("Unsupported: $hdr(Require)\\r\\n");
		sl_send_reply("420", "Bad Extension");
		exit;
	}}
	if (is_method("OPTIONS")) {{
		sl_send_reply("200", "OK");
		exit;
	}}
	if (is_method("INVITE")) {{
		t_relay("udp:127.0.0.1:{callee}");
		exit;
	}}
	sl_send_reply("501", "Not Implemented");
}}
"""

BUSY = 486
"""What the callee answers to every INVITE."""


@pytest.fixture(scope="module")
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def callee(stack: ExitStack) -> Phone:
    return stack.enter_context(Phone(("127.0.0.1", 9)))


@pytest.fixture(scope="module")
def destinations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that tells where the server sent datagrams."""
    return tmp_path_factory.mktemp("rfc4475") / "destinations"


@pytest.fixture(scope="module")
def server(stack: ExitStack, callee: Phone, destinations: Path) -> ServerProcess:
    script = destinations.parent / "openser.cfg"
    script.write_text(SCRIPT.format(callee=callee.port))
    program = ("-m", "tests.rfc4475.observed", str(destinations))
    made = ServerProcess(script, program=program)
    stack.callback(made.stop)
    return made.start()


@pytest.fixture
def sender(server: ServerProcess) -> Iterator[Phone]:
    with Phone(server.address) as phone:
        yield phone


@pytest.fixture(autouse=True)
def unharmed(server: ServerProcess, destinations: Path) -> Iterator[None]:
    """After each message: a valid OPTIONS from another port is answered, and everything went to this host."""
    yield
    with Phone(server.address) as other:
        assert other.options(1).status == 200
    assert set(destinations.read_text().split()) == {"127.0.0.1"}
    assert "Traceback" not in server.log.read_text()


def exchange(sender: Phone, callee: Phone, data: bytes) -> tuple[list[SipMessage], list[SipMessage]]:
    """Send a message; what the sender gets until the first final reply, and the INVITEs that the callee gets."""
    while callee.receive(0) is not None:
        pass  # what the message before left
    sender.send(data)
    replies: list[SipMessage] = []
    relayed: dict[str, SipMessage] = {}
    while (message := sender.receive(0.2)) is not None:
        replies.append(message)
        if message.status >= 200:
            break
        invite = callee.await_message(lambda m: m.method == "INVITE", 1)
        relayed[invite.branch] = invite
        callee.answer(invite, BUSY, "Busy Here")
    return replies, list(relayed.values())


def expected(name: str) -> int | None:
    """The final status that must come, None for no answer at all."""
    start = MESSAGES[name].split(b"\r\n", 1)[0]
    if start.startswith(b"SIP/2.0 ") or name == UNTERMINATED:
        return None
    if name in REFUSED:
        return REFUSED[name]
    if name == "bext01":
        return 420
    if name == "zeromf":
        return 483
    method = start.split(b" ", 1)[0]
    return {b"OPTIONS": 200, b"INVITE": BUSY}.get(method, 501)


@pytest.mark.parametrize("name", list(MESSAGES))
def test_status(sender: Phone, callee: Phone, name: str) -> None:
    replies, relayed = exchange(sender, callee, MESSAGES[name])
    final = [reply.status for reply in replies if reply.status >= 200]
    wanted = expected(name)
    assert final == ([] if wanted is None else [wanted])
    assert bool(relayed) == (wanted == BUSY)
    if name in DROPPED:
        assert replies == []


def test_display_name_of_the_terminated_message(sender: Phone, callee: Phone) -> None:
    """A liberal server takes the name for what it means."""
    replies, _ = exchange(sender, callee, MESSAGES[UNTERMINATED] + b"\r\n")
    assert [reply.status for reply in replies] == [200]


def relayed_invite(sender: Phone, callee: Phone, name: str) -> SipMessage:
    """The INVITE of a message as it is relayed; another Call-ID and branch make it a new transaction."""
    data = MESSAGES[name]
    request = parse(data)
    for old in filter(None, (request.branch, request.get("Call-ID"))):
        data = data.replace(old.encode(), f"{old}-again".encode(), 1)
    _, relayed = exchange(sender, callee, data)
    assert len(relayed) == 1
    return relayed[0]


def test_what_is_unknown_is_relayed_untouched(sender: Phone, callee: Phone) -> None:
    """wsinv: unknown headers, folding and odd values go on as they came."""
    raw = relayed_invite(sender, callee, "wsinv").raw
    for line in (
        b"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n",
        b"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n",
        b"s :\r\n",
        b"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n",
        b"Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n",
    ):
        assert line in raw
    assert b"\r\nMax-Forwards: 67\r\n" in raw
    assert raw.startswith(b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n")


def test_body_is_relayed_untouched(sender: Phone, callee: Phone) -> None:
    for name in ("invut", "sdp01", "inv2543"):
        assert relayed_invite(sender, callee, name).body == MESSAGES[name].partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("name", ["escruri", "ltgtruri", "lwsruri", "lwsstart"])
def test_repaired_request_lines_are_relayed_repaired(sender: Phone, callee: Phone, name: str) -> None:
    """escruri: the escaped headers are dropped, and no Route comes of them."""
    relayed = relayed_invite(sender, callee, name)
    method, uri, version = relayed.start.split(" ")
    assert (method, version) == ("INVITE", "SIP/2.0")
    assert uri == {"lwsruri": "sip:user@example.com;lr"}.get(name, "sip:user@example.com")
    assert relayed.all("Route") == []


def test_user_part_with_escapes_is_relayed_as_it_is(sender: Phone, callee: Phone) -> None:
    assert relayed_invite(sender, callee, "esc01").uri == "sip:sips%3Auser%40example.com@example.net"


def test_only_the_first_request_of_a_datagram_counts(sender: Phone, callee: Phone) -> None:
    replies, relayed = exchange(sender, callee, MESSAGES["dblreq"])
    assert [reply.get("CSeq") for reply in replies] == ["8 REGISTER"]
    assert relayed == []
    assert sender.nothing_more(0.2)


@pytest.mark.parametrize("host", ["255.255.255.255", "224.0.1.75", "[ff02::1]", "0.0.0.0"])
def test_no_reply_is_sent_on_to_many(sender: Phone, server: ServerProcess, host: str) -> None:
    """bcast, with a topmost Via that is ours."""
    reply = MESSAGES["bcast"].replace(
        b"Via: ", f"Via: SIP/2.0/UDP 127.0.0.1:{server.ports['udp']};branch=z9hG4bKx\r\nVia: ".encode(), 1
    )
    for old in (b"192.0.2.198", b"255.255.255.255"):
        reply = reply.replace(old, host.encode())
    assert parse(reply).get("Via").startswith("SIP/2.0/UDP 127.0.0.1:")
    sender.send(reply)
    assert sender.nothing_more(0.1)


@pytest.mark.parametrize("host", ["255.255.255.255", "224.0.1.75"])
def test_answers_go_to_the_source_whatever_via_says(sender: Phone, host: str) -> None:
    data = sender.build("OPTIONS", "sip:example.org").replace(b"UDP 127.0.0.1:", f"UDP {host}:".encode())
    sender.send(data)
    assert sender.final_reply(parse(data)).status == 200
