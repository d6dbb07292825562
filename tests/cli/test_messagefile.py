from __future__ import annotations

import pytest

from openpy.cli.messagefile import mended
from openpy.sip.message import parse_message

CRLF = "lines of the head were given CRLF"

FILES = [
    # file, as it would come, remarks
    (b"A sip:x SIP/2.0\r\nTo: y\r\n\r\n", b"A sip:x SIP/2.0\r\nTo: y\r\n\r\n", []),
    (b"A sip:x SIP/2.0\nTo: y\n\n", b"A sip:x SIP/2.0\r\nTo: y\r\n\r\n", [CRLF]),
    (b"\n\nA sip:x SIP/2.0\r\nTo: y\r\n\r\n", b"A sip:x SIP/2.0\r\nTo: y\r\n\r\n", []),
    (
        b"A sip:x SIP/2.0\r\nTo: y\r\n",
        b"A sip:x SIP/2.0\r\nTo: y\r\n\r\n",
        ["an empty line was added behind the headers"],
    ),
    (
        b"A sip:x SIP/2.0\r\nTo: y\r\n\r\none\ntwo\n",
        b"A sip:x SIP/2.0\r\nTo: y\r\nContent-Length: 8\r\n\r\none\ntwo\n",
        ["Content-Length: 8 was added"],
    ),
    (
        b"A sip:x SIP/2.0\r\nContent-Length: 3\r\n\r\none\n",
        b"A sip:x SIP/2.0\r\nContent-Length: 3\r\n\r\none",
        [],
    ),
    (
        b"A sip:x SIP/2.0\r\nl: 99\r\nTo: y\r\n\r\none",
        b"A sip:x SIP/2.0\r\nl: 3\r\nTo: y\r\n\r\none",
        ["Content-Length was 99: mended to 3"],
    ),
    (
        b"A sip:x SIP/2.0\nContent-Length:\n\none",
        b"A sip:x SIP/2.0\r\nContent-Length: 3\r\n\r\none",
        [CRLF, "Content-Length was no number: mended to 3"],
    ),
]


@pytest.mark.parametrize(("file", "message", "remarks"), FILES)
def test_a_message_in_a_file_becomes_one_of_the_wire(file: bytes, message: bytes, remarks: list[str]) -> None:
    assert mended(file) == (message, remarks)
    assert mended(message) == (message, [])
    parse_message(message)
