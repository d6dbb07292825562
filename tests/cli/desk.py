"""A server played by a test, for the client commands: it answers as it is told to, in a thread."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import threading
from collections.abc import Callable, Sequence
from types import TracebackType

from tests.scenarios.wire import Phone, SipMessage

CHALLENGE = 'WWW-Authenticate: Digest realm="desk", nonce="n0nce", qop="auth", algorithm=MD5'

Play = Callable[["Desk", SipMessage], None]


class Desk:
    """Gives every request to `play`, and keeps all of them."""

    def __init__(self, play: Play) -> None:
        self.requests: list[SipMessage] = []
        self.replies: list[SipMessage] = []
        self._play = play
        self._phone = Phone(("127.0.0.1", 9), "desk")
        self._stopped = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._cseq = 0

    def __enter__(self) -> Desk:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = True
        self._thread.join()
        self._phone.close()
        if self._error is not None and error is None:
            raise self._error

    @property
    def port(self) -> int:
        return int(self._phone.port)

    @property
    def uri(self) -> str:
        return f"sip:alice@127.0.0.1:{self.port}"

    def _run(self) -> None:
        while True:
            stopped = self._stopped
            message = self._phone.receive(0.05)
            if message is None:
                if stopped:
                    return  # all that was sent before the end has been read
                continue
            if message.status:
                self.replies.append(message)
                continue
            self.requests.append(message)
            try:
                self._play(self, message)
            except Exception as error:  # noqa: BLE001 - raised in the test's own thread, by __exit__
                self._error = error
                return

    # --- what a play does -----------------------------------------------------------------------------------

    def answer(self, request: SipMessage, status: int, reason: str = "OK", *headers: str) -> None:
        if ";tag=" not in request.get("To"):
            tagged = [(k, f"{v};tag=desk" if k == "To" else v) for k, v in request.headers]
            request = SipMessage(request.start, tagged, request.body, request.address)
        self._phone.answer(request, status, reason, headers)

    def accept(self, request: SipMessage, expires: int = 600) -> None:
        """Accept a SUBSCRIBE."""
        self.answer(request, 200, "OK", f"Expires: {expires}", f"Contact: <{self._phone.contact}>")

    def notify(self, subscribe: SipMessage, state: str, *headers: str, body: bytes = b"") -> None:
        """NOTIFY in the dialog of a SUBSCRIBE."""
        self._cseq += 1
        lines = [
            "Event: presence",
            f"Subscription-State: {state}",
            f"Contact: <{self._phone.contact}>",
            *headers,
        ]
        if body:
            lines.append("Content-Type: application/pidf+xml")
        self.send(
            self._phone.build(
                "NOTIFY",
                subscribe.get("Contact").strip("<>"),
                to=subscribe.get("From"),
                from_tag="desk",
                from_uri=subscribe.get("To").partition("<")[2].partition(">")[0],
                call_id=subscribe.get("Call-ID"),
                cseq=self._cseq,
                headers=lines,
                body=body,
            ),
            subscribe.address,
        )

    def send(self, data: bytes, address: tuple[str, int]) -> None:
        self._phone.socket.sendto(data, address)


def interrupt() -> None:
    """Ctrl-C for this process."""
    os.kill(os.getpid(), signal.SIGINT)


def credentials_are(request: SipMessage, user: str, password: str) -> bool:
    """Whether a request answers CHALLENGE as this user (RFC 2617 section 3.2.2)."""
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', request.get("Authorization")))
    first = _md5(user, "desk", password)
    second = _md5(request.method, given["uri"])
    wanted = _md5(first, "n0nce", given["nc"], given["cnonce"], "auth", second)
    return (given["username"], given["response"]) == (user, wanted)


def _md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()


def cseqs(requests: Sequence[SipMessage]) -> list[int]:
    return [int(request.get("CSeq").split()[0]) for request in requests]
