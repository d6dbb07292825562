"""How watchers are told: the order of the NOTIFYs in each dialog, over all lives of the server.

Rules:
1. A NOTIFY that is no retransmission has a higher CSeq than all before it, and none that the database knows nothing of.
2. It leaves when the one before has its answer, or has waited for one as long as a transaction lives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from openpy.sip.message import Request, Response
from tests.simulation.kept import SLACK, Judge

TIMER_F = 32.0
"""Seconds that a transaction lives."""


@dataclass
class Last:
    """The last NOTIFY of a dialog."""

    cseq: int
    branch: str
    sent: float
    life: int
    answered: bool = False


class Telling:
    """The NOTIFYs of all dialogs, which are known by the server's tags."""

    def __init__(self, judge: Judge) -> None:
        self.count = 0
        self._judge = judge
        self._last: dict[str, Last] = {}
        self._branches: dict[str, tuple[str, int]] = {}

    def sent(self, notify: Request) -> bool:
        """A NOTIFY leaves; whether it is a new one."""
        branch, tag, cseq = notify.via.branch, notify.from_.tag, notify.cseq.number
        known = self._branches.get(branch)
        if known is not None:
            if known != (tag, cseq):
                self._judge.world.breach(f"a retransmission of NOTIFY {known} is one of {(tag, cseq)}")
            return False
        self.count += 1
        self._branches[branch] = tag, cseq
        self._check(tag, cseq)
        self._last[tag] = Last(cseq, branch, self._judge.world.now, self._judge.process.life)
        return True

    def _check(self, tag: str, cseq: int) -> None:
        breach, last = self._judge.world.breach, self._last.get(tag)
        if last is not None:
            if cseq <= last.cseq:
                breach(f"{tag}: NOTIFY {cseq} after {last.cseq}")
            if not last.answered and last.life == self._judge.process.life and not self._is_over(last):
                breach(f"{tag}: NOTIFY {cseq} beside one that is not answered")
        for (bound,) in self._judge.database.ask(
            "SELECT local_cseq FROM active_watchers WHERE to_tag = ?", tag
        ):
            if cseq > bound:
                breach(f"{tag}: NOTIFY {cseq} is beyond {bound}, which the database knows of")

    def answered(self, response: Response) -> str:
        """A final answer comes; returns the dialog's tag, "" where it is none of a dialog's last."""
        tag, _ = self._branches.get(response.via.branch, ("", 0))
        last = self._last.get(tag)
        if last is None or last.branch != response.via.branch:
            return ""
        last.answered = True
        return tag

    def knows(self, tag: str) -> bool:
        """Whether anything was told in a dialog."""
        return tag in self._last

    def silent(self) -> Iterator[str]:
        """The dialogs whose watchers may count as gone, for they do not answer."""
        return (tag for tag, last in self._last.items() if not last.answered and self._is_over(last))

    def _is_over(self, last: Last) -> bool:
        return self._judge.world.now - last.sent > TIMER_F - SLACK
