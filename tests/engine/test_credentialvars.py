from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.credentialvars import CREDENTIAL_VARIABLES
from openpy.engine.run import Run
from openpy.sip.digest import parse_credentials
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, evaluate, request

DIGEST = 'Digest username="{}", realm="r.example", nonce="n", uri="sip:u@h", response="0"'
NULLS = "<null> <null> <null> <null>"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (("Authorization: " + DIGEST.format("bob@b.example"),), "bob bob@b.example r.example sip:u@h"),
        (("Proxy-Authorization: " + DIGEST.format("bob"),), "bob bob r.example sip:u@h"),
        (
            (
                "Authorization: " + DIGEST.format("second"),
                "Proxy-Authorization: " + DIGEST.format("first"),
            ),
            "first first r.example sip:u@h",
        ),
        ((), NULLS),
        (("Authorization: Basic x",), NULLS),
    ],
)
def test_what_credentials_say(tmp_path: Path, headers: tuple[str, ...], expected: str) -> None:
    assert evaluate(tmp_path, "$au $aU $ar $adu", request("REGISTER", "sip:h", *headers)) == expected


@pytest.mark.parametrize("method", ["ACK", "CANCEL"])
def test_nobody_asks_for_credentials_of_these(tmp_path: Path, method: str) -> None:
    message = request(method, "sip:h", "Authorization: " + DIGEST.format("bob"))
    assert evaluate(tmp_path, "$au $aU $ar $adu", message) == NULLS


def test_what_cannot_be_read_is_a_parse_error(tmp_path: Path) -> None:
    more = 'error_route { xlog("$err.info, $err.rcode $err.rreason"); exit; }'
    message = request("REGISTER", "sip:h", "Authorization: Basic x")
    expected = "error parsing Authorization header, 400 bad Authorization header"
    assert evaluate(tmp_path, "never", message, before="$var(x)=$au;", more=more) == expected


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        (b"<sip:alice@atlanta.example>", "alice@atlanta.example"),
        (b"<sip:atlanta.example>", "atlanta.example"),
        (b"<tel:+1;ext=2>", "+1"),
    ],
)
def test_the_account_is_who_the_request_is_from(tmp_path: Path, sender: bytes, expected: str) -> None:
    message = request().replace(b"<sip:alice@atlanta.example>", sender)
    assert evaluate(tmp_path, "$Au", message) == expected


def test_the_account_is_that_of_credentials_that_were_found_right(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = Run(bench.server, parse_message(request()), bench.phone())
        run.state.credentials = parse_credentials(DIGEST.format("bob@b.example"))
        assert CREDENTIAL_VARIABLES["Au"](run) == "bob@r.example"


def test_a_from_that_cannot_be_read_has_no_account(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = Run(
            bench.server,
            parse_message(request().replace(b'"Alice" <sip:alice', b'"Alice" <:')),
            bench.phone(),
        )
        assert CREDENTIAL_VARIABLES["Au"](run) is None
        assert run.error_class == 1
