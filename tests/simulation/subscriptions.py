"""What was promised to watchers.

Rules:
1. A subscription that was acknowledged lives until it is ended, has expired, or its watcher counts as gone.
2. One that has ended does not come back.
"""

from __future__ import annotations

from openpy.sip.message import Response
from tests.simulation.kept import SLACK, Asked, Judge, Kept
from tests.simulation.telling import Telling


class Subscriptions:
    """All subscriptions, by the server's tag."""

    def __init__(self, judge: Judge, telling: Telling) -> None:
        self._judge = judge
        self._telling = telling
        self._breach = judge.world.breach
        self._kept: dict[str, Kept] = {}
        self._ended: set[str] = set()
        self._possible: set[str] = set()
        """Call-IDs of subscriptions that may be kept though nobody was told so."""

    def presentity(self, tag: str) -> str:
        """Whom a subscription watches; "" where it is not known."""
        return self._kept[tag].uri if tag in self._kept else ""

    def answered(self, asked: Asked, response: Response) -> None:
        """A SUBSCRIBE has its answer, below 500."""
        if response.status == 200:
            self._accepted(asked, response.to.tag, int(response.get("Expires") or 0))
        elif response.status == 481 and not self._judge.has_rivals(asked):
            self.doubt_the_silent()
            kept = self._kept.pop(asked.subject, None)
            if kept is not None:
                if self._judge.lives(kept):
                    self._breach(f"the acknowledged subscription {asked.subject} is lost")
                self._possible.add(asked.call_id)

    def _accepted(self, asked: Asked, tag: str, lifetime: int) -> None:
        # A 2xx may have gone with a life; then a NOTIFY of the next one has brought the tag.
        was = self._kept.pop(tag, None) is not None or (self._telling.knows(tag) and tag not in self._ended)
        if asked.subject and not was:
            self._breach(f"the dialog {tag}, which has ended or never was, was accepted")
        rows = self._judge.database.ask(
            "SELECT expires, remote_cseq FROM active_watchers WHERE to_tag = ?", tag
        )
        if not lifetime:
            self._ended.add(tag)
            if rows:
                self._breach(f"{tag} was ended, and its row is there")
            return
        expires = asked.server_now + lifetime
        self._kept[tag] = Kept(asked.uri, expires)
        if self._judge.has_rivals(asked):
            return
        if len(rows) != 1:
            self._breach(f"{tag} was acknowledged, and has {len(rows)} rows")
        elif rows[0][0] < expires - SLACK or rows[0][1] < asked.cseq:
            self._breach(f"{tag} was acknowledged with cseq {asked.cseq}, and its row is {rows[0]}")

    def ended(self, tag: str) -> None:
        """A NOTIFY says so."""
        self._ended.add(tag)
        self._kept.pop(tag, None)

    def doubt(self, tag: str) -> None:
        """The watcher may count as gone."""
        if tag in self._kept:
            self._kept[tag].doubtful = True

    def doubt_the_silent(self) -> None:
        """So may those who have not answered for so long."""
        for tag in self._telling.silent():
            self.doubt(tag)

    def unsettled(self, asked: Asked) -> None:
        """Nobody knows what became of a request."""
        self.doubt(asked.subject)
        self._possible.add(asked.call_id)

    def let_expire(self) -> None:
        """What has expired may be gone from now on."""
        self._judge.let_expire(self._kept.values())

    def check_rows(self, dead: set[int]) -> None:
        """Each row is somebody's, but for the dead, and everybody has one."""
        found: set[str] = set()
        now = self._judge.now()
        for id_, tag, call_id, expires in self._judge.database.ask(
            "SELECT id, to_tag, callid, expires FROM active_watchers"
        ):
            found.add(tag)
            if not (tag in self._kept or call_id in self._possible or id_ in dead or expires <= now + SLACK):
                self._breach(f"the row of {tag} belongs to nobody")
        for tag, kept in self._kept.items():
            if tag not in found and self._judge.lives(kept):
                self._breach(f"the acknowledged subscription {tag} has no row")
