from __future__ import annotations

import json
from pathlib import Path

import pytest

from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, Response, parse_message
from openpy.sip.uri import parse_uri, unescape
from openpy.sip.validity import check_request, check_response
from tests.rfc4475.messages import DROPPED, MESSAGES, REFUSED, UNTERMINATED


@pytest.fixture(scope="session")
def corpus(shared: Path) -> Path:
    folder = shared / "corpus" / "rfc4475"
    if not folder.is_dir():
        pytest.skip(f"corpus not found at {folder}")
    return folder


def test_they_are_the_messages_of_the_rfc(corpus: Path) -> None:
    stored = {path.stem: path.read_bytes() for path in corpus.glob("*.dat") if "." not in path.stem}
    assert stored == MESSAGES


def test_the_expectations_are_those_of_the_corpus(corpus: Path) -> None:
    entries = json.loads((corpus / "index.json").read_text())["messages"]
    decided_elsewhere = {"bext01", "invut", "regaut01", "sdp01", "unksm2"}
    for entry in entries:
        name = entry["name"]
        if entry["validity"] == "invalid" and entry["kind"] == "request":
            may_accept = entry["liberal_alternative"] is not None or name in decided_elsewhere
            assert may_accept or REFUSED[name] in entry["expected_status"], name


def _verdict(data: bytes) -> int | None:
    message = parse_message(data)
    try:
        if isinstance(message, Request):
            check_request(message)
        else:
            check_response(message)
    except RemoteError as error:
        return error.status
    return None


@pytest.mark.parametrize("name", [name for name in MESSAGES if name != UNTERMINATED])
def test_verdict(name: str) -> None:
    message = parse_message(MESSAGES[name])
    if isinstance(message, Response):
        assert (_verdict(MESSAGES[name]) is not None) == (name in DROPPED)
    else:
        assert _verdict(MESSAGES[name]) == REFUSED.get(name)


def test_unterminated_head_is_no_message() -> None:
    with pytest.raises(RemoteError):
        parse_message(MESSAGES[UNTERMINATED])
    assert _verdict(MESSAGES[UNTERMINATED] + b"\r\n") is None


def _request(name: str) -> Request:
    message = parse_message(MESSAGES[name])
    assert isinstance(message, Request)
    return message


def test_tortuous_invite_is_read_in_full() -> None:
    invite = _request("wsinv")
    assert invite.to.tag == "1918181833n"
    assert invite.from_.tag == "98asjd8"
    assert invite.from_.display == r'"J Rosenberg \\\""'
    assert invite.max_forwards == 68
    assert (invite.cseq.number, invite.cseq.method) == (9, "INVITE")
    assert [via.host for via in invite.vias] == ["192.0.2.2", "spindle.example.com", "192.168.255.111"]
    assert [via.branch for via in invite.vias] == ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]
    assert invite.get("Subject") == ""
    assert invite.get("NewFangledHeader") == "newfangled value continued newfangled value"
    contacts = invite.contacts
    assert isinstance(contacts, list)
    assert str(contacts[0].uri) == "sip:jdrosen@example.com"
    assert contacts[0].param("q") == "0.33"


def test_parameters_of_header_and_uri_are_told_apart() -> None:
    bare, bracketed = _request("cparam01").contacts, _request("cparam02").contacts
    assert isinstance(bare, list)
    assert isinstance(bracketed, list)
    assert (bare[0].param("unknownparam"), bare[0].uri.param("unknownparam")) == ("", None)
    assert (bracketed[0].param("unknownparam"), bracketed[0].uri.param("unknownparam")) == (None, "")


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("ltgtruri", "sip:user@example.com"),
        ("lwsruri", "sip:user@example.com;lr"),
        ("lwsstart", "sip:user@example.com"),
        ("trws", "sip:remote-target@example.com"),
        ("escruri", "sip:user@example.com"),
    ],
)
def test_request_lines_are_repaired(name: str, uri: str) -> None:
    request = _request(name)
    assert request.uri == uri
    assert request.repaired


def test_octets_behind_the_body_are_cut() -> None:
    assert _request("dblreq").body == b""
    assert MESSAGES["dblreq"].startswith(_request("dblreq").raw)


def test_user_part_may_hold_semicolons_and_escapes() -> None:
    uri = parse_uri(_request("semiuri").uri)
    assert unescape(uri.user or "") == "user;par=u@example.net"
    assert uri.params == ()
    assert parse_uri(_request("esc01").uri).scheme == "sip"
    nulls = _request("escnull").contacts
    assert isinstance(nulls, list)
    assert [contact.uri.user for contact in nulls] == ["%00", "%00%00"]
