from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.kit import request
from tests.modules.avpops.kit import bench, printed

BEFORE = (
    '$avp(s:x) = "sip:a@one.example"; $avp(s:x) = "sip:b@two.example"; $avp(s:u) = 1; $avp(s:u) = "dave"; '
    '$avp(i:5) = 5; $avp(s:long) = $hdr(Long); $avp(s:e) = ""; $var(h) = "three.example";'
)
LINE = 'xlog("$ru | $du | $bR");'


@pytest.mark.parametrize(
    ("target", "source", "code", "shown"),
    [
        ("$ru", "$avp(s:x)", "1", "sip:b@two.example | <null> | <null>"),
        ("$ruri", "$avp(s:x)", "1", "sip:b@two.example | <null> | <null>"),
        ("$(ru)", "$avp(s:x)", "1", "sip:b@two.example | <null> | <null>"),
        ("$ru", "$avp(s:x)/g", "1", "sip:a@one.example | <null> | sip:b@two.example"),
        ("$ru/username", "$avp(s:u)", "1", "sip:dave@example.com | <null> | <null>"),
        ("$ru/USERNAME", "$avp(s:u)/G", "1", "sip:1@example.com | <null> | sip:dave@example.com"),
        ("$ru/username", "$avp(i:5)", "1", "sip:5@example.com | <null> | <null>"),
        ("$ru/domain", "$var(h)", "1", "sip:bob@three.example | <null> | <null>"),
        ("$ru/domain", "$avp(i:5)", "1", "sip:bob@5 | <null> | <null>"),
        ("$du", "$avp(s:x)", "1", "sip:bob@example.com | sip:b@two.example | <null>"),
        ("$duri", "$avp(s:x)/g", "1", "sip:bob@example.com | sip:a@one.example | <null>"),
        ("$du", "$avp(i:5)", "-1", "sip:bob@example.com | <null> | <null>"),
        ("$br", "$avp(s:x)", "1", "sip:bob@example.com | <null> | sip:b@two.example"),
        ("$br", "$avp(s:x)/g", "1", "sip:bob@example.com | <null> | sip:b@two.example, sip:a@one.example"),
        ("$br", "$avp(i:5)", "-1", "sip:bob@example.com | <null> | <null>"),
        ("$ru", "$fu", "1", "sip:alice@atlanta.example | <null> | <null>"),
        ("$ru", "$fu/g", "1", "sip:alice@atlanta.example | <null> | <null>"),
        ("$ru", "$(avp(s:x)[1])", "1", "sip:a@one.example | <null> | <null>"),
        ("$ru", "$avp(s:none)", "-1", "sip:bob@example.com | <null> | <null>"),
        ("$ru", "$hdr(Absent)", "-1", "sip:bob@example.com | <null> | <null>"),
        ("$ru", "$avp(s:long)", "-1", "sip:bob@example.com | <null> | <null>"),
        ("$du", "$avp(s:long)", "-1", "sip:bob@example.com | <null> | <null>"),
        ("$br", "$avp(s:long)", "-1", "sip:bob@example.com | <null> | <null>"),
        ("$ru", "$avp(s:e)", "-1", "sip:bob@example.com | <null> | <null>"),
        ("$du", "$avp(s:e)", "-1", "sip:bob@example.com | <null> | <null>"),
        ("$br", "$avp(s:e)", "-1", "sip:bob@example.com | <null> | <null>"),
        ("$ru/username", "$avp(s:e)", "1", "sip:example.com | <null> | <null>"),
    ],
)
def test_pushto(tmp_path: Path, target: str, source: str, code: str, shown: str) -> None:
    route = (
        f'{BEFORE} if (avp_pushto("{target}", "{source}")) {{ xlog("1"); }} else {{ xlog("$rc"); }} {LINE}'
    )
    message = request("OPTIONS", "sip:bob@example.com", f"Long: sip:{'x' * 1100}")
    assert printed(tmp_path, route, message=message) == [code, shown]


def test_there_are_12_places(tmp_path: Path) -> None:
    values = "".join(f'$avp(s:x) = "sip:{n}@b.example"; ' for n in range(15))
    route = f'{values} if (avp_pushto("$ru", "$avp(s:x)/g")) {{ xlog("1"); }} else {{ xlog("$rc $bR"); }}'
    with bench(tmp_path, route) as running:
        running.receive(request())
        (line,) = running.printed()
    assert line.startswith("-1 sip:14@b.example, sip:13@")
    assert line.count("@") == 11
