from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.operands import OPERANDS
from tests.engine.kit import Bench, answer, is_true, request

OWN = "alias=itsip alias=udp:named.example:5070"
PLAIN = request()
NO_URI = request().replace(b"<sip:bob@biloxi.example>", b"<>")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('method=="OPTIONS"', True),
        ("method==options", True),
        ('method=~"^(INVITE|OPTIONS)$"', True),
        ('method!="INVITE"', True),
        ('uri=="sip:bob@example.com"', True),
        ('uri=="SIP:BOB@example.com"', True),
        ('uri=~"example"', True),
        ('from_uri=="sip:alice@atlanta.example"', True),
        ('to_uri=~"biloxi"', True),
        ("src_ip==192.0.2.1", True),
        ('src_ip=="192.0.2.1"', True),
        ("src_ip==192.0.2.0/24", True),
        ("src_ip==192.0.2.0/255.255.255.0", True),
        ("src_ip==10.0.0.0/8", False),
        ("src_ip!=10.0.0.0/8", True),
        ("dst_ip==127.0.0.1", True),
        ("dst_ip==myself", True),
        ("src_ip==myself", False),
        ("src_port==5066", True),
        ("src_port>5066", False),
        ("dst_port==5060", True),
        ("proto==UDP", True),
        ("proto==tcp", False),
        ("proto!=TLS", True),
        ("proto==any", False),
        ("af==INET", True),
        ("af==inet6", False),
        ("msg:len>100", True),
        ("msg:len>max_len", False),
        ("msg:len<max_len", True),
        ("uri==myself", False),
        ("uri!=myself", True),
        ("!uri==myself", True),
    ],
)
def test_operands_of_a_request(tmp_path: Path, condition: str, expected: bool) -> None:
    assert is_true(tmp_path, condition, PLAIN) is expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:bob@itsip", True),
        ("sip:bob@ITSIP", True),
        ("sip:bob@itsip:5099", True),
        ("sip:bob@named.example:5070", True),
        ("sip:bob@named.example", False),
        ("sip:bob@named.example:5060", False),
        ("sip:bob@127.0.0.1", False),
        ("tel:+12345", False),
    ],
)
def test_a_uri_without_a_port_means_5060(tmp_path: Path, uri: str, expected: bool) -> None:
    assert is_true(tmp_path, "uri==myself", request(uri=uri), more=OWN) is expected
    assert is_true(tmp_path, "myself==uri", request(uri=uri), more=OWN) is expected


@pytest.mark.parametrize("operand", ["from_uri", "to_uri"])
def test_from_and_to_may_be_myself(tmp_path: Path, operand: str) -> None:
    more = "alias=atlanta.example alias=biloxi.example"
    assert is_true(tmp_path, f"{operand}==myself", PLAIN, more=more)
    assert not is_true(tmp_path, f"{operand}==myself", PLAIN)


def test_the_uri_is_the_rewritten_one(tmp_path: Path) -> None:
    assert is_true(tmp_path, 'uri=="sip:x@y.example"', PLAIN, before='rewriteuri("sip:x@y.example");')


@pytest.mark.parametrize("condition", ['uri=="sip:x"', "uri==myself", "uri!=myself"])
def test_what_is_no_uri_is_not_myself(tmp_path: Path, condition: str) -> None:
    assert not is_true(tmp_path, condition, PLAIN, before='rewriteuri("nonsense");', more=OWN)


def test_ipv6_and_tcp(tmp_path: Path) -> None:
    with Bench(tmp_path, 'if (af==INET6 && proto==TCP && src_ip==[2001:db8::1]) xlog("yes");') as bench:
        bench.receive(PLAIN, bench.phone("tcp", "2001:db8::1"))
        assert list(bench.printed()) == ["yes"]


def test_in_a_reply_uri_is_the_status_and_method_the_version(tmp_path: Path) -> None:
    script = """loadmodule "xlog.so"
        route { exit; }
        onreply_route {
            if (status=="180") xlog("ringing");
            if (status=~"^1") xlog("provisional");
            if (method=="SIP/2.0") xlog("version");
            if (from_uri=~"atlanta") xlog("from");
            if (uri==myself) xlog("wrong"); else xlog("right");
        }"""
    with Bench(tmp_path, script=script) as bench:
        flow = bench.phone()
        flow.send(PLAIN)
        bench.receive(answer(bench.sent[0], 180))
        assert list(bench.printed()) == ["ringing", "provisional", "version", "from", "right"]


def test_a_missing_uri_is_an_error_in_a_comparison(tmp_path: Path) -> None:
    for condition in ('to_uri=="x"', 'to_uri!="x"', "to_uri==myself"):
        bench = Bench(tmp_path, f'if ({condition}) xlog("yes"); else xlog("no");')
        with bench:
            bench.receive(NO_URI)
            assert "yes" not in list(bench.printed())


def test_each_operand_is_of_a_known_kind() -> None:
    assert {spec.kind for spec in OPERANDS.values()} == {"text", "number", "address"}
