"""Phones behind NATs, and a server that helps them."""

from __future__ import annotations

from pathlib import Path

from tests.engine.kit import MODULES, Bench, KeptFlow, Sent, request

NAT = ("203.0.113.9", 40000)
"""Where messages from behind the NAT come from."""

PRIVATE = "192.168.1.20"
CONTACT = f"Contact: <sip:bob@{PRIVATE}:5062>"

SDP = (
    f"v=0\r\no=- 1 1 IN IP4 {PRIVATE}\r\ns=-\r\nc=IN IP4 {PRIVATE}\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 0\r\na=sendrecv\r\nm=video 4002 RTP/AVP 31\r\n"
    f"c=IN IP4 {PRIVATE}\r\n"
)


def bench(folder: Path, route: str, *, more: str = "") -> Bench:
    return Bench(folder, route, more=more, modules=(*MODULES, "usrloc", "registrar", "nathelper"))


def behind_nat(bench: Bench, transport: str = "udp", host: str = NAT[0], port: int = NAT[1]) -> KeptFlow:
    return bench.phone(transport, host, port)


def call(*headers: str, method: str = "INVITE", sdp: str = "", via: str = "") -> bytes:
    """A request that goes on to 192.0.2.9."""
    lines = list(headers or [CONTACT])
    if sdp:
        lines.append("Content-Type: application/sdp")
    via = via or f"SIP/2.0/UDP {PRIVATE}:5062;branch=z9hG4bKtest"
    return request(method, "sip:carol@192.0.2.9", *lines, body=sdp.encode(), via=via)


def forwarded(
    folder: Path, route: str, data: bytes, *, more: str = "", transport: str = "udp", host: str = NAT[0]
) -> tuple[Sent, list[str]]:
    """What goes on after a route, and what it printed."""
    with bench(folder, f"{route} t_relay();", more=more) as given:
        given.receive(data, behind_nat(given, transport, host))
        method = data.split(b" ")[0].decode()
        sent = next(sent for sent in given.sent if sent.start.startswith(method))
        return sent, list(given.printed())


def body_of(sent: Sent) -> str:
    return sent.data.partition(b"\r\n\r\n")[2].decode()
