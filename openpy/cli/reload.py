"""`openpyctl reload`: let a server that runs read its script anew, and show what changes."""

from __future__ import annotations

import argparse
import sys

from openpy.cli import control
from openpy.cli.console import ExitStatus, complain, printable, show

DONE = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--dry-run", action="store_true", help="check, show what would change, change nothing"
    )
    parser.add_argument(
        "--partial", action="store_true", help="change what can be changed, though some of it needs a restart"
    )


def run(options: argparse.Namespace) -> ExitStatus:
    """Ask, print what changes or why nothing does, and return the exit status; raises NoServer.

    A large script is checked for as long as it takes.
    """
    wanted = [word for word, given in (("dry-run", options.dry_run), ("partial", options.partial)) if given]
    reply = control.command(options.socket or control.SOCKET, "reload", wanted, patience=None)
    lines = [printable((node.value or "").expandtabs(4)) for node in reply.nodes]
    if reply.code != DONE:
        complain(reply.reason)
        for line in lines:
            print(line, file=sys.stderr)
        return ExitStatus.REFUSED
    for line in lines:
        if not show(line):
            break
    return ExitStatus.DONE
