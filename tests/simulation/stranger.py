"""A peer that asks without listening: floods, and what makes no sense."""

from __future__ import annotations

import random
from itertools import count

from openpy.testing.network import Address, Network
from openpy.testing.world import World
from tests.simulation.process import ADDRESS

HOME: Address = ("203.0.113.7", 5060)
ELSEWHERE: Address = ("203.0.113.8", 5060)
"""Where nonsense comes from, of which nothing is expected."""


class Stranger:
    """Sends, and takes no notice of answers."""

    def __init__(self, world: World, network: Network) -> None:
        self._network = network
        self._numbers = count(1)
        self._chance = world.chance("stranger")

    def ask(self, method: str, uri: str) -> None:
        """A request that changes nothing: a look at a state, or an entity-tag that names none."""
        self._send(
            HOME, self._request(method, uri, f"Expires: 0\r\nSIP-If-Match: none{next(self._numbers)}\r\n")
        )

    def babble(self, chance: random.Random) -> None:
        """A datagram that is no message, or a message that cannot be meant."""
        method = chance.choice(("PUBLISH", "SUBSCRIBE", "NOTIFY", "ACK", "CANCEL", "INVITE"))
        whole = self._request(
            method, "sip:user0@example.org", "SIP-If-Match: none\r\nExpires: 0\r\n", tag="10.no"
        )
        choice = chance.randrange(5)
        if choice == 0:
            data = chance.randbytes(chance.randint(0, 200))
        elif choice == 1:
            data = whole[: chance.randint(1, len(whole))]
        elif choice == 2:
            place = chance.randrange(len(whole))
            data = whole[:place] + chance.randbytes(1) + whole[place + 1 :]
        elif choice == 3:
            data = whole
        else:
            data = whole.replace(f"{method} sip:user0@example.org SIP/2.0".encode(), b"SIP/2.0 200 OK", 1)
        self._send(ELSEWHERE, data)

    def _request(self, method: str, uri: str, headers: str, tag: str = "") -> bytes:
        number = next(self._numbers)
        to_tag = f";tag={tag}" if tag else ""
        return (
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {HOME[0]};branch=z9hG4bKstranger{number}\r\n"
            f"From: <sip:stranger@example.net>;tag={number}\r\nTo: <{uri}>{to_tag}\r\nCall-ID: {number}\r\n"
            f"CSeq: 1 {method}\r\nContact: <sip:{HOME[0]}>\r\nEvent: presence\r\n{headers}"
            "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ).encode()

    def _send(self, source: Address, data: bytes) -> None:
        self._network.send(data, source, ADDRESS)
