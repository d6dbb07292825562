"""PUBLISHs that the server carried out in a life before this one, whose 200 never came (RFC 3903 section 6).

Rules:
1. An entity-tag ends with the mark of the request that it answers, so the row of a publication tells what made it so.
2. A client sends a request again for 64*T1 (RFC 3261 section 17.1.2). For so long a life answers a request that names
   no publication, but made one what it is, as it should have been answered; it does nothing again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from openpy.modules.presence.eventstate import EventState
    from openpy.modules.presence.publications import Publication
    from openpy.sip.message import Request

LIFETIME = 32.0
"""Seconds, counted from the begin of a life: 64*T1, with the T1 that clients have."""


def mark_of(request: Request) -> str:
    """What a request has in common with its retransmissions, which are the same bytes, and hardly with another one."""
    return str(crc32(request.raw))


def made_by(request: Request, state: EventState | None, now: float) -> Publication | None:
    """The publication of an event that a request made what it is; None if there is none, or no second is left of it."""
    if state is None:
        return None
    ending = f".{mark_of(request)}"
    for etag, publication in state.publications.items():
        if etag.endswith(ending) and publication.expires >= now + 1:
            return publication
    return None
