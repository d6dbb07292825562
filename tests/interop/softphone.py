"""A pjsua2 program. Usage: softphone.py buddy PORT | mailbox PORT REGISTRAR_PORT

buddy: alice publishes, bob has her as a buddy. Prints what bob sees of alice, each time it changes.
mailbox: alice has a mailbox, and registers elsewhere. Prints three message summaries that she is told, then ends.
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
    else:
        hear_of_messages(running, *ports)
    running.libDestroy()
