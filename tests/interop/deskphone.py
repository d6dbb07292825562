"""A pjsua2 program: a phone that is told what to do. Usage: python -m tests.interop.deskphone NAME PASSWORD PORT

Reads a command a line: register, dial URI, answer, hangup, quit. Prints JSON objects, one a line: what happened, and
a detail.
"""

from __future__ import annotations

import json
import os
import select
import sys

import pjsua2  # type: ignore[import-untyped,import-not-found,unused-ignore]

from tests.interop.softphone import configuration, started

STATES = {
    pjsua2.PJSIP_INV_STATE_EARLY: "ringing",
    pjsua2.PJSIP_INV_STATE_CONFIRMED: "established",
    pjsua2.PJSIP_INV_STATE_DISCONNECTED: "closed",
}


def tell(happening: str, detail: object = "") -> None:
    """Print what happened."""
    print(json.dumps([happening, str(detail)]), flush=True)


class OneCall(pjsua2.Call):  # type: ignore[misc]
    """The call that this phone has."""

    def onCallState(self, prm: pjsua2.OnCallStateParam) -> None:  # noqa: N802 - pjsua2's name
        info = self.getInfo()
        is_calling = info.role == pjsua2.PJSIP_ROLE_UAC
        if info.state in STATES and (is_calling or info.state != pjsua2.PJSIP_INV_STATE_EARLY):
            tell(STATES[info.state], f"{info.lastStatusCode} {info.lastReason}")


class Desk(pjsua2.Account):  # type: ignore[misc]
    """The account of this phone. A second call finds it busy."""

    def __init__(self) -> None:
        super().__init__()
        self.call: OneCall | None = None

    def onRegState(self, prm: pjsua2.OnRegStateParam) -> None:  # noqa: N802 - pjsua2's name
        if prm.expiration or prm.code != 200:
            tell("registered" if prm.code == 200 else "refused", f"{prm.code} {prm.reason}")

    def onIncomingCall(self, prm: pjsua2.OnIncomingCallParam) -> None:  # noqa: N802 - pjsua2's name
        self.call = OneCall(self, prm.callId)
        self.reply(180)
        tell("incoming", self.call.getInfo().remoteUri)

    def dial(self, uri: str) -> None:
        """Call somebody."""
        self.call = OneCall(self)
        self.call.makeCall(uri, pjsua2.CallOpParam(True))

    def reply(self, status: int) -> None:
        """Answer the call that comes in."""
        assert self.call is not None
        answer = pjsua2.CallOpParam(True)
        answer.statusCode = status
        self.call.answer(answer)

    def hang_up(self) -> None:
        """End it; one that comes in is refused: 486."""
        assert self.call is not None
        how = pjsua2.CallOpParam(True)
        how.statusCode = pjsua2.PJSIP_SC_BUSY_HERE
        self.call.hangup(how)


def work(endpoint: pjsua2.Endpoint, name: str, password: str, port: int) -> None:
    """Do what is said until `quit`, or the end of what is said."""
    desk = Desk()
    config = configuration(name, port)
    config.regConfig.registrarUri = f"sip:127.0.0.1:{port}"
    config.regConfig.registerOnAdd = False
    config.sipConfig.authCreds.append(pjsua2.AuthCredInfo("digest", "*", name, 0, password))
    desk.create(config)
    words = [""]
    said = b""
    while words[0] != "quit":
        endpoint.libHandleEvents(10)
        if b"\n" not in said and select.select([0], [], [], 0)[0]:
            said += os.read(0, 4096) or b"quit\n"
        line, newline, rest = said.partition(b"\n")
        if not newline:
            continue
        said = rest
        words = line.decode().split()
        match words:
            case ["register"]:
                desk.setRegistration(True)
            case ["dial", uri]:
                desk.dial(uri)
            case ["answer"]:
                desk.reply(200)
            case ["hangup"]:
                desk.hang_up()
    desk.shutdown()


if __name__ == "__main__":
    running = started()
    work(running, sys.argv[1], sys.argv[2], int(sys.argv[3]))
    running.libDestroy()
