"""A dialog that is ended from here by a BYE to either side, each in the name of the other: `dlg_end_dlg` of 1.3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from openpy.engine.module import ArgumentError
from openpy.engine.socketids import SocketId, read_socket
from openpy.engine.sockets import Endpoint
from openpy.modules.dialog.record import Dialog, Leg
from openpy.modules.tm.api import OwnRequest, in_dialog
from openpy.sip.dialog import Dialog as SipDialog
from openpy.sip.grammar import TOKEN

END = "\r\n"

Listening = Callable[[SocketId], Endpoint | None]


def byes(dialog: Dialog, headers: str, listening: Listening) -> tuple[OwnRequest, OwnRequest]:
    """The BYE to the caller and that to the callee; raises RemoteError for routes that cannot be read."""
    caller, callee = dialog.caller, dialog.callee
    return (
        _bye(dialog.call_id, callee, caller, headers, listening),
        _bye(dialog.call_id, caller, callee, headers, listening),
    )


def read_headers(text: str) -> str:
    """Header lines as somebody wrote them, each with its line end; raises ArgumentError for what is none."""
    lines = [line for line in text.replace(END, "\n").split("\n") if line]
    for line in lines:
        name, colon, _ = line.partition(":")
        if not (colon and TOKEN.fullmatch(name.strip()) and line.isprintable()):
            raise ArgumentError(f'"{line}" is no header: write Name: value')
    return "".join(f"{line}{END}" for line in lines)


def _bye(call_id: str, sender: Leg, target: Leg, headers: str, listening: Listening) -> OwnRequest:
    side = SipDialog(
        call_id=call_id,
        local_tag=sender.tag,
        remote_tag=target.tag,
        local_uri=sender.uri,
        remote_uri=target.uri,
        target=target.contact,
        route_set=target.routes,
        local_cseq=sender.cseq,
    )
    request = in_dialog(side, "BYE", headers)
    sender.cseq = request.cseq
    return replace(request, socket=_socket(target.socket, listening))


def _socket(text: str, listening: Listening) -> Endpoint | None:
    """The socket that a side is reached through, if the server still listens there."""
    try:
        return listening(read_socket(text)) if text else None
    except ArgumentError:
        return None
