"""A pjsua2 program. Usage: softphone.py buddy PORT | mailbox PORT REGISTRAR_PORT | caller PORT | call PORT

buddy: alice publishes, bob has her as a buddy. Prints what bob sees of alice, each time it changes.
mailbox: alice has a mailbox, and registers elsewhere. Prints three message summaries that she is told, then ends.
caller: alice registers with her password, calls bob, registers again, then mallory tries hers. Prints each outcome.
call: bob registers, and alice calls him. Prints what becomes of it: who hears what, and that he has left again.
What is printed are JSON objects, one a line.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import pjsua2  # type: ignore[import-untyped,import-not-found,unused-ignore]

PATIENCE = 10.0  # seconds for each thing that is waited for


class Alice(pjsua2.Buddy):  # type: ignore[misc]
    """What bob sees of alice."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []
        self.state = pjsua2.PJSIP_EVSUB_STATE_NULL

    def onBuddyState(self) -> None:  # noqa: N802 - pjsua2's name
        info = self.getInfo()
        self.state = info.subState
        self.seen.append(info.presStatus.status)
        seen = {
            "status": info.presStatus.status,
            "text": info.presStatus.statusText,
            "state": info.subStateName,
        }
        print(json.dumps(seen), flush=True)


class Owner(pjsua2.Account):  # type: ignore[misc]
    """What alice is told of her mailbox."""

    def __init__(self) -> None:
        super().__init__()
        self.summaries = 0

    def onMwiInfo(self, prm: pjsua2.OnMwiInfoParam) -> None:  # noqa: N802 - pjsua2's name
        self.summaries += 1
        body = prm.rdata.wholeMsg.replace("\r\n", "\n").partition("\n\n")[2]
        print(json.dumps({"summary": body, "state": prm.state}), flush=True)


class Registered(pjsua2.Account):  # type: ignore[misc]
    """An account that registers."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: list[int] = []

    def onRegState(self, prm: pjsua2.OnRegStateParam) -> None:  # noqa: N802 - pjsua2's name
        self.codes.append(prm.code)
        print(json.dumps({"registered": prm.code}), flush=True)


class Call(pjsua2.Call):  # type: ignore[misc]
    """A call that somebody ends."""

    ended = False

    def onCallState(self, prm: pjsua2.OnCallStateParam) -> None:  # noqa: N802 - pjsua2's name
        info = self.getInfo()
        if info.state == pjsua2.PJSIP_INV_STATE_DISCONNECTED:
            self.ended = True
            print(json.dumps({"called": info.lastStatusCode}), flush=True)


class Party(pjsua2.Call):  # type: ignore[misc]
    """One side of a call."""

    def __init__(self, own: pjsua2.Account, name: str, number: int = pjsua2.PJSUA_INVALID_ID) -> None:
        super().__init__(own, number)
        self.name = name
        self.state = ""

    def onCallState(self, prm: pjsua2.OnCallStateParam) -> None:  # noqa: N802 - pjsua2's name
        self.state = self.getInfo().stateText
        print(json.dumps({"who": self.name, "call": self.state}), flush=True)


class Bob(pjsua2.Account):  # type: ignore[misc]
    """Bob, who answers."""

    def __init__(self) -> None:
        super().__init__()
        self.is_registered: bool | None = None
        self.call: Party | None = None

    def onRegState(self, prm: pjsua2.OnRegStateParam) -> None:  # noqa: N802 - pjsua2's name
        self.is_registered = self.getInfo().regIsActive
        print(json.dumps({"who": "bob", "registered": self.is_registered, "code": prm.code}), flush=True)

    def onIncomingCall(self, prm: pjsua2.OnIncomingCallParam) -> None:  # noqa: N802 - pjsua2's name
        self.call = Party(self, "bob", prm.callId)
        answer = pjsua2.CallOpParam()
        answer.statusCode = 200
        self.call.answer(answer)


def started() -> pjsua2.Endpoint:
    endpoint = pjsua2.Endpoint()
    endpoint.libCreate()
    settings = pjsua2.EpConfig()
    settings.logConfig.level = settings.logConfig.consoleLevel = 0
    settings.uaConfig.threadCnt = 0
    settings.uaConfig.mainThreadOnly = True
    endpoint.libInit(settings)
    endpoint.audDevManager().setNullDev()
    transport = pjsua2.TransportConfig()
    transport.boundAddress = transport.publicAddress = "127.0.0.1"
    endpoint.transportCreate(pjsua2.PJSIP_TRANSPORT_UDP, transport)
    endpoint.libStart()
    return endpoint


def see_a_buddy(endpoint: pjsua2.Endpoint, port: int) -> None:
    alice = account("alice", port, publishes=True)
    bob = account("bob", port, publishes=False)
    buddy = Alice()
    entry = pjsua2.BuddyConfig()
    entry.uri = f"sip:alice@127.0.0.1:{port}"
    entry.subscribe = True
    buddy.create(bob, entry)

    wait(endpoint, lambda: buddy.state == pjsua2.PJSIP_EVSUB_STATE_ACTIVE)
    for status in (pjsua2.PJSUA_BUDDY_STATUS_ONLINE, pjsua2.PJSUA_BUDDY_STATUS_OFFLINE) * 2:
        told = len(buddy.seen)
        say(alice, status)
        wait(endpoint, lambda: status in buddy.seen[told:])  # noqa: B023 - called at once
    buddy.subscribePresence(False)
    wait(endpoint, lambda: buddy.state == pjsua2.PJSIP_EVSUB_STATE_TERMINATED)


def hear_of_messages(endpoint: pjsua2.Endpoint, port: int, registrar: int) -> None:
    owner = Owner()
    config = configuration("alice", port)
    config.mwiConfig.enabled = True  # which begins when the account is registered
    config.regConfig.registrarUri = f"sip:127.0.0.1:{registrar}"
    owner.create(config)
    for number in (1, 2, 3):
        wait(endpoint, lambda: owner.summaries >= number)  # noqa: B023 - called at once


def register_and_call(endpoint: pjsua2.Endpoint, port: int) -> None:
    alice = registered("alice", "secret", port)
    wait(endpoint, lambda: len(alice.codes) == 1)
    call = Call(alice)
    call.makeCall(f"sip:bob@127.0.0.1:{port}", pjsua2.CallOpParam(True))
    wait(endpoint, lambda: call.ended)
    alice.setRegistration(True)
    wait(endpoint, lambda: len(alice.codes) == 2)
    mallory = registered("alice", "guessed", port)
    wait(endpoint, lambda: len(mallory.codes) == 1)


def registered(name: str, password: str, port: int) -> Registered:
    config = configuration(name, port)
    config.regConfig.registrarUri = f"sip:127.0.0.1:{port}"
    config.sipConfig.authCreds.append(pjsua2.AuthCredInfo("digest", "*", name, 0, password))
    made = Registered()
    made.create(config)
    return made


def call(endpoint: pjsua2.Endpoint, port: int) -> None:
    bob = Bob()
    config = configuration("bob", port)
    config.regConfig.registrarUri = f"sip:127.0.0.1:{port}"
    bob.create(config)
    wait(endpoint, lambda: bob.is_registered is True)
    alice = Party(account("alice", port, publishes=False), "alice")
    alice.makeCall(f"sip:bob@127.0.0.1:{port}", pjsua2.CallOpParam(True))
    wait(
        endpoint,
        lambda: alice.state == "CONFIRMED" and bob.call is not None and bob.call.state == "CONFIRMED",
    )
    alice.hangup(pjsua2.CallOpParam())
    wait(endpoint, lambda: bob.call is not None and bob.call.state == "DISCONNECTED")
    bob.setRegistration(False)
    wait(endpoint, lambda: bob.is_registered is False)


def account(name: str, port: int, *, publishes: bool) -> pjsua2.Account:
    config = configuration(name, port)
    config.presConfig.publishEnabled = publishes
    made = pjsua2.Account()
    made.create(config)
    return made


def configuration(name: str, port: int) -> pjsua2.AccountConfig:
    config = pjsua2.AccountConfig()
    config.idUri = f"sip:{name}@127.0.0.1:{port}"
    return config


def say(publisher: pjsua2.Account, status: int) -> None:
    presence = pjsua2.PresenceStatus()
    presence.status = status
    publisher.setOnlineStatus(presence)


def wait(endpoint: pjsua2.Endpoint, happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            sys.exit("nothing came that was waited for")
        endpoint.libHandleEvents(20)


if __name__ == "__main__":
    running = started()
    ports = [int(port) for port in sys.argv[2:]]
    if sys.argv[1] == "buddy":
        see_a_buddy(running, *ports)
    elif sys.argv[1] == "caller":
        register_and_call(running, *ports)
    elif sys.argv[1] == "call":
        call(running, *ports)
    else:
        hear_of_messages(running, *ports)
    running.libDestroy()
