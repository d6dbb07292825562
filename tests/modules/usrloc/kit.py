"""A registrar under test: its script with phones, or one table with a database in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from openpy.db.database import Database
from openpy.engine.services import Services
from openpy.engine.waiting import Stepper, Wait
from openpy.modules.usrloc.contacts import Contact, Rules
from openpy.modules.usrloc.domain import Domain, Happening, Watcher
from openpy.modules.usrloc.modes import InMemory, WriteThrough
from openpy.modules.usrloc.remote import RemoteDomain
from openpy.modules.usrloc.rows import Rows
from openpy.modules.usrloc.tables import Location
from openpy.modules.usrloc.writeback import WriteBack
from openpy.testing.exchange import Exchange
from openpy.testing.script import Script
from openpy.transaction.wheel import Wheel
from tests.modules.presence.kit import START, Clock, Memory

MEMORY, THROUGH, BACK, REMOTE = range(4)
NOW = int(START)

Parameters = Mapping[str, str | int]

ROUTE = """
    if (method=="REGISTER") { save("location"); $var(code) = $rc; exit; }
    if (!lookup("location")) { $var(code) = $rc; sl_send_reply("404", "Not Found"); exit; }
    $var(code) = $rc;
    t_relay();
"""


def script(
    mode: int = MEMORY,
    route: str = ROUTE,
    *,
    usrloc: Parameters | None = None,
    registrar: Parameters | None = None,
) -> Script:
    """A server that saves REGISTERs and looks the others up."""
    loads = "".join(f'loadmodule "{name}.so"\n' for name in ("sqlite", "sl", "tm", "usrloc", "registrar"))
    text = f"listen=udp:127.0.0.1:5060\n{loads}route {{ {route} }}\n"
    own = {"db_mode": mode, "db_url": "sqlite:///contacts.db", **(usrloc or {})}
    return Script(text, modparams={"usrloc": own, "registrar": registrar or {}})


def register(
    server: Script,
    contact: str | None = "<sip:bob@192.0.2.7>",
    *,
    user: str = "bob",
    cseq: int = 1,
    call_id: str = "phone",
    expires: int | str | None = 3600,
    headers: Mapping[str, Any] | None = None,
    source: str = "udp:192.0.2.7:5060",
    tag: str = "p",
) -> Exchange:
    """One REGISTER of a phone."""
    aor = f"<sip:{user}@example.org>"
    named: dict[str, Any] = {
        "To": aor,
        "From": f"{aor};tag={tag}",
        "Call-ID": call_id,
        "CSeq": f"{cseq} REGISTER",
    }
    named |= {"Contact": contact, "Expires": expires, **(headers or {})}
    return server.send("REGISTER", "sip:example.org", named, source=source)


def contacts_of(server: Script, user: str = "bob") -> list[str]:
    """The URIs of a user's contacts, in order, as a REGISTER without Contact is told."""
    question = f"question-{len(server.sent)}"
    told = register(server, None, user=user, cseq=9999, call_id=question, expires=None)
    return [item.split(">")[0].strip(" <") for item in (told.get("Contact") or "").split(", ") if item]


def contact(uri: str = "sip:bob@192.0.2.7", id_: int = 1, **fields: Any) -> Contact:
    """A contact of an hour."""
    values = {"expires": NOW + 3600, "q": -1, "call_id": "phone", "cseq": 1, "modified": NOW, **fields}
    return Contact(id_, uri, **values)


class Home:
    """One table of contacts in virtual time."""

    def __init__(self, mode: int = THROUGH, memory: Memory | None = None, rules: Rules | None = None) -> None:
        self.clock = Clock()
        self.wheel = Wheel(self.clock.monotonic())
        self.memory = memory or Memory()
        self.writer = self.memory.writer
        self.laters: list[Callable[[], None]] = []
        self.logged: list[str] = []
        self.happened: list[tuple[str, str, str]] = []
        services = self.services = cast(
            Services,
            SimpleNamespace(
                clock=self.clock,
                wheel=self.wheel,
                soon=self.laters.append,
                log=SimpleNamespace(warning=lambda origin, text: self.logged.append(text)),
                run_blocking=_at_once,
            ),
        )
        table = Location
        self.rows = Rows(cast(Database, self.memory), table, use_domain=False)
        watchers: list[Watcher] = [self._watch]
        rules = rules or Rules()
        if mode == REMOTE:
            self.domain: Domain = RemoteDomain(services, "location", rules, watchers, self.rows, 60)
        else:
            self.domain = Domain(services, "location", rules, watchers)
        if mode == MEMORY:
            self.domain.mode = InMemory(self.domain.apply)
        elif mode == BACK:
            self.domain.mode = WriteBack(self.rows, self.domain.apply, services.soon, self.logged.append)
        else:
            self.domain.mode = WriteThrough(
                self.rows, self.domain.apply, self.domain.let_go, services.wheel.add
            )
        self.domain.ready = True

    def new(self, uri: str = "sip:bob@192.0.2.7", **fields: Any) -> Contact:
        return contact(uri, self.domain.mode.new_id(), **fields)

    def change(self, *contacts: Contact, aor: str = "bob") -> list[Any]:
        """Let an AoR have these contacts; a list that gets the outcome when it is there."""
        outcome: list[Any] = []
        committed = self.domain.change(aor, contacts)
        if committed is None:
            outcome.append(None)
        else:
            committed.on_done(lambda: outcome.append(committed.value))
        self.domain.mode.flush()
        return outcome

    def kept(self) -> list[tuple[str, str]]:
        """User and URI of each row."""
        return [(row["username"], row["contact"]) for row in self.memory.named("location")]

    def uris(self, aor: str = "bob") -> list[str]:
        return [item.uri for item in self.domain.of(aor)]

    def pass_time(self, seconds: float) -> None:
        """Let time pass, a tenth of a second after the other."""
        for _ in range(round(seconds * 10)):
            self.clock.time += 0.1
            self.wheel.advance(self.clock.time)
            self.turn()

    def turn(self) -> None:
        """Run what was put off until messages were read."""
        while self.laters:
            self.laters.pop(0)()

    def _watch(self, happening: Happening, aor: str, item: Contact) -> None:
        self.happened.append((happening.value, aor, item.uri))


def run(coroutine: Any) -> list[Any]:
    """Step a coroutine; a list that gets its result or error when it ends."""
    outcome: list[Any] = []
    Stepper(coroutine, lambda value, error: outcome.append(value if error is None else error)).step()
    return outcome


def renewed(old: Contact, **fields: Any) -> Contact:
    """A contact with other values."""
    names = ("flags", "branch_flags", "user_agent", "received", "path", "socket", "methods")
    same = {name: getattr(old, name) for name in ("expires", "q", "call_id", "cseq", "modified", *names)}
    return contact(fields.pop("uri", old.uri), old.id, **{**same, **fields})


def _at_once(function: Callable[..., Any], *arguments: Any) -> Wait[Any]:
    wait: Wait[Any] = Wait()
    try:
        wait.resolve(function(*arguments))
    except Exception as error:  # noqa: BLE001 - as a thread hands it on
        wait.fail(error)
    return wait
