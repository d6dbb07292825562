"""A pjsua2 program: alice publishes, bob has her as a buddy. Usage: softphone.py PORT

Prints one JSON object a line: what bob sees of alice, each time it changes.
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


def run(port: int) -> None:
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
    endpoint.libDestroy()


def account(name: str, port: int, *, publishes: bool) -> pjsua2.Account:
    config = pjsua2.AccountConfig()
    config.idUri = f"sip:{name}@127.0.0.1:{port}"
    config.presConfig.publishEnabled = publishes
    made = pjsua2.Account()
    made.create(config)
    return made


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
    run(int(sys.argv[1]))
