"""What the server has promised, seen at its sockets, and whether it keeps it.

Rules:
1. A promise begins when a 2xx leaves the server, and the database must have it by then.
2. What was asked for and not answered when a life ends may have happened or not; so may what was refused while nobody
   knew its outcome. The next answer about it settles that.
3. Whatever is asked is answered within PATIENCE, while the server runs; later where the database is slow. Floods are
   not: what waits too long in them is dropped unread, and strangers do not ask again.
4. Whenever nothing is being written, each row is one that somebody was promised, or may have been by rule 2.
"""

from __future__ import annotations

from openpy.sip.message import Request, Response
from openpy.testing.network import Address, Network
from openpy.testing.world import World
from tests.simulation.database import SimulatedDatabase
from tests.simulation.kept import Asked, Judge
from tests.simulation.phones import can_be_read, tokens
from tests.simulation.process import Process
from tests.simulation.publications import Publications
from tests.simulation.stranger import ELSEWHERE, HOME
from tests.simulation.subscriptions import Subscriptions
from tests.simulation.telling import Telling

PATIENCE = 6.0
"""Seconds until silence is a breach."""

MOST_CALLS = 60
"""How many calls of the database an answer may wait for: those of two batches with a row that is refused."""

Key = tuple[str, str]


class Promises:
    """All promises of the lives of one server."""

    def __init__(self, world: World, network: Network, database: SimulatedDatabase, process: Process) -> None:
        judge = Judge(world, database, process)
        self.telling = Telling(judge)
        self._publications = Publications(judge)
        self._subscriptions = Subscriptions(judge, self.telling)
        self._judge = judge
        self._world = world
        self._process = process
        self._database = database
        self._refused: list[Asked] = []
        self._answered: set[Key] = set()
        self._slowest = 0.0
        network.watch = self._seen
        process.on_end = self._life_ended

    # --- at the sockets -----------------------------------------------------------------------------------------

    def _seen(self, direction: str, data: bytes, source: Address, target: Address) -> None:
        message = None if ELSEWHERE in (source, target) else can_be_read(data)
        if isinstance(message, Request):
            if direction == "read":
                self._read(message, source)
            else:
                self._tells(message, target)
        elif isinstance(message, Response):
            if direction == "read":
                self._told(message, source)
            else:
                self._answers(message, target)

    def _read(self, request: Request, source: Address) -> None:
        key = request.via.branch, request.method
        again = key in self._answered or key in self._judge.open
        asked = self._asked(request)
        shown = " ".join(sorted(asked.tokens))
        self._say(
            source,
            f"-> {request.method} {request.uri} cseq {asked.cseq} expires {asked.lifetime} {asked.subject} {shown}"
            f"{' (again)' if again else ''}",
        )
        if not again and request.method in ("PUBLISH", "SUBSCRIBE") and source != HOME:
            self._judge.open[key] = asked

    def _asked(self, request: Request) -> Asked:
        subject = (request.get("SIP-If-Match") or "") if request.method == "PUBLISH" else request.to.tag
        return Asked(
            request.method,
            subject,
            self._subscriptions.presentity(subject) or request.uri,
            request.call_id,
            tokens(request.body),
            int(request.get("Expires") or 3600),
            request.cseq.number,
            self._world.now,
            self._judge.now(),
        )

    def _answers(self, response: Response, target: Address) -> None:
        key = response.via.branch, response.cseq.method
        asked = self._judge.open.pop(key, None)
        given = response.get("SIP-ETag") or (response.to.tag if response.status < 300 else "")
        self._say(target, f"<- {response.status} {response.cseq.method} cseq {response.cseq.number} {given}")
        if asked is None or response.status < 200:
            return
        self._answered.add(key)
        if response.status >= 500:
            self._refused.append(asked)
        elif asked.method == "PUBLISH":
            self._publications.answered(asked, response)
        else:
            self._subscriptions.answered(asked, response)

    def _tells(self, notify: Request, target: Address) -> None:
        tag, state, shown = notify.from_.tag, notify.get("Subscription-State") or "", tokens(notify.body)
        is_new = self.telling.sent(notify)
        self._say(
            target,
            f"<- NOTIFY cseq {notify.cseq.number} {tag} {state} {' '.join(sorted(shown))}"
            f"{'' if is_new else ' (again)'}",
        )
        if is_new:
            self._publications.shown(shown, tag)
            if state.startswith("terminated"):
                self._subscriptions.ended(tag)

    def _told(self, response: Response, source: Address) -> None:
        self._say(source, f"-> {response.status} {response.cseq.method} cseq {response.cseq.number}")
        if response.cseq.method == "NOTIFY" and response.status >= 200:
            tag = self.telling.answered(response)
            if response.status >= 300:
                self._subscriptions.doubt(tag)

    # --- time ---------------------------------------------------------------------------------------------------

    def _life_ended(self) -> None:
        self._let_expire()
        for asked in (*self._judge.open.values(), *self._refused):
            (self._publications if asked.method == "PUBLISH" else self._subscriptions).unsettled(asked)
        self._judge.open.clear()
        self._refused.clear()
        self._answered.clear()

    def check(self, since: float) -> None:
        """Is anybody kept waiting? To be called every second or so; `since`: when the server began to run."""
        now = self._world.now
        self._slowest = max(self._slowest, self._database.trouble.latency)
        patience = PATIENCE + MOST_CALLS * self._slowest
        for key, asked in self._judge.open.items():
            if now - max(asked.at, since) > patience:
                self._world.breach(
                    f"no answer to {asked.method} {asked.uri} {key[0]} for {now - asked.at:.1f} s"
                )
        self._let_expire()
        if self._process.agent is not None:
            self._refused = [asked for asked in self._refused if not self._is_clean(asked.uri)]

    def check_rows(self, dead: set[int]) -> None:
        """Whose are the rows? To be called when nothing is being written; `dead` are rows that are about to go."""
        if not (self._judge.open or self._refused):
            self._publications.check_rows()
            self._subscriptions.check_rows(dead)

    def _let_expire(self) -> None:
        """What has expired by the clock of one life may be gone in the next, whose clock may go behind."""
        self._subscriptions.doubt_the_silent()
        self._publications.let_expire()
        self._subscriptions.let_expire()

    def _is_clean(self, uri: str) -> bool:
        agent = self._process.agent
        presentity = None if agent is None else agent.presentities.get(uri)
        return presentity is None or not (presentity.outstanding or presentity.wounded)

    def _say(self, peer: Address, text: str) -> None:
        self._world.say(f"{peer[0].rpartition('.')[2]}:{peer[1]}", text.rstrip())
