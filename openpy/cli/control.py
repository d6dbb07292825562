"""The way from a command to the control socket of a server that runs."""

from __future__ import annotations

import argparse
import json
import socket
from collections.abc import Iterator
from typing import Any

from openpy.engine.mi import Node, Reply

SOCKET = "openpyctl.sock"
"""In the server's working directory, unless `openpy --control` names another."""

PATIENCE = 32.0
"""Seconds for an answer."""

Event = dict[str, Any]


class NoServer(Exception):
    """No answer can be had; the text says why, and what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the server is."""
    parser.add_argument("--socket", metavar="PATH", help=f"the server's control socket; default: {SOCKET}")


def ask(path: str, request: Event, patience: float | None = PATIENCE) -> Iterator[Event]:
    """Send a request, and give the objects that come back until the server closes or the caller stops reading.

    `patience` is in seconds between two of them; None: any time. Raises NoServer.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(patience)
        try:
            connection.connect(path)
            connection.sendall(json.dumps(request).encode("ascii") + b"\n")
            with connection.makefile("rb") as lines:
                for line in lines:
                    yield json.loads(line)
        except FileNotFoundError:
            raise NoServer(
                f"there is no {path} here: run this where the server runs, or name its socket with --socket"
            ) from None
        except ConnectionRefusedError:
            raise NoServer(f"{path}: the server that made it has gone") from None
        except PermissionError:
            raise NoServer(f"{path} belongs to another user: run this as that user, or as root") from None
        except TimeoutError:
            raise NoServer(f"{path}: no answer within {patience:g} s") from None
        except (OSError, ValueError) as error:
            raise NoServer(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def command(path: str, name: str, parameters: list[str], patience: float | None = PATIENCE) -> Reply:
    """Give a management command; raises NoServer. What the server cannot make out is answered with 400."""
    for answer in ask(path, {"command": "mi", "name": name, "parameters": parameters}, patience):
        if answer["type"] == "reply":
            return Reply(answer["code"], answer["reason"], _nodes(answer["nodes"]))
        return Reply(400, answer["text"])
    raise NoServer(f"{path}: the server closed the connection instead of an answer")


def _nodes(told: list[Event]) -> list[Node]:
    return [Node(item["name"], item["value"], item["attributes"], _nodes(item["nodes"])) for item in told]
