"""openpyctl: a presence client for people and scripts; `watch` subscribes, `publish` publishes.
`mi`, `trace` and `reload` talk to a server that runs, by its control socket.

Exit status: 0 done, 1 refused (status and reason on stderr), 2 usage, 3 no answer within 32 s.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from openpy.cli import control, mi, publish, reload, trace, watch
from openpy.cli.client import Target, Unreachable
from openpy.cli.console import ExitStatus, complain, show
from openpy.cli.stacks import CONNECTED, SECURE, Credentials, stack_of
from openpy.net.layer import Stack
from openpy.sip.errors import RemoteError
from openpy.sip.headers import parse_event
from openpy.sip.transports import default_port
from openpy.sip.uri import Uri, parse_uri
from openpy.transaction.timers import TimerValues
from openpy.useragent.authentication import Account

RFC_TIMERS = TimerValues()

TRANSPORTS = ("udp", *CONNECTED)


def main(arguments: Sequence[str] | None = None, timers: TimerValues = RFC_TIMERS) -> int:
    """Run the command and return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.manage is not None:
        return _manage(options)
    options.timers = timers
    try:
        options.uri = _sip_uri(options.uri)
        _check_event(options.event)
        options.target = _target(options)
        options.account = _account(options)
    except ValueError as error:
        parser.error(str(error))
    try:
        return int(asyncio.run(options.command(options)))
    except KeyboardInterrupt:
        return ExitStatus.DONE
    except Unreachable as error:
        complain(str(error))
        return ExitStatus.NO_ANSWER


def _manage(options: argparse.Namespace) -> int:
    """Talk to a server that runs."""
    try:
        return int(options.manage(options))
    except KeyboardInterrupt:
        complain("interrupted; the server goes on with it")
        return ExitStatus.NO_ANSWER
    except control.NoServer as error:
        complain(str(error))
        return ExitStatus.NO_ANSWER


def _trace(options: argparse.Namespace) -> int:
    path = options.socket or control.SOCKET
    patience = None if options.switch == "on" else control.PATIENCE
    return trace.run(
        options, lambda request: control.ask(path, request, patience), show, colours=sys.stdout.isatty()
    )


# --- the command line -------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="openpyctl",
        description="Watch and publish presence; manage a server.",
        epilog="Exit status: 0 done, 1 refused, 2 usage, 3 no answer within 32 s.",
    )
    parser.set_defaults(manage=None)
    commands = parser.add_subparsers(required=True, metavar="command")
    watcher = commands.add_parser("watch", help="subscribe and show each state as it comes")
    _common(watcher)
    watcher.add_argument("--once", action="store_true", help="show the first state and end")
    watcher.set_defaults(command=watch.run)
    publisher = commands.add_parser("publish", help="publish a state, refresh it, remove it at the end")
    _common(publisher)
    publisher.add_argument("basic", nargs="?", choices=("open", "closed"), default="open")
    publisher.add_argument("--note", default="", help="a note for the watchers")
    publisher.add_argument("--body", metavar="FILE", help="publish this PIDF document instead")
    publisher.add_argument("--once", action="store_true", help="publish once and leave it to expire")
    publisher.set_defaults(command=publish.run)
    manager = commands.add_parser("mi", help="give a server a management command")
    mi.add_arguments(manager)
    manager.set_defaults(manage=mi.run)
    tracer = commands.add_parser("trace", help="show what a server's script does with each message")
    trace.add_arguments(tracer)
    control.add_arguments(tracer)
    tracer.set_defaults(manage=_trace)
    reloader = commands.add_parser("reload", help="let a server read its script anew")
    reload.add_arguments(reloader)
    control.add_arguments(reloader)
    reloader.set_defaults(manage=reload.run)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("uri", help="whose presence, such as sip:alice@example.org")
    parser.add_argument("--from", dest="from_uri", metavar="URI", help="who we are")
    parser.add_argument(
        "--proxy", metavar="HOST:PORT", help="where to send to; default: the URI's own host and port"
    )
    parser.add_argument("--transport", choices=TRANSPORTS, help="default: the URI's own, else udp")
    parser.add_argument(
        "--ca", metavar="FILE", help="whom tls and wss trust; default: whom the system trusts"
    )
    parser.add_argument("--certificate", metavar="FILE", help="what tls and wss show of ours")
    parser.add_argument("--key", metavar="FILE", help="its key; default: it is in the same file")
    parser.add_argument("--path", metavar="PATH", help="that of ws and wss; default: /")
    parser.add_argument("--user", help="name for digest authentication")
    parser.add_argument("--password", help="password (or the variable OPENPY_PASSWORD)")
    parser.add_argument("--event", default="presence")
    parser.add_argument("--expires", type=_seconds, default=600, metavar="SECONDS")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _seconds(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1 second")
    return value


# --- what it means: each function raises ValueError for a mistake ---------------------------------------------------


def _sip_uri(text: str) -> Uri:
    try:
        uri = parse_uri(text)
    except RemoteError as error:
        raise ValueError(f"{text}: {error.reason}; write a SIP URI such as sip:alice@example.org") from None
    if uri.scheme != "sip" or uri.headers or not text.isprintable() or " " in text:
        raise ValueError(f"{text}: write a SIP URI such as sip:alice@example.org")
    return uri


def _check_event(text: str) -> None:
    try:
        parse_event(text)
    except RemoteError as error:
        raise ValueError(f"--event {text}: {error.reason}") from None
    if not text.isprintable():
        raise ValueError(f"--event {text!r}: write a name such as presence")


def _target(options: argparse.Namespace) -> Target:
    uri: Uri = options.uri
    transport = options.transport or uri.transport or "udp"
    if transport not in TRANSPORTS:
        raise ValueError(f"{uri}: the transport is one of {', '.join(TRANSPORTS)}")
    there = uri
    if options.proxy is not None:
        try:
            there = parse_uri("sip:" + options.proxy)
        except RemoteError:
            raise ValueError(f"--proxy {options.proxy}: write HOST:PORT") from None
    return Target(transport, there.host, there.port or default_port(transport), _stack(options, transport))


def _stack(options: argparse.Namespace, transport: str) -> Stack | None:
    """What runs over TCP there."""
    credentials = Credentials(options.ca or "", options.certificate or "", options.key or "")
    if any(credentials) and transport not in SECURE:
        raise ValueError("--ca, --certificate and --key are for --transport tls and wss")
    if credentials.key and not credentials.certificate:
        raise ValueError("--key belongs to a --certificate")
    if options.path is not None and transport not in ("ws", "wss"):
        raise ValueError("--path is for --transport ws and wss")
    path = options.path or "/"
    if not path.startswith("/") or not path.isascii() or not path.isprintable() or " " in path:
        raise ValueError(f"--path {path}: write a path such as /sip")
    return stack_of(transport, credentials, path) if transport in CONNECTED else None


def _account(options: argparse.Namespace) -> Account | None:
    """Who to say we are when challenged: the name in --user, else in --from, else in the URI."""
    own = options.uri if options.from_uri is None else _sip_uri(options.from_uri)
    password = options.password if options.password is not None else os.environ.get("OPENPY_PASSWORD")
    if password is None:
        if options.user is not None:
            raise ValueError("--user needs --password or the variable OPENPY_PASSWORD")
        return None
    return Account(options.user or own.user or "", password)


if __name__ == "__main__":
    sys.exit(main())
