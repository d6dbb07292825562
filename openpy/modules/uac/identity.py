"""Another From than the caller's, for as long as the dialog lasts (openser 1.3 module uac).

Rules:
1. Each side of the dialog sees one identity of the caller all the time: the caller its own, the callee the other. So
   requests are changed on the way down in From, on the way up in To, and replies get back what their request had.
2. What is needed for that travels in our Record-Route: both URIs, one XORed with the other, so that each gives the
   other. With a password it cannot be read along the way.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from itertools import cycle

from openpy.engine.run import Run
from openpy.sip.edits import Edits
from openpy.sip.errors import RemoteError
from openpy.sip.headers import NameAddr, quote
from openpy.sip.message import Message, Response
from openpy.sip.places import header_lines
from openpy.sip.uri import cached_uri


def pack(first: str, second: str, password: str) -> str:
    """What goes into Record-Route for two URIs."""
    one, other = first.encode("utf-8", "surrogateescape"), second.encode("utf-8", "surrogateescape")
    length = max(len(one), len(other))
    mixed = bytes(a ^ b for a, b in zip(one.ljust(length, b"\0"), other.ljust(length, b"\0"), strict=True))
    return urlsafe_b64encode(_locked(mixed, password)).decode("ascii").rstrip("=")


def unpack(text: str, uri: str, password: str) -> str | None:
    """The one URI that was packed with another; None if that cannot be."""
    try:
        mixed = _locked(urlsafe_b64decode(text + "=" * (-len(text) % 4)), password)
    except ValueError:
        return None
    known = uri.encode("utf-8", "surrogateescape")
    if len(known) > len(mixed):
        return None
    found = bytes(a ^ b for a, b in zip(mixed, known.ljust(len(mixed), b"\0"), strict=True)).rstrip(b"\0")
    try:
        other = found.decode("ascii")
        cached_uri(other)
    except (UnicodeDecodeError, RemoteError):
        return None
    return other if other.isprintable() and not set(' <>"') & set(other) else None


def _locked(data: bytes, password: str) -> bytes:
    key = password.encode("utf-8", "surrogateescape")
    return bytes(a ^ b for a, b in zip(data, cycle(key), strict=False)) if key else data


def rewritten(address: NameAddr, display: str | None, uri: str) -> str:
    """An address as another one: `display` None keeps the name, "" takes it away; `uri` "" keeps the URI."""
    name = address.display if display is None else quote(display) if display else ""
    params = "".join(
        f";{key}" if value is None else f";{key}={value}" for key, value in address.params.items()
    )
    return f"{name + ' ' if name else ''}<{uri or address.uri_text}>{params}"


def put(run: Run, name: str, value: str, *, gives_back: bool = True) -> bool:
    """Change From or To of a request, and give replies back what it had; False if it was changed before."""
    key = f"uac {name}"
    if key in run.state.notes:
        return False
    run.state.notes[key] = True
    _replace(run.message, run.edits, name, value)
    if gives_back:
        run.state.reply_changes = (*run.state.reply_changes, GiveBack(name, run.message.get(name) or ""))
    return True


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Puts into replies what the request had."""

    name: str
    value: str

    def __call__(self, response: Response, edits: Edits) -> None:
        """Change one reply."""
        value = self.value
        if self.name == "To" and response.to.tag and ";tag=" not in value:
            value = f"{value};tag={response.to.tag}"
        _replace(response, edits, self.name, value)


def _replace(message: Message, edits: Edits, name: str, value: str) -> None:
    for line in header_lines(message):
        if line.canonical == name:
            edits.replace(line.start, line.end, f"{name}: {value}\r\n".encode("utf-8", "surrogateescape"))
