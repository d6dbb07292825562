from __future__ import annotations

from openpy.net.layer import ANYBODY, Bounds, Callee, PlainLayer, PlainStack

MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nhi"


def test_messages_are_cut_out_and_keep_alives_answered() -> None:
    layer = PlainLayer(Bounds())
    assert layer.is_up
    assert layer.feed(b"\r\n\r\n" + MESSAGE + MESSAGE[:9]) == [MESSAGE]
    assert (layer.held, layer.pings, layer.answers(), layer.answers()) == (9, 1, b"\r\n", b"")
    assert layer.feed(MESSAGE[9:] + b"\r\n\r\n\r\n\r\n") == [MESSAGE]
    assert (layer.held, layer.pings, layer.answers()) == (0, 3, b"\r\n\r\n")
    assert layer.wrap(MESSAGE) == MESSAGE
    assert (layer.farewell(), layer.over, layer.error) == (b"", "", None)


def test_lost_framing_is_told_with_what_to_answer() -> None:
    layer = PlainLayer(Bounds(message=100))
    layer.feed(b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 2000\r\n\r\n")
    assert layer.error is not None
    assert layer.error.status == 513
    assert layer.broken_head.startswith(b"OPTIONS")


def test_both_ends_of_tcp_are_plain_and_nobody_proves_anything() -> None:
    stack = PlainStack(Bounds())
    ours = stack.opened(("192.0.2.1", 5060), ANYBODY)
    theirs = stack.accepted(("192.0.2.1", 5060), ("192.0.2.2", 40000))
    assert ours is not None
    assert ours.proves(Callee("gw.example"))
    assert theirs.feed(ours.wrap(MESSAGE)) == [MESSAGE]
