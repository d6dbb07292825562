"""One event of one presentity as committed, and what its watchers are shown.

Rules:
1. What has expired counts for nothing, whether or not its deadline was seen yet.
2. The body is made once for all watchers, and again only when the publications have changed.
3. Once nothing is published any more, the last publications are shown closed (`LastState`).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING, Any

from openpy.modules.presence.publications import Publication, Standing

if TYPE_CHECKING:
    from openpy.modules.presence.authorization import Access
    from openpy.modules.presence.dialog import Subscription
    from openpy.modules.presence.events import EventPackage
    from openpy.modules.presence.presentity import Presentity
    from openpy.modules.presence.views import Shown

NO_BODY = b"\r\nContent-Length: 0\r\n\r\n"
"""The end of a NOTIFY that shows nothing."""


LAST_STATE_LIFETIME = 86_400
"""Seconds that a last state is kept at least; longer where somebody watches."""


LARGEST_LAST_STATE = 65_535
"""Octets of a last state: a BLOB of MySQL takes no more, and what it refuses would never end."""


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
        "_body",
        "_tail",
        "_tail_until",
        "access",
        "last",
        "newest",
        "package",
        "presentity",
        "publications",
        "shown",
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
        self._body = b""
        self._tail = b""
        self._tail_until = 0.0
        self.access: Access | None = None
        self.shown: Shown | None = None
        """Decides what the single watcher is shown; None: all are shown the same."""

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
            self._body = self._composed(living) or b""
            self._tail = self.tail_of(self._body)
        return self._tail

    def body(self, now: float) -> bytes:
        """The body in it; empty for none."""
        self.tail(now)
        return self._body

    def tail_of(self, body: bytes) -> bytes:
        """The end of a NOTIFY with another body."""
        if not body:
            return NO_BODY
        return b"%b%d\r\n\r\n%b" % (self.package.body_head, len(body), body)

    def _composed(self, living: list[Publication]) -> bytes | None:
        package = self.package
        uri = self.presentity.uri
        hard = None if package.hard_state is None else package.hard_state(uri)
        if hard is not None:
            return self._with(hard, living)
        if living:
            if package.agg_nbody is None:
                return living[-1].body
            return package.agg_nbody(uri, [item.document for item in living])
        if self.publications and package.offline_nbody is not None:
            return package.offline_nbody(uri, [item.document for item in self.publications.values()])
        if self.last is not None:
            return self.last.body
        return None if package.empty_nbody is None else package.empty_nbody(uri)

    def _with(self, hard: Any, living: list[Publication]) -> bytes:
        """The body where there is a hard state: older than what is published, newer than what was."""
        package = self.package
        documents = [hard, *[item.document for item in living]]
        if not living and self.last is not None and package.read_body is not None:
            documents.insert(0, package.read_body(self.last.body))
        assert package.agg_nbody is not None
        return package.agg_nbody(self.presentity.uri, documents)

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
