"""Contacts in 1.3's words."""

from __future__ import annotations

import pytest

from openpy.engine.mi import Node, Reply
from openpy.engine.mitext import reply_text
from openpy.modules.usrloc.listing import add_contact, line_of, quality
from tests.modules.usrloc.kit import NOW, contact


@pytest.mark.parametrize(
    ("q", "text"), [(-1, ""), (0, "0"), (1000, "1"), (500, "0.5"), (70, "0.07"), (705, "0.705")]
)
def test_quality(q: int, text: str) -> None:
    assert quality(q) == text


def test_a_line_with_everything() -> None:
    full = contact(
        expires=NOW + 60,
        q=500,
        flags=1,
        branch_flags=0x40,
        socket="udp:192.0.2.1:5060",
        methods=0x1FFF,
        received="sip:192.0.2.9:1024",
        user_agent="phone 1.0",
        path="<sip:p;lr>",
    )
    assert line_of(full, NOW) == (
        "<sip:bob@192.0.2.7>;q=0.5;expires=60;flags=0x1;cflags=0x40;socket=<udp:192.0.2.1:5060>;methods=0x1FFF"
        ";received=<sip:192.0.2.9:1024>;user_agent=<phone 1.0>;path=<<sip:p;lr>>"
    )


def test_a_line_with_nothing() -> None:
    """Unknown sockets and permanent contacts look as they did in 1.3."""
    assert line_of(contact(expires=0), NOW) == (
        f"<sip:bob@192.0.2.7>;q=;expires={-NOW};flags=0x0;cflags=0x0;socket=<NUL>;methods=0xFFFFFFFF"
    )


def test_a_dump_with_everything() -> None:
    top = Node("AOR", "bob")
    full = contact(
        expires=NOW + 60,
        q=500,
        branch_flags=64,
        socket="udp:h:5060",
        received="sip:r",
        user_agent="x",
        path="<p>",
    )
    add_contact(top, full, NOW, "CS_SYNC")
    text = reply_text(Reply(nodes=top.children))
    assert text == (
        "200 OK\nContact:: sip:bob@192.0.2.7 Q=0.5\n\tExpires:: 60\n\tCallid:: phone\n\tCseq:: 1\n"
        "\tUser-agent:: x\n\tReceived:: sip:r\n\tPath:: <p>\n\tState:: CS_SYNC\n\tFlags:: 0\n\tCflag:: 64\n"
        "\tSocket:: udp:h:5060\n\tMethods:: 4294967295\n"
    )


@pytest.mark.parametrize(("expires", "text"), [(0, "permanent"), (NOW, "expired"), (NOW + 1, "1")])
def test_how_long_it_lives(expires: int, text: str) -> None:
    top = Node()
    add_contact(top, contact(expires=expires), NOW, "CS_NEW")
    assert top.children[0].children[0] == Node("Expires", text)
    assert [node.name for node in top.children[0].children] == [
        *("Expires", "Callid", "Cseq", "State", "Flags", "Cflag", "Methods")
    ]
