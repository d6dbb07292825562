"""One server on a database that fails, and the phones that it serves, in virtual time.

Rules:
1. What is kept is compared by `kept`: everything but names that are drawn anew each time, and the CSeqs in reserve.
2. Each NOTIFY of a dialog has a CSeq above every one before it, in all lives of the server.
3. A server that died begins its next life after `AGAIN`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.generator import Step
from bench.messages import Presentity, Sender, Watcher, branch_of, header, ok
from openpy.engine.waiting import Stepper
from openpy.modules.presence.module import Presence
from openpy.testing.network import Address, Network, Weather
from openpy.testing.world import World
from tests.faults.calls import Calls, Died, FaultySimulated
from tests.simulation.database import URL, SimulatedDatabase
from tests.simulation.process import ADDRESS, AGAIN, SCRIPT, Process, Reachable
from tests.simulation.rows import Rows

PHONE: Address = ("192.0.2.1", 5070)

RULED = SCRIPT.replace(
    'modparam("presence_xml", "force_active", 1)',
    f'modparam("presence_xml", "db_url", "{URL}")\nmodparam("presence_xml", "integrated_xcap_server", 1)',
)
"""Who may watch is said by a document, which the database has."""

PROMPT = 0.5
"""Seconds in which every request is answered."""

BACK = 2.0
"""Seconds after a fault in which the server serves again."""

KEPT = {
    "presentity": "username, event, expires, body",
    "active_watchers": "watcher_username, presentity_uri, expires, remote_cseq, status",
    "watchers": "watcher_username, presentity_uri, status",
    "openpy_last_state": "username, event, body",
}

LATER = re.compile(r", (expires|remote_cseq|body)\b")
"""What differs where the same is asked once more."""

Contents = dict[str, list[tuple[Any, ...]]]


class Phones:
    """A server on some database, and what its phones hear; every NOTIFY is answered."""

    def __init__(self, world: World, folder: Path, database: Reachable, script: str) -> None:
        self.world = world
        self.sender = Sender(*PHONE, "faults")
        self.told: dict[str, str] = {}
        """What each watcher was last told: the state of the subscription, and the note of the document."""
        self._cseqs: dict[str, tuple[int, bytes]] = {}
        self._replies: dict[bytes, int] = {}
        self._steps: dict[bytes, Step] = {}
        self._network = Network(world)
        self._network.weather = Weather(delay=0.0)
        self._network.attach(PHONE, self._heard)
        path = folder / "faults.cfg"
        path.write_text(script)
        self.process = Process(world, self._network, database, path)
        self.process.begin()
        self.pass_time(1.0)

    def pass_time(self, seconds: float) -> None:
        """Let time pass; a server may die in it."""
        end = self.world.now + seconds
        while self.world.now < end:
            try:
                self.world.run(end - self.world.now)
            except Died:
                continue

    def send(self, step: Step) -> None:
        """A phone sends a request."""
        self._steps[step.branch.encode("ascii")] = step
        self._network.send(bytes(bytearray(step.datagram)), PHONE, ADDRESS)

    def ask(self, *steps: Step) -> list[int]:
        """Send requests at once; the status of each answer, 0 where there was none in time."""
        for step in steps:
            self.send(step)
        self.pass_time(PROMPT)
        return list(map(self.status, steps))

    def status(self, step: Step) -> int:
        """The status of the answer to a request, 0 where there was none yet."""
        return self._replies.get(step.branch.encode("ascii"), 0)

    def close(self) -> None:
        """The server ends in good order."""
        self.process.terminate()
        while self.process.server is not None:
            self.pass_time(0.05)

    def _heard(self, data: bytes, source: Address) -> None:
        if not data.startswith(b"SIP/2.0 "):
            self._notified(data)
            self._network.send(ok(data), PHONE, source)
            return
        status, branch = int(data.split(b" ", 2)[1]), branch_of(data)
        if status >= 200 and branch not in self._replies:
            self._replies[branch] = status
            on_final = self._steps[branch].on_final
            if on_final is not None:
                on_final(data)

    def _notified(self, data: bytes) -> None:
        watcher = header(data, b"To").decode().partition("tag=")[2]
        dialog = watcher + header(data, b"From").decode().partition("tag=")[2]
        cseq, branch = int(header(data, b"CSeq").split()[0]), branch_of(data)
        last, its_branch = self._cseqs.get(dialog, (0, b""))
        if branch == its_branch:
            return
        if cseq <= last:
            self.world.breach(f"{watcher} has had a NOTIFY {last}, and now gets {cseq}")
        self._cseqs[dialog] = cseq, branch
        state = header(data, b"Subscription-State").decode().partition(";")[0]
        note = re.search(rb"<note>(.*?)</note>", data)
        self.told[watcher] = f"{state} {note[1].decode() if note else ''}".strip()


class Trial(Phones):
    """A database that fails, and `alice` who publishes, `bob` who watches her, and `carol` who will."""

    def __init__(self, folder: Path, script: str = SCRIPT) -> None:
        world = World(0)
        self.database = SimulatedDatabase(world)
        self.calls = Calls(self._die)
        self.database.dialect = FaultySimulated(self.database, self.calls)
        super().__init__(world, folder, self.database, script)
        self.rows = Rows(world, self.process, self.database)
        self.alice = Presentity(self.sender, "alice")
        self.bob = Watcher(self.sender, "bob", self.alice)
        self.carol = Watcher(self.sender, "carol", self.alice)

    def close(self) -> None:
        """The end of the world."""
        self.process.kill()
        self.database.close()

    def refresh_watchers(self) -> None:
        """Somebody says that alice's rules have changed; it may fail."""
        if self.process.server is not None:
            presence = self.process.server.module("presence")
            assert isinstance(presence, Presence)
            command = presence.refresh_watchers(self.alice.uri, "presence", "0")
            Stepper(command, lambda *_: None).step()

    def restart(self) -> None:
        """Kill the server, and let it begin anew."""
        self.process.kill()
        self.process.begin()
        self.pass_time(1.0)

    def kept(self, *, lately: bool = True) -> Contents:
        """What the database keeps; without what differs where the same was asked later, unless `lately`."""
        return {
            table: sorted(
                self.database.ask(f"SELECT {names if lately else LATER.sub('', names)} FROM {table}")
            )
            for table, names in KEPT.items()
        }

    def check(self) -> None:
        """The server serves, and its memory says what the database says."""
        assert self.process.serving, "\n".join(self.world.transcript)
        assert self.rows.idle
        self.rows.check()
        self.world.judge()

    @contextmanager
    def described(self, what: str) -> Iterator[None]:
        """Where something is wrong inside, say where, and what happened."""
        try:
            yield
        except Exception as error:
            raise AssertionError("\n".join([what, *self.world.transcript])) from error

    def _die(self) -> None:
        self.process.kill()
        self.world.at(AGAIN, self.process.begin)
