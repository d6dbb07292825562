"""What the messages of RFC 4475 are built with."""

from __future__ import annotations


def text(lines: str) -> bytes:
    """Lines as octets, each ending in CRLF."""
    return lines.replace("\n", "\r\n").encode()


def message(head: str, body: bytes = b"") -> bytes:
    return text(head) + b"\r\n" + body


def sdp(origin: str, *, connection: str = "", time: str = "0 0") -> bytes:
    return text(
        f"v=0\no=mhandley 29739 7272939 IN IP4 {origin}\ns=-\nc=IN IP4 {connection or origin}\nt={time}\n"
        "m=audio 49217 RTP/AVP 0 12\nm=video 3227 RTP/AVP 31\na=rtpmap:31 LPC\n"
    )
