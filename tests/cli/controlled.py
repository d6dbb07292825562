"""A server's control socket, played by a test."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self


class Controlled(threading.Thread):
    """Hears one request for each list of answers, and gives these; then it closes the connection."""

    def __init__(self, path: Path, *answers: Sequence[Any]) -> None:
        super().__init__()
        self.heard: list[Any] = []
        self._answers = answers
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.join()
        self._listener.close()

    def run(self) -> None:
        for answers in self._answers:
            connection, _ = self._listener.accept()
            with connection, connection.makefile("rb") as lines:
                self.heard.append(json.loads(lines.readline()))
                for answer in answers:
                    text = answer if isinstance(answer, str) else json.dumps(answer)
                    connection.sendall(text.encode() + b"\n")


def reply(*lines: str, code: int = 200, reason: str = "OK") -> dict[str, Any]:
    """The answer to a management command."""
    nodes = [{"name": "", "value": line, "attributes": {}, "nodes": []} for line in lines]
    return {"type": "reply", "code": code, "reason": reason, "nodes": nodes}
