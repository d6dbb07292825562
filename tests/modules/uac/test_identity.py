from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.engine.run import Run
from openpy.modules.uac.identity import GiveBack, pack, put, rewritten, unpack
from openpy.sip.edits import Edits
from openpy.sip.headers import parse_name_addr
from openpy.sip.message import Response, parse_message
from tests.engine.kit import Bench, request

URIS = st.from_regex(r"sip:[a-z]{1,8}@[a-z]{1,20}\.example", fullmatch=True)


@given(URIS, URIS, st.text(max_size=5))
def test_each_uri_gives_the_other(first: str, second: str, password: str) -> None:
    kept = pack(first, second, password)
    assert kept.replace("-", "").replace("_", "").isalnum()
    assert unpack(kept, first, password) == second
    assert unpack(kept, second, password) == first


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzAB0123456789-_", max_size=60), URIS)
def test_what_somebody_made_up(kept: str, uri: str) -> None:
    found = unpack(kept, uri, "")
    assert found is None or (
        found.isascii() and found.isprintable() and " " not in found and ">" not in found
    )


def test_what_belongs_to_another() -> None:
    kept = pack("sip:a@x", "sip:b@y", "secret")
    assert unpack(kept, "sip:a@x", "") is None
    assert unpack(kept, "sip:a@a.much.longer.name.example", "secret") is None
    assert unpack("\udcff", "sip:a@x", "") is None


@pytest.mark.parametrize(
    ("display", "uri", "value"),
    [
        (None, "sip:n@y", '"A B" <sip:n@y>;tag=t'),
        ("", "sip:n@y", "<sip:n@y>;tag=t"),
        ('N "n"', "", '"N \\"n\\"" <sip:a@x>;tag=t'),
        ("N", "sip:n@y", '"N" <sip:n@y>;tag=t'),
    ],
)
def test_rewriting(display: str | None, uri: str, value: str) -> None:
    assert rewritten(parse_name_addr('"A B" <sip:a@x>;tag=t'), display, uri) == value
    assert rewritten(parse_name_addr("sip:a@x;p"), None, "") == "<sip:a@x>;p"


def test_a_header_is_changed_once(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        run = Run(bench.server, parse_message(request()), bench.phone())
        assert put(run, "From", "<sip:n@y>;tag=t")
        assert not put(run, "From", "<sip:m@y>;tag=t")
        assert put(run, "To", "<sip:m@y>", gives_back=False)
        assert b"From: <sip:n@y>;tag=t\r\n" in run.edits.apply()
        assert run.state.reply_changes == (GiveBack("From", '"Alice" <sip:alice@atlanta.example>;tag=a1'),)


@pytest.mark.parametrize(
    ("given_back", "line"),
    [
        (GiveBack("From", "<sip:a@x>;tag=1"), b"From: <sip:a@x>;tag=1\r\n"),
        (GiveBack("To", "<sip:b@x>"), b"To: <sip:b@x>;tag=2\r\n"),
        (GiveBack("To", "<sip:b@x>;tag=2"), b"To: <sip:b@x>;tag=2\r\n"),
    ],
)
def test_giving_back(given_back: GiveBack, line: bytes) -> None:
    response = parse_message(b"SIP/2.0 200 OK\r\nf: <sip:n@y>;tag=1\r\nTo: <sip:m@y>;tag=2\r\n\r\n")
    assert isinstance(response, Response)
    edits = Edits(response)
    given_back(response, edits)
    assert line in edits.apply()
