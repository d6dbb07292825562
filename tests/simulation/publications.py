"""What was promised to publishers.

Rules:
1. An entity-tag names what was acknowledged with it until it is replaced, removed or expired, and then nothing.
2. A state is shown to watchers when it is acknowledged, not before, and never again after it was removed.
"""

from __future__ import annotations

from dataclasses import replace

from openpy.sip.message import Response
from tests.simulation.kept import SLACK, Asked, Judge, Kept
from tests.simulation.phones import tokens


class Publications:
    """All publications, by entity-tag."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._breach = judge.world.breach
        self._kept: dict[str, Kept] = {}
        self._possible: set[str] = set()
        """Notes that may be shown though nobody was told that they are kept, or twice where they were removed once."""
        self._acknowledged: set[str] = set()
        self._removed: set[str] = set()

    def answered(self, asked: Asked, response: Response) -> None:
        """A PUBLISH has its answer, below 500."""
        if response.status == 200:
            granted = replace(asked, lifetime=int(response.get("Expires") or 0))
            self._accepted(granted, response.get("SIP-ETag") or "")
        elif response.status == 412 and not self._judge.has_rivals(asked):
            kept = self._kept.pop(asked.subject, None)
            if kept is not None:
                if self._judge.lives(kept):
                    self._breach(f"{asked.uri}: the acknowledged publication {asked.subject} is lost")
                self._possible |= kept.tokens | kept.maybe

    def _accepted(self, asked: Asked, etag: str) -> None:
        kept = self._kept.pop(asked.subject, None) if asked.subject else None
        kept = kept or self._kept.get(etag)  # a life before this one has given the same answer
        if asked.subject and kept is None:
            self._breach(f"{asked.uri}: the entity-tag {asked.subject}, which names nothing, was accepted")
        elif asked.lifetime:
            shown = asked.tokens or (kept.tokens if kept else frozenset())
            if kept is None:
                self._possible |= (
                    shown & self._acknowledged
                )  # its first 200 went with a life: it is kept twice
            self._acknowledged |= shown
            self._kept[etag] = Kept(asked.uri, asked.server_now + asked.lifetime, shown)
            self._expect_row(asked, etag, shown)
        else:
            if kept is not None:
                self._removed |= kept.tokens - self._possible
            if self._rows(asked.subject):
                self._breach(f"{asked.uri}: {asked.subject} was removed, and its row is there")

    def _expect_row(self, asked: Asked, etag: str, shown: frozenset[str]) -> None:
        if self._judge.has_rivals(asked):
            return
        rows, expires = self._rows(etag), asked.server_now + asked.lifetime
        if len(rows) != 1:
            self._breach(f"{asked.uri}: {etag} was acknowledged, and has {len(rows)} rows")
        elif tokens(rows[0][1]) != shown or rows[0][0] < expires - SLACK:
            self._breach(f"{asked.uri}: {etag} was acknowledged as {sorted(shown)}, and its row is {rows[0]}")

    def _rows(self, etag: str) -> list[tuple[int, bytes]]:
        found = self._judge.database.ask("SELECT expires, body FROM presentity WHERE etag = ?", etag)
        return [(expires, bytes(body)) for expires, body in found]

    def shown(self, notes: frozenset[str], tag: str) -> None:
        """Watchers are shown these notes, in the dialog of this tag of the server's."""
        for note in sorted(notes - self._possible):
            if note not in self._acknowledged:
                self._breach(f"{tag}: {note} is told before it is acknowledged")
            if note in self._removed:
                self._breach(f"{tag}: {note} is told after it was removed")

    def unsettled(self, asked: Asked) -> None:
        """Nobody knows what became of a request."""
        kept = self._kept.get(asked.subject)
        if kept is not None:
            kept.doubtful = True
            kept.maybe |= asked.tokens
            self._possible |= kept.tokens  # under a tag that nobody was told
        self._possible |= asked.tokens

    def let_expire(self) -> None:
        """What has expired may be gone from now on."""
        self._judge.let_expire(self._kept.values())

    def check_rows(self) -> None:
        """Each row is somebody's, and everybody has one."""
        found: set[str] = set()
        for etag, body, expires in self._judge.database.ask("SELECT etag, body, expires FROM presentity"):
            found.add(etag)
            notes = tokens(bytes(body))
            if etag not in self._kept and not notes <= self._possible and expires > self._judge.now() + SLACK:
                self._breach(f"a row of {sorted(notes)}, {etag}, belongs to nobody")
        for etag, kept in self._kept.items():
            if etag not in found and self._judge.lives(kept):
                self._breach(f"{kept.uri}: the acknowledged publication {etag} has no row")
