"""A SIP message as people keep it in a file: lines may end with LF, Content-Length may be wrong."""

from __future__ import annotations

import re

_LENGTH = re.compile(rb"(?im)^(content-length|l)[ \t]*:[ \t]*(\d*)[ \t]*(?=\r?$)")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")


def mended(data: bytes) -> tuple[bytes, list[str]]:
    """The message in a file as it would come by the wire, and what had to be mended.

    Each line of the head gets CRLF, and an empty line ends it; the body stays as it is. It ends where Content-Length
    says; a Content-Length that is beyond its end, is no number, or is missing where there is a body, is mended.
    """
    remarks: list[str] = []
    data = data.lstrip(b"\r\n")
    end = _END_OF_HEAD.search(data)
    head, body = (data[: end.start()], data[end.end() :]) if end else (data.rstrip(b"\r\n"), b"")
    if end is None:
        remarks.append("an empty line was added behind the headers")
    lines = head.split(b"\n")
    if any(not line.endswith(b"\r") for line in lines[:-1]):
        remarks.append("lines of the head were given CRLF")
    head = b"\r\n".join(line.removesuffix(b"\r") for line in lines)
    said = _LENGTH.search(head)
    if said is None and body:
        head += b"\r\nContent-Length: %d" % len(body)
        remarks.append(f"Content-Length: {len(body)} was added")
    elif said is not None:
        length = int(said[2]) if said[2] else -1
        if 0 <= length <= len(body):
            body = body[:length]
        else:
            head = head[: said.start()] + b"%b: %d" % (said[1], len(body)) + head[said.end() :]
            remarks.append(f"Content-Length was {said[2].decode() or 'no number'}: mended to {len(body)}")
    return head + b"\r\n\r\n" + body, remarks
