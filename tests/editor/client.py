"""An editor, as far as a language server can tell: JSON-RPC over two pipes."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, BinaryIO

PATIENCE = 30
"""Seconds until an answer is late."""


class Client:
    """Sends requests and notifications, waits for answers, keeps the diagnostics of each document."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader, self._writer = reader, writer
        self._messages: Queue[dict[str, Any] | None] = Queue()
        self._last = 0
        self._versions: dict[str, int] = defaultdict(int)
        self.shown: list[str] = []
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while line := self._reader.readline():
            length = int(line.split(b":")[1])
            while self._reader.readline().strip():
                pass
            self._messages.put(json.loads(self._reader.read(length)))
        self._messages.put(None)

    def send(self, message: dict[str, Any]) -> None:
        self.send_bytes(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def send_bytes(self, body: bytes) -> None:
        self._writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._writer.flush()

    def next(self) -> dict[str, Any]:
        message = self._messages.get(timeout=PATIENCE)
        assert message is not None, "the server has closed its end"
        if message.get("method") == "window/showMessage":
            self.shown.append(message["params"]["message"])
        return message

    def ended(self) -> bool:
        while (message := self._messages.get(timeout=PATIENCE)) is not None:
            assert "result" not in message
        return True

    def ask(self, method: str, params: Any = None) -> dict[str, Any]:
        """The whole answer to a request."""
        self._last += 1
        self.send({"id": self._last, "method": method, "params": params})
        while (answer := self.next()).get("id") != self._last:
            pass
        return answer

    def request(self, method: str, **params: Any) -> Any:
        answer = self.ask(method, params)
        assert "error" not in answer, answer
        return answer["result"]

    def notify(self, method: str, **params: Any) -> None:
        self.send({"method": method, "params": params})

    # --- a session ----------------------------------------------------------------------------------------

    def initialize(self, root: Path, **general: Any) -> Any:
        result = self.request(
            "initialize", processId=None, rootUri=root.as_uri(), capabilities={"general": general}
        )
        self.notify("initialized")
        return result

    def open(self, uri: str, text: str) -> None:
        document = {"uri": uri, "languageId": "openser", "version": 0, "text": text}
        self.notify("textDocument/didOpen", textDocument=document)

    def change(self, uri: str, text: str) -> None:
        self._versions[uri] += 1
        document = {"uri": uri, "version": self._versions[uri]}
        self.notify("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])

    def diagnostics(self, uri: str) -> list[Any]:
        """What is said about a document next."""
        while True:
            message = self.next()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                found: list[Any] = message["params"]["diagnostics"]
                return found

    def at(self, method: str, uri: str, line: int, character: int, **more: Any) -> Any:
        position = {"line": line, "character": character}
        return self.request(f"textDocument/{method}", textDocument={"uri": uri}, position=position, **more)

    def leave(self) -> None:
        self.ask("shutdown")
        self.notify("exit")
