from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.modules.nathelper.media import MOST, Options, OptionsKind, _parts
from openpy.script.environment import ArgumentError, Environment
from tests.engine.kit import Bench, Sent, answer
from tests.modules.nathelper.kit import NAT, PRIVATE, SDP, bench, body_of, call
from tests.modules.nathelper.relaying import Asker, Proxy

RELAYED = (
    SDP.replace(f"c=IN IP4 {PRIVATE}", "c=IN IP4 198.51.100.88")
    .replace("4000", "7002")
    .replace("4002", "7004")
)
MARK = "a=nortpproxy:yes\r\n"
ROUTE = '{}; xlog("$retcode"); t_on_reply("1"); t_relay();'


class Relaying:
    """A bench, its rtpproxy, and what becomes of a call."""

    def __init__(self, folder: Path, statement: str, *, more: str = "", reply: str = "") -> None:
        self.proxy = Proxy(reply)
        self.asker = Asker()
        sock = f'modparam("nathelper", "rtpproxy_sock", "{self.proxy.url}")\n'
        self.bench: Bench = bench(folder, ROUTE.format(statement), more=sock + more)
        self.bench.server.hosts["127.0.0.1"] = ("127.0.0.1",)
        self.bench.server.watch = self.asker.watch  # type: ignore[method-assign]

    def __enter__(self) -> Relaying:
        return self

    def __exit__(self, *_: object) -> None:
        for module in self.bench.server.modules.values():
            with pytest.raises(StopIteration):
                module.stop().send(None)
        self.bench.close()
        self.proxy.socket.close()

    def receive(self, data: bytes, commands: int, host: str = NAT[0], port: int = NAT[1]) -> list[str]:
        """Hand in a message, and let the rtpproxy answer so many commands; the commands."""
        self.bench.receive(data, self.bench.phone(host=host, port=port))
        found = []
        for _ in range(commands):
            found.append(self.proxy.serve())
            self.asker.read()
        return found

    def last(self, start: str) -> Sent:
        return next(sent for sent in reversed(self.bench.sent) if sent.start.startswith(start))

    @property
    def codes(self) -> list[str]:
        return list(self.bench.printed())


def test_an_offer(tmp_path: Path) -> None:
    with Relaying(tmp_path, "force_rtp_proxy()") as call_:
        commands = call_.receive(call(sdp=SDP), 2)
        assert commands == [f"U call-1 {NAT[0]} 4000 a1;1", f"U call-1 {NAT[0]} 4002 a1;2"]
        sent = call_.last("INVITE")
        assert body_of(sent) == RELAYED + MARK
        assert int(sent.get("Content-Length")) == len(RELAYED + MARK)
        assert call_.codes == ["1"]


def with_sdp(data: bytes, body: str) -> bytes:
    head = data.replace(b"Content-Length: 0\r\n\r\n", b"")
    return head + f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def test_an_offer_and_its_answer(tmp_path: Path) -> None:
    more = 'onreply_route[1] { force_rtp_proxy(); xlog("reply $retcode"); }'
    with Relaying(tmp_path, "force_rtp_proxy()", more=more) as call_:
        call_.receive(call(sdp=SDP), 2)
        body = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 0 RTP/AVP 0\r\nm=video 5002/2 RTP/AVP 31\r\n"
        reply = with_sdp(answer(call_.last("INVITE"), 200), body)
        commands = call_.receive(reply, 1, "192.0.2.9", 5060)
        assert commands == ["L call-1 192.0.2.9 5002 a1;2 b1;2"]  # the number is that of the offer
        assert body_of(call_.last("SIP/2.0 200")) == (
            f"v=0\r\nc=IN IP4 198.51.100.88\r\nm=audio 0 RTP/AVP 0\r\nm=video 7006/2 RTP/AVP 31\r\n{MARK}"
        )
        assert call_.codes == ["1", "reply 1"]


def test_the_set_of_a_request_is_that_of_its_replies(tmp_path: Path) -> None:
    with Proxy() as other:
        more = f"""modparam("nathelper", "rtpproxy_sock", "1 == {other.url}")
        onreply_route[1] {{ force_rtp_proxy(); }}"""
        with Relaying(tmp_path, 'set_rtp_proxy_set("1"); force_rtp_proxy()', more=more) as call_:
            call_.receive(call(sdp=SDP), 0)
            reply = b""
            for number, letter in enumerate("UULL"):
                if number == 2:
                    reply = with_sdp(answer(call_.last("INVITE"), 200), SDP)
                    call_.receive(reply, 0, "192.0.2.9", 5060)
                assert other.serve()[0] == letter
                call_.asker.read()
            assert "198.51.100.88" in body_of(call_.last("SIP/2.0 200"))


def test_the_end(tmp_path: Path) -> None:
    with Relaying(tmp_path, "unforce_rtp_proxy()") as call_:
        data = call(method="BYE").replace(b"<sip:bob@biloxi.example>", b"<sip:bob@biloxi.example>;tag=b1", 1)
        assert call_.receive(data, 1) == ["D call-1 a1 b1"]
        assert call_.codes == ["1"]


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ("FAEI", f"UAEI call-1 {NAT[0]} 4000 a1;1"),
        ("w", f"US call-1 {NAT[0]} 4000 a1;1"),
        ("r", f"U call-1 {PRIVATE} 4000 a1;1"),
        ("c", f"U call-1 {NAT[0]} 4000 a1;1"),
    ],
)
def test_flags(tmp_path: Path, options: str, command: str) -> None:
    with Relaying(tmp_path, f'force_rtp_proxy("{options}")') as call_:
        assert call_.receive(call(sdp=SDP), 2)[0] == command


def test_another_address_and_the_origin(tmp_path: Path) -> None:
    with Relaying(tmp_path, 'force_rtp_proxy("o", "203.0.113.200")') as call_:
        call_.receive(call(sdp=SDP), 2)
        assert PRIVATE not in body_of(call_.last("INVITE"))
        assert body_of(call_.last("INVITE")).count("203.0.113.200") == 3


def test_where_the_rtpproxy_names_no_address_it_is_ours(tmp_path: Path) -> None:
    with Relaying(tmp_path, "force_rtp_proxy()", reply="9000") as call_:
        call_.receive(call(sdp=SDP), 2)
        assert "c=IN IP4 127.0.0.1\r\n" in body_of(call_.last("INVITE"))


def test_the_port_of_rtcp(tmp_path: Path) -> None:
    body = "v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp:4001 IN IP4 10.0.0.1\r\n"
    with Relaying(tmp_path, "force_rtp_proxy()") as call_:
        call_.receive(call(sdp=body), 1)
        assert "a=rtcp:7003 IN IP4 198.51.100.88\r\n" in body_of(call_.last("INVITE"))
    with Relaying(tmp_path, "force_rtp_proxy()") as call_:
        call_.receive(call(sdp=body.replace(" IN IP4 10.0.0.1\r\n", "\r\n")), 0)
    body = "v=0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 10.0.0.1\r\na=rtcp:4001\r\n"
    with Relaying(tmp_path, "force_rtp_proxy()") as call_:
        call_.receive(call(sdp=body), 1)
        assert "a=rtcp:7003\r\n" in body_of(call_.last("INVITE"))


def test_an_answer_in_an_ack_is_to_an_offer_of_the_other_side(tmp_path: Path) -> None:
    with Relaying(tmp_path, "force_rtp_proxy()") as call_:
        data = call(method="ACK", sdp=SDP).replace(
            b"<sip:bob@biloxi.example>", b"<sip:bob@biloxi.example>;tag=b1", 1
        )
        assert call_.receive(data, 2)[0] == f"L call-1 {NAT[0]} 4000 b1;1 a1;1"


def test_an_offer_in_a_reply(tmp_path: Path) -> None:
    more = 'onreply_route[1] { force_rtp_proxy("s"); }'
    with Relaying(tmp_path, "$var(x) = 1", more=more) as call_:
        call_.receive(call(), 0)
        reply = with_sdp(answer(call_.last("INVITE"), 200), SDP)
        commands = call_.receive(reply, 2, "192.0.2.9", 5060)
        assert commands[0] == "U call-1 192.0.2.9 4000 b1;1 a1;1"
        assert "7002" in body_of(call_.last("SIP/2.0 200"))


@pytest.mark.parametrize(
    ("statement", "sdp"),
    [
        ("force_rtp_proxy()", ""),
        ("force_rtp_proxy()", SDP + MARK),
        ("force_rtp_proxy()", "v=0\r\n"),
        ("force_rtp_proxy()", "v=0\r\nm=audio 4000 RTP/AVP 0\r\n"),
        ("force_rtp_proxy()", "c=IN IP4 10.0.0.1\r\n" + "m=audio 4000 RTP/AVP 0\r\n" * (MOST + 1)),
        ('force_rtp_proxy("l")', SDP),
        ('force_rtp_proxy("", "$hdr(Subject)")', SDP),
        ('set_rtp_proxy_set("4")', SDP),
    ],
)
def test_what_is_not_relayed(tmp_path: Path, statement: str, sdp: str) -> None:
    with Relaying(tmp_path, statement) as call_:
        call_.receive(call("Subject: a b", sdp=sdp), 0)
        assert call_.codes == ["-1"]
        assert body_of(call_.last("INVITE")) == sdp


def test_what_is_relayed_already_can_be_again(tmp_path: Path) -> None:
    with Relaying(tmp_path, 'force_rtp_proxy("f")') as call_:
        call_.receive(call(sdp=SDP + MARK), 2)
        assert call_.codes == ["1"]


def test_addresses_that_are_changed_already(tmp_path: Path) -> None:
    with Relaying(tmp_path, 'fix_nated_sdp("3"); force_rtp_proxy()') as call_:
        call_.receive(call(sdp=SDP), 0)
        assert call_.codes == ["-1"]
        assert body_of(call_.last("INVITE")).count(f"c=IN IP4 {NAT[0]}\r\n") == 2
    with Relaying(tmp_path, 'fix_nated_sdp("1"); force_rtp_proxy()') as call_:
        call_.receive(call(sdp=SDP), 2)
        assert body_of(call_.last("INVITE")) == f"{RELAYED}a=direction:active\r\n{MARK}"


@pytest.mark.parametrize("statement", ["force_rtp_proxy()", "unforce_rtp_proxy()", "start_recording()"])
def test_tags_that_would_be_words_of_a_command(tmp_path: Path, statement: str) -> None:
    with Relaying(tmp_path, statement) as call_:
        call_.receive(call(sdp=SDP).replace(b"tag=a1", b'tag="a b;1 c"'), 0)
        assert call_.codes == ["-1"]


@given(st.text(alphabet="cmoa=IN P46/0:1\r\n rtcp9.", max_size=200))
def test_any_description_is_taken_apart(text: str) -> None:
    for lines in (text, text.replace(" ", "\r\nm=audio 1 RTP\r\nc=IN IP4 ")):
        for part in _parts(lines.encode(), ""):
            assert part.media.host
            assert part.number > 0


@pytest.mark.parametrize("reply", ["0", "E7"])
def test_an_rtpproxy_that_refuses(tmp_path: Path, reply: str) -> None:
    with Relaying(tmp_path, "force_rtp_proxy()", reply=reply) as call_:
        call_.receive(call(sdp=SDP), 1)
        assert call_.codes == ["-1"]
        assert body_of(call_.last("INVITE")) == SDP


def test_letters() -> None:
    convert = OptionsKind().convert
    environment = Environment()
    assert convert("", environment) == Options()
    assert convert("LrOsF", environment) == Options("", True, True, True, True, True)
    with pytest.raises(ArgumentError, match='"x2" is no flag of force_rtp_proxy'):
        convert("ax2", environment)
