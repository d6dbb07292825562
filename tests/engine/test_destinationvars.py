from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.destinationvars import DESTINATION_VARIABLES
from tests.engine.kit import Bench, evaluate, request


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ('$ru="sip:carol@chicago.example";', "$ru $ou", "sip:carol@chicago.example sip:bob@example.com"),
        ('$ruri="sip:c@d";', "$ru", "sip:c@d"),
        ('$rU="carol";', "$ru", "sip:carol@example.com"),
        ('$ruri.user="carol";', "$rU", "carol"),
        ("$rU=NULL;", "$ru", "sip:example.com"),
        ("$rU=123;", "$ru $rc", "sip:bob@example.com -1"),
        ('$rd="h.example";', "$ru", "sip:bob@h.example"),
        ('$ruri.domain="h.example";', "$rd", "h.example"),
        ("$rd=5;", "$ru $rc", "sip:bob@example.com -1"),
        ("$rd=NULL;", "$ru $rc", "sip:bob@example.com -1"),
        ("$ru=5;", "$ru $rc", "sip:bob@example.com -1"),
        ("$ru=NULL;", "$ru $rc", "sip:bob@example.com -1"),
        ('$du="sip:10.0.0.1:5070;transport=tcp";', "$dd $dp $dP", "10.0.0.1 5070 tcp"),
        ('$duri="sip:10.0.0.1";', "$du $dd $dp $dP", "sip:10.0.0.1 10.0.0.1 5060 UDP"),
        ('$du="sip:10.0.0.1"; $du=NULL;', "$du", "<null>"),
        ("$du=5;", "$du $rc", "<null> -1"),
        ('$br="sip:a@b"; $br="sip:c@d";', "$br - $bR", "sip:a@b - sip:a@b, sip:c@d"),
        ("$br=5;", "$br $rc", "<null> -1"),
        ("$br=NULL;", "$br $rc", "<null> -1"),
        ('$ru="sip:x@y"; append_branch("sip:a@b","0.5");', "$ds", "Contact: sip:x@y, <sip:a@b>;q=0.5"),
        ('append_branch("sip:a@b");', "$ds $bR", "Contact: sip:a@b sip:a@b"),
        ('$ru="sips:bob@example.com"; $rU="x"; $rd="y";', "$ru", "sips:x@y"),
        ('$ru="tel:+1;ext=2"; $rU="+3";', "$ru $rU $rd", "tel:+3;ext=2 +3 <null>"),
        ('$ru="tel:+1"; $rd="gw.example";', "$ru", "sip:+1@gw.example"),
        ("$fs=5;", "$fs $rc", "<null> -1"),
        ('$fs="udp:127.0.0.1";', "$fs $rc", "<null> -1"),
        ('$fs="none";', "$fs $rc", "<null> -1"),
        ('$fs="sip:127.0.0.1"; $fs=NULL;', "$fs $rc", "<null> 1"),
    ],
)  # fmt: skip
def test_what_a_script_assigns(tmp_path: Path, before: str, text: str, expected: str) -> None:
    assert evaluate(tmp_path, text, request(), before=before) == expected


@pytest.mark.parametrize("uri", ["sip:127.0.0.1", "sip:127.0.0.1;transport=udp", "sips:127.0.0.1"])
def test_a_forced_socket_shows_as_it_is_written_in_listen(tmp_path: Path, uri: str) -> None:
    with Bench(tmp_path, f'$fs="{uri}"; xlog("$rc $fs");') as bench:
        bench.receive(request())
        port = bench.server.sockets.endpoints[0].port
        assert list(bench.printed()) == [f"1 udp:127.0.0.1:{port}"]


@pytest.mark.parametrize("uri", ["sip:192.0.2.1", "sip:127.0.0.1:1", "sip:127.0.0.1;transport=tcp"])
def test_a_socket_that_is_not_ours_is_told(tmp_path: Path, uri: str) -> None:
    with Bench(tmp_path, f'$fs="{uri}"; xlog("$rc $fs");') as bench:
        bench.receive(request())
        assert list(bench.printed()) == ["1 <null>"]
        assert f"WARNING:script: $fs: the server doesn't listen on {uri}" in bench.log


@pytest.mark.parametrize(
    ("before", "text", "info"),
    [
        ('$ru="none";', "$rU", "error parsing r-uri"),
        ('$ru="none";', "$rd", "error parsing r-uri"),
        ('$du="none";', "$dd", "error parsing dst uri"),
    ],
)
def test_what_is_no_uri_is_a_parse_error(tmp_path: Path, before: str, text: str, info: str) -> None:
    more = 'error_route { xlog("$err.info"); exit; }'
    assert evaluate(tmp_path, "never", request(), before=f"{before} $var(x)={text};", more=more) == info


def test_names_are_those_of_their_keys() -> None:
    assert all(name == spec.name for name, spec in DESTINATION_VARIABLES.items())
