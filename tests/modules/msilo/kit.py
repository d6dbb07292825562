"""Who is away, who writes to her, and what reaches her when she comes back: in virtual time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openpy.testing.exchange import Exchange, Sent
from openpy.testing.messages import request
from openpy.testing.script import Script
from tests.modules.accounts import script_of, setting

BOB = "sip:bob@example.com"
REGISTRAR = "sip:registrar@example.com"
STORE = """if (is_method("MESSAGE")) { t_newtran(); $var(c) = m_store(); xlog("$var(c)");
    if ($var(c) == 1) t_reply("202", "Accepted"); else t_reply("503", "Not kept"); exit; }"""
ROUTE = (
    STORE
    + """
if (is_method("REGISTER")) { save("location"); $var(c) = m_dump(); xlog("$var(c)"); exit; }"""
)
PROXY = "sip:192.0.2.9"
"""Where the messages of the server go: a test answers them."""


def silo(route: str = ROUTE, *, folder: Path | None = None, **settings: Any) -> Script:
    """A script with msilo; `settings` are its parameters."""
    given = {"outbound_proxy": PROXY, **settings}
    text = "".join(setting("msilo", name, value) for name, value in given.items())
    modules = ("usrloc", "registrar", "msilo") if "save(" in route else ("msilo",)
    return Script(script_of(route, *modules, settings=text), folder=folder)


def write(
    script: Script, body: bytes | str = "hello", to: str = BOB, kind: str = "text/plain", **fields: Any
) -> Exchange:
    """Alice writes to bob."""
    return script.send("MESSAGE", to, {"Content-Type": kind, **fields}, body)


def come_back(script: Script, uri: str = BOB, **fields: Any) -> Exchange:
    """Bob registers."""
    return script.send("REGISTER", "sip:example.com", From=f"<{uri}>;tag=1", To=f"<{uri}>", **fields)


def arriving(script: Script) -> list[Sent]:
    """The messages that were sent to bob."""
    return [sent for sent in script.requests("MESSAGE") if sent.uri != "sip:alice@example.com"]


def bodies(script: Script) -> list[bytes]:
    return [sent.body for sent in arriving(script)]


def request_of(number: int) -> bytes:
    """The bytes of a message."""
    return request("MESSAGE", BOB, {"Content-Type": "text/plain"}, b"hello", number=number)
