"""Whether who registers takes messages (RFC 3261 section 10, RFC 3840; openser 1.3 `m_dump`). Pure."""

from __future__ import annotations

from openpy.sip.errors import RemoteError
from openpy.sip.headers import NameAddr, Star, unquote
from openpy.sip.message import Request


def takes_messages(request: Request) -> bool:
    """Whether a REGISTER brings a contact to which a MESSAGE can be sent.

    What it takes is said by its parameter `methods`, else by Allow; where nothing is said it takes all.
    """
    try:
        contacts, allowed = request.contacts, request.values("Allow")
        lifetime = request.get("Expires") or ""
        if isinstance(contacts, Star):
            return False
        return any(_takes(contact, lifetime, allowed) for contact in contacts)
    except RemoteError:
        return False


def _takes(contact: NameAddr, lifetime: str, allowed: list[str]) -> bool:
    lifetime = contact.param("expires") or lifetime
    if lifetime.isdigit() and not int(
        lifetime[:12]
    ):  # what cannot be read means the default (RFC 3261 10.2.1.1)
        return False
    methods = contact.param("methods")
    names = unquote(methods).split(",") if methods else allowed
    return not names or "MESSAGE" in (name.strip().upper() for name in names)
