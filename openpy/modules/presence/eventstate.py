"""One event of one presentity as committed, and what its watchers are shown.

Rules:
1. What has expired counts for nothing, whether or not its deadline was seen yet.
2. The body is made once for all watchers, and again only when the publications have changed.
3. Once nothing is published any more, the last publications are shown closed (`LastState`).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING

from openpy.modules.presence.publications import Publication, Standing

if TYPE_CHECKING:
    from openpy.modules.presence.dialog import Subscription
    from openpy.modules.presence.events import EventPackage
    from openpy.modules.presence.presentity import Presentity

NO_BODY = b"\r\nContent-Length: 0\r\n\r\n"
"""The end of a NOTIFY that shows nothing."""


LAST_STATE_LIFETIME = 86_400
"""Seconds that a last state is kept at least; longer where somebody watches."""


class LastState:
    """The body that is told once nothing is published any more, since `ended` (Unix time)."""

    __slots__ = ("body", "bucket", "ended", "expires", "id", "state")

    def __init__(self, state: EventState, id_: int, ended: float, body: bytes) -> None:
        self.state = state
        self.id = id_
        self.ended = ended
        self.expires = ended + LAST_STATE_LIFETIME
        self.body = body
        self.bucket = 0


class EventState:
    """One event of one presentity, as committed.

    `publications` are by entity-tag, `subscriptions` by id.
    """

    __slots__ = (
        "_tail",
        "_tail_until",
        "last",
        "newest",
        "package",
        "presentity",
        "publications",
        "subscriptions",
        "told",
    )

    def __init__(self, presentity: Presentity, package: EventPackage) -> None:
        self.presentity = presentity
        self.package = package
        self.publications: dict[str, Publication] = {}
        self.subscriptions: dict[int, Subscription] = {}
        self.last: LastState | None = None
        self.newest = 0  # the latest `received` that was given
        self.told = b""  # what all watchers were told, or are about to be
        self._tail = b""
        self._tail_until = 0.0

    def changed(self) -> None:
        """Forget the body that was made: the publications are no longer the same."""
        self._tail = b""

    def tail(self, now: float) -> bytes:
        """The end of every NOTIFY that shows this state: from behind Subscription-State to the last octet."""
        if not self._tail or self._tail_until <= now:
            living = [item for item in self.publications.values() if item.expires > now]
            if len(living) > 1:
                living.sort(key=_by_received)
            self._tail_until = min([item.expires for item in living], default=inf)
            self._tail = self._made(self._body(living))
        return self._tail

    def _body(self, living: list[Publication]) -> bytes | None:
        package = self.package
        uri = self.presentity.uri
        if living:
            if package.agg_nbody is None:
                return living[-1].body
            return package.agg_nbody(uri, [item.document for item in living])
        if self.publications and package.offline_nbody is not None:
            return package.offline_nbody(uri, [item.document for item in self.publications.values()])
        return None if self.last is None else self.last.body

    def _made(self, body: bytes | None) -> bytes:
        if not body:
            return NO_BODY
        return b"%b%d\r\n\r\n%b" % (self.package.body_head, len(body), body)

    def tentative(self) -> Iterator[Standing]:
        """The publications as the next request finds them."""
        over = self.presentity.tentative
        if not over:
            yield from self.publications.values()
            return
        for etag, publication in self.publications.items():
            if etag not in over:
                yield publication
        for revision in over.values():
            if revision is not None and revision.state is self:
                yield revision


def _by_received(publication: Publication) -> int:
    return publication.received
