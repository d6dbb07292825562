"""A stream gives the same messages however it is cut, keeps no more than its limits, and each message is whole.

The first octets of an input say where the rest is cut.
"""

from __future__ import annotations

from openpy.sip.stream import Framer

LIMIT, HEAD_LIMIT = 600, 400
CUTS = 4


def check(data: bytes) -> None:
    """Frame a stream whole, in pieces, and octet by octet."""
    cuts, stream = data[:CUTS], data[CUTS:]
    whole = _told([stream])
    places = sorted(len(stream) * cut // 255 for cut in cuts)
    pieces = [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True)]
    assert _told(pieces) == whole
    if len(stream) < 2 * LIMIT:
        assert _told([stream[at : at + 1] for at in range(len(stream))]) == whole
    for message in whole[0]:
        assert len(message) <= LIMIT
        assert _told([message])[0] == [message]


def _told(pieces: list[bytes]) -> tuple[list[bytes], int, str, bytes, bool]:
    framer = Framer(LIMIT, HEAD_LIMIT)
    messages: list[bytes] = []
    for piece in pieces:
        if framer.error is None:
            messages += framer.feed(piece)
            assert framer.error is not None or framer.held <= LIMIT
    return messages, framer.pings, str(framer.error), framer.broken_head, framer.waiting
