from __future__ import annotations

import re
from pathlib import Path

import pytest

from openpy.modules.exec.variables import safe
from tests.engine.kit import request
from tests.modules.exec.kit import bench_with

HEADERS = (
    "Subject: a",
    "k: eventlist",
    "Supported: gruu",
    "X-Odd!Name: 1",
    "X-Nul: a\0b",
    "X-Bash: () { :; }; id",
)


def environment(
    folder: Path, message: bytes, route: str = 'exec_msg("true");', more: str = ""
) -> dict[str, str]:
    """What a program gets for a message."""
    with bench_with(folder, route, more) as bench:
        bench.receive(message)
        ((program, _),) = bench.server.programs
        return dict(program.environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIP_HF_FROM", '"Alice" <sip:alice@atlanta.example>;tag=a1'),
        ("SIP_HF_CALL_ID", "call-1"),
        ("SIP_HF_CSEQ", "7 OPTIONS"),
        ("SIP_HF_SUBJECT", "a"),
        ("SIP_HF_SUPPORTED", "eventlist,gruu"),
        ("SIP_HF_X_ODD_NAME", "1"),
        ("SIP_HF_X_NUL", "ab"),
        ("SIP_HF_X_BASH", " () { :; }; id"),
        ("SIP_SRCIP", "192.0.2.1"),
        ("SIP_ORURI", "sip:bob@example.com"),
        ("SIP_OUSER", "bob"),
        ("SIP_RURI", "sip:carol@example.com"),
        ("SIP_USER", "carol"),
        ("SIP_DID", ""),
    ],
)
def test_each_variable(tmp_path: Path, name: str, value: str) -> None:
    message = request("OPTIONS", "sip:bob@example.com", *HEADERS)
    assert environment(tmp_path, message, 'rewriteuser("carol"); exec_msg("true");')[name] == value


def test_in_a_dialog(tmp_path: Path) -> None:
    assert environment(tmp_path, request("BYE", to_tag="b7"))["SIP_DID"] == "b7"


def test_a_uri_without_user(tmp_path: Path) -> None:
    found = environment(tmp_path, request(uri="sip:example.com"), 'rewriteuri("x"); exec_msg("true");')
    assert (found["SIP_USER"], found["SIP_OUSER"], found["SIP_RURI"]) == ("", "", "x")


def test_all_that_belongs_to_a_transaction_has_one_name(tmp_path: Path) -> None:
    def name(method: str, branch: str) -> str:
        return environment(tmp_path, request(method, branch=branch))["SIP_TID"]

    invite = name("INVITE", "z9hG4bK1")
    assert re.fullmatch("[0-9a-f]{32}", invite)
    assert name("CANCEL", "z9hG4bK1") == name("ACK", "z9hG4bK1") == invite
    assert name("INVITE", "z9hG4bK2") != invite
    assert name("OPTIONS", "z9hG4bK1") != invite


def test_without_setvars_there_is_none(tmp_path: Path) -> None:
    found = environment(tmp_path, request(), 'exec_msg("echo $rU");', 'modparam("exec", "setvars", 0)')
    assert found == {"OPENPY_VALUE_1": "bob"}


@pytest.mark.parametrize(
    ("value", "made"), [("plain", "plain"), ("a\0b\0", "ab"), ("() {", " () {"), ("\0()", " ()")]
)
def test_safe_values(value: str, made: str) -> None:
    assert safe(value) == made
