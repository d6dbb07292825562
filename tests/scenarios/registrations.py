"""A storm of REGISTERs with kills in it, and whether anything that was acknowledged is lost.

`python -m tests.scenarios.registrations --rounds 1000 --mode 3 --database postgres` does what the tests do, for longer.

A contact's q tells the versions of it apart: each REGISTER gives another one.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from openpy.db import schema
from openpy.db.url import DatabaseUrl
from openpy.modules.usrloc.tables import TABLES
from tests.scenarios.message import SipMessage
from tests.scenarios.outstanding import WINDOW, Outstanding, strike
from tests.scenarios.process import ServerProcess
from tests.scenarios.wire import Phone
from tests.servers import DIALECTS, PATIENCE, Databases

OUTSTANDING = 16
"""How many requests must be without an answer when the kill strikes; a round with less does not count."""

SEED = 20260708

BINDING = re.compile(r"<([^>]*)>;q=([0-9.]+)")

SCRIPT = """\
debug=2
log_stderror=yes
loadmodule "{kind}.so"
loadmodule "sl.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("usrloc", "db_mode", {mode})
modparam("usrloc", "db_url", "{url}")
route {{ save("location"); }}
"""

Bindings = dict[str, str]
"""URI -> q."""


def script_for(kind: str, url: DatabaseUrl, mode: int) -> str:
    """A registrar that keeps its contacts there."""
    return SCRIPT.format(kind=kind, url=url, mode=mode)


def with_tables(databases: Databases, kind: str, folder: Path) -> DatabaseUrl:
    """A database with an empty table of contacts."""
    url = databases.empty(kind, folder)
    with closing(DIALECTS[kind].connect(url, patience=PATIENCE)) as connection:
        schema.create(DIALECTS[kind], connection, TABLES)
    return url


@dataclass(eq=False)
class User:
    """One AoR: what it has, and what the outstanding request makes of it."""

    name: str
    bindings: Bindings = field(default_factory=dict)
    asked: Bindings | None = None
    cseq: int = 0
    call_id: str = ""


class Storm(Outstanding[User]):
    """Many users who register."""

    def __init__(self, phone: Phone, seed: int) -> None:
        super().__init__(phone, seed)
        self.users = [User(f"user{number}") for number in range(400)]
        self.acknowledged = 0
        self._version = 0

    def check(self) -> None:
        """Ask for the bindings of every user."""
        for user in self.users:
            reply = self._question(user)
            told = dict(BINDING.findall(reply.get("Contact")))
            if told != user.bindings and told != user.asked:
                self.broken.append(
                    f"{user.name}: {told}, acknowledged was {user.bindings}, asked {user.asked}"
                )
            user.bindings, user.asked = told, None

    def _question(self, user: User) -> SipMessage:
        deadline = time.monotonic() + 15
        while True:
            reply = self.phone.request(
                "REGISTER", "sip:example.org", to=f"<sip:{user.name}@example.org>", cseq=1
            )
            if reply.status == 200:
                return reply
            assert time.monotonic() < deadline, reply.start
            time.sleep(0.05)  # the rows are still being read

    def _ask(self) -> None:
        user = self.random.choice(self.users)
        while user.asked is not None:
            user = self.random.choice(self.users)
        self._version = self._version % 1000 + 1
        q = f"{self._version / 1000:g}"
        uri = f"sip:{user.name}@192.0.2.{self.random.randint(1, 3)}"
        choice = self.random.random()
        asked = dict(user.bindings)
        if choice < 0.75:
            contact, expires, asked[uri] = f"<{uri}>;q={q}", 3600, q
        elif choice < 0.9:
            contact, expires = f"<{uri}>", 0
            asked.pop(uri, None)
        else:
            contact, expires, asked = "*", 0, {}
        user.asked = asked
        user.cseq += 1
        user.call_id = user.call_id or self.phone.token("c")
        data = self.phone.build(
            "REGISTER",
            "sip:example.org",
            to=f"<sip:{user.name}@example.org>",
            call_id=user.call_id,
            cseq=user.cseq,
            headers=[f"Contact: {contact}", f"Expires: {expires}"],
        )
        self._outstanding[user.call_id] = user
        self.phone.send(data)

    def _read(self, patience: float) -> bool:
        reply = self.phone.receive(patience)
        if reply is None:
            return False
        user = self._outstanding.pop(reply.get("Call-ID"), None)
        if user is None or user.asked is None:
            return True
        told = dict(BINDING.findall(reply.get("Contact")))
        if reply.status != 200 or told != user.asked:
            self.broken.append(f"{user.name}: {reply.start}, {told} instead of {user.asked}")
        self.acknowledged += 1
        user.bindings, user.asked = user.asked, None
        return True


def kill_and_check(
    server: ServerProcess,
    kills: int,
    seed: int = SEED,
    progress: Callable[[int, Storm], None] = lambda struck, storm: None,
) -> Storm:
    """So many kills, each with requests outstanding; fails if a promise was broken."""
    moment = random.Random(seed)
    with Phone(server.address) as phone:
        storm = Storm(phone, seed)
        struck = 0
        for _ in range(3 * kills):
            struck += strike(server, storm, moment, window=WINDOW, burst=32) >= OUTSTANDING
            server.start()
            storm.check()
            assert not storm.broken, f"seed {seed}: {storm.broken[:5]}"
            progress(struck, storm)
            if struck == kills:
                break
        assert struck == kills
    return storm


def main() -> None:
    """Kill for as long as is asked for."""
    parser = argparse.ArgumentParser(description="Kill a registrar in a storm again and again.")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--database", choices=list(DIALECTS), default="sqlite")
    parser.add_argument("--mode", type=int, choices=(1, 3), default=1, help="db_mode of usrloc")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()

    def progress(struck: int, storm: Storm) -> None:
        if struck % 10 == 0:
            print(f"{struck} kills, {storm.acknowledged} acknowledged, none lost", flush=True)

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="openpy-registrations-")))
        databases = Databases()
        stack.callback(databases.drop)
        script = folder / "openser.cfg"
        url = with_tables(databases, options.database, folder)
        script.write_text(script_for(options.database, url, options.mode))
        server = ServerProcess(script).start()
        stack.callback(server.stop)
        kill_and_check(server, options.rounds, options.seed, progress)
    print(f"{options.rounds} kills on {options.database}: no acknowledged registration was lost")


if __name__ == "__main__":
    main()
