"""A whole server in one thread and in virtual time, to which a phone talks through the server's own socket code.

Rules:
1. What is sent in one go is read in one burst, and written to the database in one transaction.
2. Nothing is random and nothing waits: two runs do exactly the same.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from bench.generator import Step
from bench.messages import DOMAIN, Sender, branch_of, ok, picked_up
from openpy.db.database import Database
from openpy.db.url import parse_url
from openpy.engine.config import CoreConfig
from openpy.engine.log import WARNING, Log
from openpy.engine.machine import Machine
from openpy.engine.server import Server
from openpy.modules.presence.agent import PresenceAgent
from openpy.modules.presence.module import Presence
from openpy.script.syntax import SocketId
from openpy.sip.headers import _recalled_name_addr
from openpy.sip.uri import _cached_parse
from openpy.testing.clock import NoCollector, WorldClock
from openpy.testing.loop import VirtualLoop
from openpy.testing.network import Address, Network, Weather
from openpy.testing.threads import VirtualThreads
from openpy.testing.world import World
from tests.work.counting import Asked, CountingDialect

US: Address = ("127.0.0.1", 5060)
PHONE: Address = ("127.0.0.1", 5070)

CALLEE = f"sip:callee@{PHONE[0]}:{PHONE[1]}"

DATABASE = "work.sqlite"

EXCHANGE = 0.02
"""Seconds in which requests are answered, their rows committed, and the NOTIFYs answered."""

AFTERMATH = 65.0
"""Seconds after which nothing is left of a transaction (RFC 3261, Timer J), and its copies would be served again."""

NO_RULES = '"force_active", 1'
"""Everybody may watch everybody."""

RULES = '"integrated_xcap_server", 1'
"""Without a document of the presentity, watchers wait for its decision."""

SCRIPT = """
loadmodule "sqlite.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "uri.so"
loadmodule "rr.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
disable_tcp=yes
alias={domain}
modparam("usrloc", "db_mode", 1)
modparam("usrloc", "db_url", "{url}")
modparam("presence", "db_url", "{url}")
modparam("presence", "max_expires", 7200)
modparam("presence", "clean_period", 1000000)
modparam("presence_xml", "db_url", "{url}")
modparam("presence_xml", {rules})
route {{
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("OPTIONS")) {{
        sl_send_reply("200", "OK");
        exit;
    }}
    if (is_method("PUBLISH")) {{
        if (t_newtran()) {{ handle_publish(); t_release(); }}
        exit;
    }}
    if (is_method("SUBSCRIBE")) {{
        if (t_newtran()) {{ handle_subscribe(); t_release(); }}
        exit;
    }}
    if (is_method("REGISTER")) {{
        save("location");
        exit;
    }}
    if (has_totag()) {{
        if (loose_route()) t_relay();
        exit;
    }}
    record_route();
    if (uri == myself && !lookup("location")) {{
        sl_send_reply("404", "Not Found");
        exit;
    }}
    t_relay();
}}
"""


class House:
    """The server, and the phone at the other end of the wire. A `silent` phone answers no NOTIFYs."""

    def __init__(self, folder: Path, rules: str = NO_RULES) -> None:
        """`folder` holds script and database; rows that are there already are loaded.

        `rules` is the parameter of presence_xml that says who may watch whom.
        """
        _cached_parse.cache_clear()  # of URIs and dialogs that an earlier house has met
        _recalled_name_addr.cache_clear()
        url = f"sqlite:///{folder / DATABASE}"
        script = folder / "work.cfg"
        script.write_text(SCRIPT.format(url=url, rules=rules, domain=DOMAIN))
        self.world = World(0)
        self.sender = Sender(*PHONE, "work")
        self._replies: dict[bytes, bytes] = {}
        self.notifies = 0
        self.silent = False
        self._network = Network(self.world)
        self._network.weather = Weather(delay=0.0)
        self._network.attach(PHONE, self._heard)
        self._dialect = CountingDialect()
        loop = self._loop = VirtualLoop(self)
        threads = VirtualThreads(self, loop)
        numbers = count(1)
        machine = Machine(
            random=random.Random(1),
            token=lambda: f"{next(numbers):016x}",
            threads=threads,
            datagrams=lambda _: self._network.socket(loop.arrived),
            collector=NoCollector(),
        )
        config = CoreConfig(listen=[SocketId("udp", *US)])
        self.server = Server(
            config, clock=WorldClock(self.world), log=Log(WARNING, self._complained), machine=machine
        )
        self.server.load(script)
        self.server.databases[url] = Database(
            parse_url(url), self._dialect, self.server.runtime.post, threads
        )
        self.server.bind()
        self._started = loop.create_task(self.server.start())
        self.pass_time(1.0)
        self._started.result()

    @property
    def asked(self) -> Asked:
        """What the database was asked to do so far."""
        return self._dialect.asked

    @property
    def agent(self) -> PresenceAgent:
        """What the server knows of presence."""
        presence = self.server.module("presence")
        assert isinstance(presence, Presence)
        return presence.agent

    def at(self, delay: float, action: Callable[[], None]) -> None:
        """Let something happen in the server."""
        self.world.at(delay, action)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.world.run(seconds)

    def play(self, steps: Sequence[Step]) -> None:
        """Send some requests at once and let them be answered, each by 200."""
        for step, reply in zip(steps, self.hear(steps), strict=True):
            assert reply.startswith(b"SIP/2.0 200 "), reply.decode()
            acknowledgement = step.on_final(reply) if step.on_final is not None else None
            if acknowledgement is not None:
                self._network.send(acknowledgement, PHONE, US)

    def hear(self, steps: Sequence[Step]) -> list[bytes]:
        """Send some requests at once; the replies, empty where there was none."""
        for step in steps:
            self._network.send(bytes(bytearray(step.datagram)), PHONE, US)  # a copy, as from a wire
        self.pass_time(EXCHANGE)
        return [self._replies.pop(step.branch.encode("ascii"), b"") for step in steps]

    def close(self) -> None:
        """End in good order."""
        stopped = self._loop.create_task(self.server.stop())
        self.pass_time(10.0)
        stopped.result()

    def _heard(self, data: bytes, source: Address) -> None:
        if data.startswith(b"SIP/2.0 "):
            self._replies[branch_of(data)] = data
        elif data.startswith(b"INVITE "):
            for response in picked_up(data, CALLEE):
                self._network.send(response, PHONE, source)
        elif not data.startswith(b"ACK "):
            self.notifies += data.startswith(b"NOTIFY ")
            if not self.silent:
                self._network.send(ok(data), PHONE, source)

    def _complained(self, level: int, line: str) -> None:
        raise AssertionError(line)
