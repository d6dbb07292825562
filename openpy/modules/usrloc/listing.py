"""Contacts as management commands show them, in 1.3's words."""

from __future__ import annotations

from openpy.engine.mi import Node
from openpy.modules.usrloc.contacts import PERMANENT, UNSET_Q, Contact

UNKNOWN_SOCKET = "NUL"
"""1.3 printed three letters of `NULL`, and programs may look for them."""


def quality(q: int) -> str:
    """A q value with the decimals that it needs; "" where it is unset."""
    if q == UNSET_Q:
        return ""
    return f"{q / 1000:.3f}".rstrip("0").rstrip(".")


def line_of(contact: Contact, now: int) -> str:
    """A contact as `ul_show_contact` shows it."""
    text = (
        f"<{contact.uri}>;q={quality(contact.q)};expires={contact.expires - now};flags=0x{contact.flags:X}"
        f";cflags=0x{contact.branch_flags:X};socket=<{contact.socket or UNKNOWN_SOCKET}>"
        f";methods=0x{contact.methods:X}"
    )
    for name, value in (
        ("received", contact.received),
        ("user_agent", contact.user_agent),
        ("path", contact.path),
    ):
        if value:
            text += f";{name}=<{value}>"
    return text


def add_contact(parent: Node, contact: Contact, now: int, state: str) -> None:
    """A contact as `ul_dump` shows it."""
    node = parent.add("Contact", contact.uri, Q=quality(contact.q))
    node.add("Expires", _expires(contact, now))
    node.add("Callid", contact.call_id)
    node.add("Cseq", str(contact.cseq))
    for name, value in (
        ("User-agent", contact.user_agent),
        ("Received", contact.received),
        ("Path", contact.path),
    ):
        if value:
            node.add(name, value)
    node.add("State", state)
    node.add("Flags", str(contact.flags))
    node.add("Cflag", str(contact.branch_flags))  # sic
    if contact.socket:
        node.add("Socket", contact.socket)
    node.add("Methods", str(contact.methods))


def _expires(contact: Contact, now: int) -> str:
    if contact.expires == PERMANENT:
        return "permanent"
    return str(contact.expires - now) if contact.expires > now else "expired"
