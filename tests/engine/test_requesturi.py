from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.requesturi import LONGEST, is_acceptable
from tests.engine.kit import Bench, KeptFlow, evaluate, request

FULL = f"sip:{'a' * (LONGEST - 9)}@h.ab"
"""As long as it may be."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip:a@b", True),
        ("", True),
        ("a" * 1024, True),
        ("a" * 1025, False),
        ("\u00e9" * 512, True),
        ("\u00e9" * 513, False),
        ("sip:a@b\nX: y", False),
        ("sip:a@b\rX: y", False),
    ],
)
def test_what_a_script_may_make(text: str, expected: bool) -> None:
    assert is_acceptable(text) is expected


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(change, id=change[:15])
        for change in (
            f'rewriteuri("{FULL}x")',
            'rewritehost("h.abc")',
            'rewritehostport("h.ab:5060")',
            'rewriteport("5060")',
            f'rewriteuser("{"b" * 1019}")',
            f'rewriteuserpass("{"b" * 1000}:{"c" * 100}")',
            'prefix("0")',
            f'$ru="{FULL}x"',
            f'$rU="{"b" * 1019}"',
            '$rd="h.abc"',
            f'append_branch("{FULL}x")',
            f'$br="{FULL}x"',
        )
    ],
)
def test_a_uri_of_more_than_1024_bytes_is_refused(tmp_path: Path, change: str) -> None:
    assert len(FULL) == LONGEST
    message = request(uri=FULL)
    before = f"{change}; $var(code)=$rc;" if change.startswith("$") else f"$var(code)={change};"
    assert evaluate(tmp_path, "$ru $br $var(code)", message, before=before) == f"{FULL} <null> -1"


def test_a_line_end_in_a_uri_is_refused(tmp_path: Path) -> None:
    assert (
        evaluate(tmp_path, "$ru $rc", request(), before='$ru="sip:a@b\\r\\nX: y";')
        == "sip:bob@example.com -1"
    )


def test_what_is_no_uri_stays_and_is_a_parse_error(tmp_path: Path) -> None:
    more = 'error_route { xlog("[$err.info]"); exit; }'
    expected = "[error parsing r-uri]"
    assert evaluate(tmp_path, "never", request(), before='$ru="none"; $rd="h";', more=more) == expected


def test_another_scheme_has_no_parts(tmp_path: Path) -> None:
    before = '$ru="urn:service:sos"; $rU="x"; $var(user)=$rc; $rd="h";'
    assert evaluate(tmp_path, "$ru $var(user) $rc", request(), before=before) == "urn:service:sos -1 -1"


# --- maddr of ours (RFC 3261 16.4) ----------------------------------------------------------------------------------

UDP, TLS = ("udp", 5060), ("tls", 5061)


@pytest.mark.parametrize(
    ("came_by", "uri", "seen"),
    [
        (UDP, "sip:b@x.example;maddr=127.0.0.1", "sip:b@x.example"),
        (UDP, "sip:b:c@x.example;a=1;Maddr=LocalHost;lr", "sip:b:c@x.example;a=1;lr"),
        (UDP, "sip:b@x.example:5060;maddr=127.0.0.1;transport=UDP", "sip:b@x.example:5060"),
        (UDP, "sip:b@x.example;MADDR=127.0.0.1", "sip:b@x.example"),
        (("udp", 5080), "sip:b@x.example:5080;maddr=127.0.0.1", "sip:b@x.example"),
        (("tcp", 5060), "sip:x.example;transport=tcp;maddr=127.0.0.1", "sip:x.example"),
        (TLS, "sips:b@x.example:5061;maddr=127.0.0.1", "sips:b@x.example:5061"),
        (TLS, "sip:b@x.example:5061;maddr=127.0.0.1;transport=tls", "sip:b@x.example"),
        # what leads elsewhere stays
        (UDP, "sip:b@x.example;maddr=192.0.2.9", ""),
        (UDP, "sip:b@x.example:5070;maddr=127.0.0.1", ""),
        (UDP, "sip:b@x.example;transport=tcp;maddr=127.0.0.1", ""),
        (("tcp", 5060), "sip:b@x.example;maddr=127.0.0.1", ""),
        (UDP, "sips:b@x.example;maddr=127.0.0.1", ""),
        (UDP, "sip:b@x.example;maddr", ""),
        (UDP, "sip:b@127.0.0.1;x=maddr", ""),
        (UDP, "sip:maddr@127.0.0.1;a=1", ""),
    ],
)
def test_a_maddr_of_ours_is_taken_off(tmp_path: Path, came_by: tuple[str, int], uri: str, seen: str) -> None:
    transport, port = came_by
    route = 'xlog("$ru $ou"); sl_send_reply("404", "Nobody");'
    with Bench(tmp_path, route, more='alias="localhost"') as bench:
        flow = KeptFlow(bench.sent, transport, local_port=port)
        bench.receive(request(uri=uri), flow)
        assert list(bench.printed()) == [f"{seen or uri} {uri}"]


def test_another_scheme_has_no_maddr(tmp_path: Path) -> None:
    with Bench(tmp_path, 'xlog("$ru");') as bench:
        bench.receive(request(uri="tel:+1;maddr=127.0.0.1"))
        assert list(bench.printed()) == ["tel:+1;maddr=127.0.0.1"]
