"""A whole server in virtual time, without a wire: messages are handed in, and what it sends is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from openpy.engine.config import CoreConfig
from openpy.engine.log import DEBUG, Log
from openpy.engine.machine import Machine
from openpy.engine.mi import Node, Reply
from openpy.engine.programs import Ended, Program
from openpy.engine.server import Server
from openpy.engine.services import ANYBODY, Callee
from openpy.engine.waiting import Wait
from openpy.net.services import Service
from openpy.script.syntax import SocketId
from openpy.testing.clock import WorldClock
from openpy.testing.network import Network
from openpy.testing.world import World
from openpy.transaction.flow import Flow

MODULES = ("sl", "tm", "maxfwd", "textops", "xlog")
PHONE = ("192.0.2.1", 5066)
LOCAL = "127.0.0.1"
START, EPOCH = 100.0, 1_600_000_000.0


@dataclass
class KeptFlow:
    """A flow that keeps what is sent."""

    sent: list[Sent]
    transport: str = "udp"
    host: str = PHONE[0]
    port: int = PHONE[1]
    local_host: str = "127.0.0.1"
    local_port: int = 5060

    @property
    def reliable(self) -> bool:
        return self.transport != "udp"

    def send(self, data: bytes) -> None:
        self.sent.append(Sent(self, data))


@dataclass
class Sent:
    """One message that left."""

    flow: KeptFlow
    data: bytes

    @property
    def start(self) -> str:
        return self.data.split(b"\r\n", 1)[0].decode()

    @property
    def to(self) -> str:
        return f"{self.flow.transport}:{self.flow.host}:{self.flow.port}"

    def all(self, name: str) -> list[str]:
        lines = self.data.split(b"\r\n\r\n", 1)[0].decode().split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines)
        return [value.strip() for key, _, value in pairs if key.strip().lower() == name.lower()]

    def get(self, name: str) -> str:
        return next(iter(self.all(name)), "")


class KeptServer(Server):
    """A server whose peers are kept flows; a TCP peer is reached, and a program ends, once the test says so."""

    def __init__(
        self, config: CoreConfig, world: World, log: Log, sent: list[Sent], *, allow_exec: bool = False
    ) -> None:
        network = Network(world)
        machine = Machine(datagrams=lambda _: network.socket(lambda: None))
        super().__init__(config, clock=WorldClock(world), log=log, machine=machine, allow_exec=allow_exec)
        self.sent = sent
        self.connecting: list[tuple[KeptFlow, Wait[Flow | None]]] = []
        self.callees: list[Callee] = []
        """Whom the peers of these connections had to prove to be."""
        self.programs: list[tuple[Program, Wait[Ended]]] = []
        self.hosts: dict[str, tuple[str, ...]] = {}
        """The addresses of names; others have none."""
        self.domains_of: dict[str, tuple[Service, ...]] = {}
        """The servers of domains by `transport domain`."""

    def flow(
        self,
        transport: str,
        host: str,
        port: int,
        local: tuple[str, int] | None = None,
        callee: Callee = ANYBODY,
    ) -> Flow | None:
        if transport != "udp":
            return None
        return KeptFlow(self.sent, transport, host.strip("[]"), port, *(local or ("127.0.0.1", 5060)))

    def resolve(self, host: str) -> Wait[tuple[str, ...]]:
        wait: Wait[tuple[str, ...]] = Wait()
        if host == "silent.example":
            wait.fail(OSError("nobody can tell"))
        else:
            wait.resolve(self.hosts.get(host, ()))
        return wait

    def find_servers(self, domain: str, transport: str = "") -> Wait[tuple[Service, ...]]:
        wait: Wait[tuple[Service, ...]] = Wait()
        wait.resolve(self.domains_of.get(f"{transport} {domain}", ()))
        return wait

    def connect(self, transport: str, host: str, port: int, callee: Callee = ANYBODY) -> Wait[Flow | None]:
        wait: Wait[Flow | None] = Wait()
        self.callees.append(callee)
        self.connecting.append((KeptFlow(self.sent, transport, host.strip("[]"), port), wait))
        return wait

    def run_program(self, program: Program) -> Wait[Ended]:
        wait: Wait[Ended] = Wait()
        self.programs.append((program, wait))
        return wait


class Bench:
    """One loaded script and the wire around it.

    `route` is the body of the main route; `more` stands before it, `script` replaces everything.
    """

    def __init__(
        self,
        folder: Path,
        route: str = ";",
        *,
        more: str = "",
        script: str = "",
        modules: Sequence[str] = MODULES,
        allow_exec: bool = False,
    ) -> None:
        self.sent: list[Sent] = []
        self.log: list[str] = []
        self.levels: list[int] = []
        self.world = World(0, START, EPOCH)
        self.clock = WorldClock(self.world)
        config = CoreConfig()
        config.listen.append(SocketId("udp", "127.0.0.1", 0))
        log = Log(DEBUG, self._logged)
        self.server = KeptServer(config, self.world, log, self.sent, allow_exec=allow_exec)
        path = folder / "test.cfg"
        loads = "".join(f'loadmodule "{name}.so"\n' for name in modules)
        path.write_text(script or f"{loads}debug=4\n{more}\nroute {{ {route} }}\n")
        self.server.load(path)
        self.server.bind()
        for module in self.server.modules.values():
            asyncio.run(module.start())

    def close(self) -> None:
        self.server.sockets.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _logged(self, level: int, line: str) -> None:
        self.levels.append(level)
        self.log.append(line.split("] ", 1)[1])

    def phone(self, transport: str = "udp", host: str = PHONE[0], port: int = PHONE[1]) -> KeptFlow:
        return KeptFlow(self.sent, transport, host, port)

    def receive(self, data: bytes, flow: KeptFlow | None = None) -> list[Sent]:
        """Hand in a message; returns what was sent because of it."""
        before = len(self.sent)
        self.server.dispatcher.receive(data, flow or self.phone())
        return self.sent[before:]

    def run_for(self, seconds: float) -> list[Sent]:
        """Let time pass; returns what was sent meanwhile."""
        before = len(self.sent)
        end = self.world.now + seconds
        wheel = self.server.wheel
        while (due := wheel.next_due()) is not None and due <= end:
            self.world.run_until(max(self.world.now, due))
            wheel.advance(due)
        self.world.run_until(end)
        wheel.advance(end)
        return self.sent[before:]

    def command(self, name: str, *values: str) -> Wait[Reply | None]:
        """Run a management command."""
        command = self.server.commands.find(name)
        assert command is not None
        return self.server.commands.run(command, [Node(value=value) for value in values])

    def mi(self, name: str, *values: str) -> Reply:
        """The reply to a management command that does not wait."""
        reply = self.command(name, *values).value
        assert reply is not None
        return reply

    def printed(self) -> Iterator[str]:
        """What xlog wrote."""
        return (line.split(":script: ", 1)[1] for line in self.log if line.startswith("ERROR:script: "))

    def value(self, name: str, group: str = "core") -> int:
        """A statistic."""
        return next(value for g, n, value in self.server.statistics if (g, n) == (group, name))


def request(
    method: str = "OPTIONS",
    uri: str = "sip:bob@example.com",
    *headers: str,
    body: bytes = b"",
    branch: str = "z9hG4bKtest",
    via: str = "",
    to_tag: str = "",
    cseq: int = 7,
    call_id: str = "call-1",
) -> bytes:
    """A request from PHONE."""
    tag = f";tag={to_tag}" if to_tag else ""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: {via or f'SIP/2.0/UDP 192.0.2.1:5066;branch={branch}'}",
        'From: "Alice" <sip:alice@atlanta.example>;tag=a1',
        f"To: <sip:bob@biloxi.example>{tag}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
        *headers,
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answer(sent: Sent, status: int, reason: str = "Reason", to_tag: str = "b1") -> bytes:
    """The reply of the next hop to a request that was sent to it."""
    lines = [f"SIP/2.0 {status} {reason}"]
    lines += [f"Via: {via}" for via in sent.all("Via")]
    to = sent.get("To")
    lines += [
        f"From: {sent.get('From')}",
        f"To: {to}" if ";tag=" in to or status == 100 else f"To: {to};tag={to_tag}",
        f"Call-ID: {sent.get('Call-ID')}",
        f"CSeq: {sent.get('CSeq')}",
        "Content-Length: 0",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def evaluate(folder: Path, expression: str, message: bytes, *, before: str = ";", more: str = "") -> str:
    """What a message makes of a format: printed by a compiled one-line script."""
    with Bench(folder, f'{before} xlog("{expression}");', more=more) as bench:
        bench.receive(message)
        printed = list(bench.printed())
        assert len(printed) == 1, bench.log
        return printed[0]


def code_of(folder: Path, call: str, message: bytes, *, before: str = ";", more: str = "") -> int:
    """The return code of a function call for a message; 0 where it ends the script."""
    with Bench(folder, f'{before} $var(code) = {call}; xlog("code $var(code)");', more=more) as bench:
        bench.receive(message)
        printed = [line for line in bench.printed() if line.startswith("code ")]
        return int(printed[0].split()[1]) if printed else 0


def is_true(folder: Path, condition: str, message: bytes, *, before: str = ";", more: str = "") -> bool:
    """Whether a message makes a condition of the script true."""
    route = f'{before} if ({condition}) xlog("yes"); else xlog("no");'
    with Bench(folder, route, more=more) as bench:
        bench.receive(message)
        (printed,) = bench.printed()
        return printed == "yes"


def serving(folder: Path, script: str, *listen: str) -> tuple[Server, list[str]]:
    """A server with real sockets, by default one of UDP, and the lines of its log."""
    lines: list[str] = []
    config = CoreConfig(listen=[SocketId(kind, LOCAL, 0) for kind in listen or ("udp",)])
    server = Server(config, log=Log(2, lambda _, line: lines.append(line)))
    (folder / "test.cfg").write_text(script)
    server.load(folder / "test.cfg")
    server.bind()
    return server, lines
