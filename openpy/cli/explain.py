"""`openpy explain SCRIPT MESSAGE`: what a script does with a message, line by line, without a server.

Exit status: 0 explained, 2 usage, 255 a script, message or parameter that cannot be used.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from openpy.cli.console import write
from openpy.cli.findings import write_text
from openpy.cli.listing import BOLD, PLAIN, listing, read_source, sent_lines, shorten
from openpy.cli.messagefile import mended
from openpy.cli.options import add_definitions
from openpy.db.errors import DatabaseError
from openpy.engine.eventfields import Event, sent_event
from openpy.engine.log import LABELS, WARNING, Log
from openpy.engine.module import ModuleError
from openpy.engine.sockets import SocketError
from openpy.engine.trace import Delivery, Filter
from openpy.script.diagnostics import ScriptError
from openpy.script.environment import ArgumentError
from openpy.script.parser import Definitions
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, parse_message
from openpy.sip.validity import check_request, check_response
from openpy.testing.exchange import peer_of
from openpy.testing.network import Address, Network, Weather
from openpy.testing.server import Stream, VirtualServer
from openpy.testing.world import START, World

EXPLAINED, USAGE, FAILED = 0, 2, 255

AFTERWARDS = 0.4
"""Seconds of virtual time in which what is sent is still an effect of the message, and nothing is repeated yet."""

PATIENCE = 60.0
"""Seconds of virtual time that a route may wait for something."""

STEP = 0.05


class Peer(NamedTuple):
    """Who sends the message."""

    transport: str
    host: str
    port: int


SENDER = Peer("udp", "192.0.2.1", 5060)
"""Where a message comes from unless --from says it: an address that RFC 5737 keeps for examples."""


class Override(NamedTuple):
    """A module's parameter in place of the script's."""

    module: str
    name: str
    value: str


class Unusable(Exception):
    """Something given that cannot be used; the text says what and why."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    script: Path = options.script
    try:
        data, remarks = mended(_read(options.message))
        with tempfile.TemporaryDirectory(prefix="openpy-explain-") as folder:
            explained = explain(
                script,
                data,
                Path(folder),
                sender=options.sender,
                overrides=options.param,
                definitions=options.definitions,
            )
    except ScriptError as error:
        write_text(error.diagnostics)
        return FAILED
    except ModuleError as error:
        _complain("\n".join(filter(None, (f"openpy explain: {error.message}", error.hint))))
        return FAILED
    except (Unusable, DatabaseError, SocketError) as error:
        _complain(f"openpy explain: {error}")
        return FAILED
    except OSError as error:
        _complain(f"openpy explain: {error.filename}: {error.strerror}")
        return FAILED
    explained["remarks"] = remarks + explained["remarks"]
    if options.json:
        write(json.dumps(explained, ensure_ascii=True))
    else:
        write("\n".join(shown(explained, colours=sys.stdout.isatty())))
    return EXPLAINED


def explain(
    script: Path,
    data: bytes,
    folder: Path,
    *,
    sender: Peer = SENDER,
    overrides: Sequence[Override] = (),
    definitions: Definitions = (),
    wall: float | None = None,
) -> Event:
    """What a script does with a message, as docs/explain.md describes it; databases are made in `folder`.

    `wall` is the Unix time at the start, else now. Raises ScriptError, ModuleError, DatabaseError, SocketError,
    Unusable, and OSError for the script.
    """
    log: list[Event] = []
    traces: list[Event] = []
    sent: list[Event] = []  # a stop, too, sends

    def logged(level: int, line: str) -> None:
        text = line.split("] ", 1)[-1].partition(": ")[2]
        entry = {"level": LABELS[level].lower(), "text": text}
        if not server.tracer.note("log", **entry):
            log.append(entry)

    def take(event: Event) -> Delivery:
        traces.append(event)
        return Delivery.TAKEN

    def streamed(stream: Stream, text: bytes) -> None:
        sent.append(sent_event(text, stream))

    def watched(what: str, text: bytes, source: Address, target: Address) -> None:
        if what == "sent":
            streamed(Stream(*target, *source, streamed, transport="udp", reliable=False), text)

    world = World(0, epoch=(time.time() if wall is None else wall) - START)
    network = Network(world)
    network.weather = Weather(delay=0.0)
    network.watch = watched
    server = VirtualServer(world, network, folder, Log(sink=logged), {}, streamed)
    server.load(script, definitions)
    server.log.level = max(
        server.log.level, WARNING
    )  # what the script is warned of belongs to the explanation
    _override(server, overrides)
    server.begin()
    server.tracer.prepare()
    server.tracer.start(Filter(), take)
    began = server.clock.monotonic()
    _hand_in(server, network, data, sender)
    has_begun = server.tracer.is_at_work
    while server.tracer.is_at_work and server.clock.monotonic() < began + PATIENCE:
        server.advance(STEP)
    if server.tracer.is_at_work:
        waited = round(server.clock.monotonic() - began)
        server.remarks.append(f"the route still waited for something after {waited} seconds")
    server.advance(AFTERWARDS)
    trace = next((event for event in traces if event["type"] == "trace"), None)
    if trace is None and not has_begun:
        server.remarks.append(f"the script did not run: {_why_not(server, data)}")
    explained = {
        "script": str(script),
        "remarks": server.remarks,
        "trace": trace,
        "log": log,
        "sent": list(sent),
    }
    server.end()
    return explained


def _why_not(server: VirtualServer, data: bytes) -> str:
    """Why a message does not come to the script."""
    try:
        message = parse_message(data)
        if isinstance(message, Request):
            check_request(message, server.dispatcher.limits)
        else:
            check_response(message, server.dispatcher.limits)
    except RemoteError as error:
        return f"the message is refused before it: {error.reason}"
    return "the message was dealt with before it"


def _hand_in(server: VirtualServer, network: Network, data: bytes, sender: Peer) -> None:
    """Let the message arrive."""
    if sender.transport == "udp":
        udp = server.sockets.udp[0]
        network.send(data, (sender.host, sender.port), (udp.host, udp.port))
        server.advance(0.0)
    else:
        server.receive(data, server.stream((sender.host, sender.port)))


def shown(explained: Event, *, colours: bool = False) -> list[str]:
    """An explanation as lines for people."""
    trace = explained["trace"]
    lines: list[str] = []
    if trace is not None:
        lines += [*listing(trace, read_source, colours=colours), ""]
    for entry in explained["log"]:
        lines.append(f"log: {shorten(entry['text'], 90)}")
    heading, *rest = sent_lines(explained["sent"])
    lines += [f"{BOLD}{heading}{PLAIN}" if colours else heading, *rest]
    if explained["remarks"]:
        lines += ["", *(f"note: {shorten(remark, 200)}" for remark in explained["remarks"])]
    return lines


# --- what was given -----------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="openpy explain",
        description="Show what a script does with a message: the lines that run, what they see, change and send. "
        "Nothing is sent, no database of the script is touched.",
    )
    parser.add_argument("script", type=Path, metavar="SCRIPT")
    parser.add_argument("message", metavar="MESSAGE", help="a file with a SIP message; - is stdin")
    parser.add_argument("--json", action="store_true", help="one JSON object (docs/explain.md)")
    parser.add_argument(
        "--from",
        dest="sender",
        type=_peer,
        default=SENDER,
        metavar="[PROTO:]IP[:PORT]",
        help="where the message comes from, by udp or tcp; default: udp:192.0.2.1:5060",
    )
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        type=_parameter,
        metavar="MODULE.NAME=VALUE",
        help="a parameter in place of the script's (repeatable)",
    )
    add_definitions(parser)
    return parser


def _peer(text: str) -> Peer:
    try:
        return Peer(*peer_of(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: write [udp:|tcp:]address[:port]") from None


def _parameter(text: str) -> Override:
    place, equals, value = text.partition("=")
    module, dot, name = place.partition(".")
    if not (equals and dot and module and name):
        raise argparse.ArgumentTypeError(f"{text}: write MODULE.NAME=VALUE")
    return Override(module, name, value)


def _read(name: str) -> bytes:
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    if not data.strip():
        raise Unusable(f"{name}: there is no message in it")
    return data


def _override(server: VirtualServer, overrides: Sequence[Override]) -> None:
    """Set parameters; raises Unusable, and ModuleError where a module does not fit them."""
    for override in overrides:
        module = server.modules.get(override.module)
        if module is None:
            raise Unusable(
                f"--param {override.module}.{override.name}: the script does not load {override.module}"
            )
        parameter = type(module).parameters().get(override.name)
        if parameter is None:
            raise Unusable(f"--param: there is no parameter {override.name} in {override.module}")
        types = parameter.type if isinstance(parameter.type, tuple) else (parameter.type,)
        is_number = int in types and override.value.removeprefix("-").isdigit()
        value: Any = int(override.value) if is_number else override.value
        try:
            parameter.set(module, value)
        except ArgumentError as error:
            raise Unusable(f"--param {override.module}.{override.name}: {error}") from None
        module.check()
        server.remarks.append(
            f"{override.module}.{override.name} was {override.value}, whatever the script says"
        )


def _complain(text: str) -> None:
    sys.stderr.write(text.encode("utf-8", "backslashreplace").decode() + "\n")
