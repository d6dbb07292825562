"""Publications and the rules of RFC 3903 for them. Pure: no clock, no database, no sockets.

Rules:
1. A `Publication` is what is committed. A `Revision` is what it will be once an outstanding write is committed;
   new requests are decided against the revision (the tentative state), NOTIFYs show the publication.
2. An entity-tag means one publication of one event of one presentity, until it is replaced or its time is over.
3. A refresh changes neither the body nor the place among the presentity's publications: nobody sees it.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from openpy.sip.errors import RemoteError

if TYPE_CHECKING:
    from openpy.modules.presence.eventstate import EventState


class Publication:
    """One committed publication.

    `expires` and `received` are Unix times; `received` orders the publications of an event. `state` is None once it
    has ended; `bucket` belongs to the deadlines.
    """

    __slots__ = ("body", "bucket", "document", "etag", "expires", "id", "received", "state")

    def __init__(
        self,
        state: EventState,
        id_: int,
        etag: str,
        expires: float,
        received: int,
        body: bytes,
        document: Any,
    ) -> None:
        self.state: EventState | None = state
        self.id = id_
        self.etag = etag
        self.expires = expires
        self.received = received
        self.body = body
        self.document = document
        self.bucket = 0

    @property
    def publication(self) -> Publication:
        """Itself, as a `Revision` has the one that it is of."""
        return self


class Revision:
    """What a publication is about to become."""

    __slots__ = ("body", "document", "etag", "expires", "publication", "received")

    def __init__(
        self, publication: Publication, etag: str, expires: float, received: int, body: bytes, document: Any
    ) -> None:
        self.publication = publication
        self.etag = etag
        self.expires = expires
        self.received = received
        self.body = body
        self.document = document

    @property
    def state(self) -> EventState | None:
        """The event that it belongs to."""
        return self.publication.state


Standing = Publication | Revision
"""A publication as the next request finds it."""


def state_of(standing: Standing) -> EventState:
    """The event of a publication that has not ended."""
    state = standing.state
    assert state is not None
    return state


class Action(Enum):
    """What a PUBLISH does (RFC 3903 section 4.1)."""

    NOTHING = auto()
    """An initial publication with no lifetime: accepted, and over at once."""
    CREATE = auto()
    REFRESH = auto()
    MODIFY = auto()
    REMOVE = auto()


def decide(
    current: Standing | None, expires: int, has_body: bool, *, conditional: bool, now: float
) -> Action:
    """What to do about a PUBLISH (RFC 3903 section 6, steps 3 to 6).

    `current` is what the entity-tag names, `expires` the granted lifetime. Raises RemoteError: 412 for a tag that
    names nothing, 400 for a request that brings neither tag nor body.
    """
    if not conditional:
        if not has_body:
            raise RemoteError(400, "Invalid request: no body")
        return Action.CREATE if expires else Action.NOTHING
    if current is None or current.expires <= now:
        raise RemoteError(412, "Conditional request failed")
    if not expires:
        return Action.REMOVE
    return Action.MODIFY if has_body else Action.REFRESH


def next_place(newest: int, own: int | None, now: float) -> int:
    """The `received` of a new or changed publication, which makes it the newest.

    It is now, or later where another one is as new. `newest` is the latest that was given, `own` the one that the
    publication has.
    """
    return max(int(now), newest if own == newest else newest + 1)
