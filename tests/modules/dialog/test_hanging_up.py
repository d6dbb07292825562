"""The BYEs of dlg_end_dlg."""

from __future__ import annotations

from copy import deepcopy

import pytest

from openpy.engine.module import ArgumentError
from openpy.engine.socketids import SocketId
from openpy.engine.sockets import Endpoint
from openpy.modules.dialog.hanging_up import byes, read_headers
from openpy.modules.dialog.record import Dialog, Name
from openpy.modules.dialog.states import State
from openpy.sip.errors import RemoteError
from tests.modules.dialog.test_rows import CALLEE, CALLER


def dialog() -> Dialog:
    return Dialog(Name(1, 2), "call", deepcopy(CALLER), deepcopy(CALLEE), State.CONFIRMED)


def listening(wanted: SocketId) -> Endpoint | None:
    return Endpoint("udp", "127.0.0.1", 5060) if wanted.protocol == "udp" else None


def test_each_side_hears_from_the_other() -> None:
    call = dialog()
    call.callee.cseq = 5
    caller, callee = byes(call, "Reason: SIP\r\n", listening)
    assert (caller.uri, caller.from_, caller.to, caller.cseq) == (
        "sip:a@192.0.2.1",
        "<sip:b@x>;tag=b",
        "<sip:a@x>;tag=a",
        6,
    )
    assert caller.routes == CALLER.routes
    assert caller.next_hop == "sip:p2;lr"
    assert (callee.uri, callee.from_, callee.to, callee.cseq) == (
        "sip:b@192.0.2.9",
        "<sip:a@x>;tag=a",
        "<sip:b@x>;tag=b",
        8,
    )
    assert {caller.headers, callee.headers} == {"Reason: SIP\r\n"}
    assert (caller.socket, callee.socket) == (Endpoint("udp", "127.0.0.1", 5060), None)
    assert (call.caller.cseq, call.callee.cseq) == (8, 6)


def test_sockets_that_cannot_be_read_or_are_not_known() -> None:
    call = dialog()
    call.caller.socket, call.callee.socket = "udp:[::1]:x", ""
    assert [request.socket for request in byes(call, "", listening)] == [None, None]


def test_routes_that_cannot_be_read() -> None:
    call = dialog()
    call.caller.routes = ("<sip:",)
    with pytest.raises(RemoteError):
        byes(call, "", listening)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ""),
        ("Reason: x", "Reason: x\r\n"),
        ("A: 1\r\nB: 2\r\n", "A: 1\r\nB: 2\r\n"),
        ("A: 1\nB:2", "A: 1\r\nB:2\r\n"),
    ],
)
def test_headers(text: str, lines: str) -> None:
    assert read_headers(text) == lines


@pytest.mark.parametrize("text", ["A", ": x", "A b: x", "A: 1\rB: 2", "A: \x00"])
def test_what_is_no_header(text: str) -> None:
    with pytest.raises(ArgumentError, match="is no header"):
        read_headers(text)
