"""`openpyctl mi`: a management command, by a server's control socket or by the FIFO of its module mi_fifo.

The socket is taken where there is one, unless --fifo or --reply-dir says otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import sys
import time

from openpy.cli import control
from openpy.cli.console import ExitStatus, complain, printable, show
from openpy.engine.mi import Reply
from openpy.engine.mitext import reply_text, request_text

PATIENCE = 32.0  # seconds for an answer

FIFO, REPLY_DIR = "/tmp/openser_fifo", "/tmp/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("name", metavar="COMMAND", help="such as which, uptime, get_statistics")
    parser.add_argument(
        "parameters", nargs="*", default=[], metavar="PARAMETER", help="as the command takes them"
    )
    control.add_arguments(parser)
    parser.add_argument("--fifo", metavar="PATH", help=f"the server's fifo_name, such as {FIFO}: ask there")
    parser.add_argument("--reply-dir", metavar="DIR", help=f"the server's reply_dir; default: {REPLY_DIR}")


def run(options: argparse.Namespace, patience: float = PATIENCE) -> ExitStatus:
    """Ask, print the answer and return the exit status; raises NoServer."""
    by_fifo = options.fifo is not None or options.reply_dir is not None
    if by_fifo and options.socket is not None:
        complain("--socket and --fifo are two ways to a server: give one of them")
        return ExitStatus.USAGE
    if by_fifo or (options.socket is None and not os.path.exists(control.SOCKET) and os.path.exists(FIFO)):
        return _ask_fifo(options, patience)
    reply = control.command(options.socket or control.SOCKET, options.name, options.parameters, patience)
    return show_reply(reply)


def show_reply(reply: Reply) -> ExitStatus:
    """Print an answer: what it says to stdout, a refusal to stderr."""
    return _show(reply_text(reply, "  "))


def _ask_fifo(options: argparse.Namespace, patience: float) -> ExitStatus:
    name = f"openpyctl_{os.getpid()}"
    request = request_text(options.name, name, options.parameters)
    place = os.path.join(options.reply_dir or REPLY_DIR, name)
    try:
        answer = _exchange(request, options.fifo or FIFO, place, time.monotonic() + patience)
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}")
        return ExitStatus.NO_ANSWER
    return _show(answer)


def _exchange(request: str, fifo: str, reply: str, deadline: float) -> str:
    """Make the FIFO for the reply, ask, and read the answer; raises OSError."""
    with contextlib.ExitStack() as made:
        os.mkfifo(reply)
        made.callback(os.unlink, reply)
        os.chmod(reply, 0o622)  # the server may run as another user
        reader = os.open(reply, os.O_RDONLY | os.O_NONBLOCK)
        made.callback(os.close, reader)
        _write(fifo, request)
        return _read(reader, deadline)


def _write(path: str, request: str) -> None:
    writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)  # without a server this fails instead of waiting
    os.set_blocking(writer, True)
    with os.fdopen(writer, "wb") as fifo:
        fifo.write(request.encode("utf-8", "surrogateescape"))


def _read(reader: int, deadline: float) -> str:
    """What is written until the writer closes; "" if nobody writes."""
    readable = select.poll()
    readable.register(reader, select.POLLIN)
    answer = b""
    while readable.poll(max(0.0, deadline - time.monotonic()) * 1000):
        piece = os.read(reader, 65536)
        if not piece:
            break
        answer += piece
    return answer.decode("utf-8", "surrogateescape")


def _show(answer: str) -> ExitStatus:
    status, *lines = answer.rstrip("\n").split("\n")
    if not status:
        complain("no answer")
        return ExitStatus.NO_ANSWER
    if not status.startswith("2"):
        complain(status)
        for line in lines:
            print(printable(line.expandtabs(2)), file=sys.stderr)
        return ExitStatus.REFUSED
    for line in lines:
        if not show(line.expandtabs(2)):
            break
    return ExitStatus.DONE
