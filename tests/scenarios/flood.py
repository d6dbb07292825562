"""Somebody who sends without waiting for answers, from a process of his own.

He asks for the state of presentities, each time once (SUBSCRIBE with Expires 0): the server answers each with a 200 and
a NOTIFY, and keeps nothing. `python -m tests.scenarios.flood` prints a `Tide` as JSON.
"""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from array import array
from collections import Counter
from typing import NamedTuple

from bench.messages import ok

PRESENTITIES = 100
BATCH = 64  # datagrams that are sent before answers are read
IDLE = 0.001  # seconds
AFTERWARDS = 1.0  # seconds in which answers are still read
IN_TIME = 0.5  # seconds: RFC 3261 Timer E; who was not answered by then asks again
RECEIVE_BUFFER = 16 << 20
SO_RCVBUFFORCE = 33


class Tide(NamedTuple):
    """What was sent in so many seconds, and how many were answered how; `good` is the 200 that came in time."""

    sent: int
    seconds: float
    good: int
    late: int
    refused: int
    others: int
    without_retry_after: int
    p99: float
    """Seconds, of the 200."""

    @property
    def goodput(self) -> float:
        """Requests a second."""
        return self.good / self.seconds


class Flooder:
    """One socket, from which `watchers` watchers ask in turn."""

    def __init__(self, server: tuple[str, int], watchers: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(server)
        self._socket.setblocking(False)
        self._watchers = watchers
        self._times = array("d")
        self._latencies = array("d")
        self._answers: Counter[int] = Counter()
        self._without_retry_after = 0
        self._notifies = 0
        host = "{}:{}".format(*self._socket.getsockname())
        self._template = (
            "SUBSCRIBE sip:p%d@example.org SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host};branch=z9hG4bKflood.%d.;rport\r\n"
            "Max-Forwards: 70\r\nFrom: <sip:w%d@example.org>;tag=f%d\r\nTo: <sip:p%d@example.org>\r\n"
            f"Call-ID: flood-%d-{host}\r\nCSeq: 1 SUBSCRIBE\r\nContact: <sip:flood@{host}>\r\n"
            "Event: presence\r\nAccept: application/pidf+xml\r\nExpires: 0\r\nContent-Length: 0\r\n\r\n"
        ).encode()

    def run(self, seconds: float, rate: float, window: int = 0) -> Tide:
        """Send `rate` requests a second; or, with a window, as many as are answered."""
        begin = time.monotonic()
        while (elapsed := time.monotonic() - begin) < seconds:
            if window:
                due = window - (len(self._times) - self._answers.total())
            else:
                due = int(elapsed * rate) - len(self._times)
            self._send(min(due, BATCH))
            self._receive(IDLE if due <= BATCH else 0.0)
        elapsed = time.monotonic() - begin
        end = time.monotonic() + AFTERWARDS
        while time.monotonic() < end:
            self._receive(IDLE)
        return self._tide(elapsed)

    def _send(self, count: int) -> None:
        for _ in range(count):
            number = len(self._times)
            presentity = number % PRESENTITIES
            message = self._template % (
                presentity,
                number,
                number % self._watchers,
                number,
                presentity,
                number,
            )
            try:
                self._socket.send(message)
            except BlockingIOError:
                return
            self._times.append(time.monotonic())

    def _receive(self, patience: float) -> None:
        if not select.select([self._socket], [], [], patience)[0]:
            return
        try:
            for _ in range(4 * BATCH):
                data = self._socket.recv(65535)
                if data.startswith(b"SIP/2.0 "):
                    self._answered(data)
                else:
                    self._socket.send(ok(data))
        except BlockingIOError:
            pass

    def _answered(self, data: bytes) -> None:
        status = int(data[8:11])
        self._answers[status] += 1
        if status == 200:
            number = int(data.partition(b"z9hG4bKflood.")[2].partition(b".")[0])
            self._latencies.append(time.monotonic() - self._times[number])
        elif b"\r\nRetry-After: " not in data:
            self._without_retry_after += 1

    def _tide(self, seconds: float) -> Tide:
        good = sum(latency <= IN_TIME for latency in self._latencies)
        refused = self._answers[503]
        return Tide(
            sent=len(self._times),
            seconds=seconds,
            good=good,
            late=len(self._latencies) - good,
            refused=refused,
            others=self._answers.total() - len(self._latencies) - refused,
            without_retry_after=self._without_retry_after,
            p99=percentile(self._latencies, 0.99),
        )


def percentile(values: array[float] | list[float], part: float) -> float:
    """The value that so large a part does not exceed; 0 for no values."""
    ranked = sorted(values)
    return ranked[int(part * (len(ranked) - 1))] if ranked else 0.0


class FloodProcess:
    """A flood that has begun; `wait` gives its tide."""

    def __init__(
        self,
        server: tuple[str, int],
        seconds: float,
        *,
        rate: float = 0.0,
        window: int = 0,
        watchers: int = 1_000_000,
    ) -> None:
        arguments = [*server, seconds, rate, window, watchers]
        self._patience = seconds + 30
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.flood", *map(str, arguments)], stdout=subprocess.PIPE
        )

    @property
    def running(self) -> bool:
        """Whether it still sends, or waits for late answers."""
        return self._process.poll() is None

    def wait(self) -> Tide:
        """Its end."""
        try:
            output, _ = self._process.communicate(timeout=self._patience)
        finally:
            self._process.kill()
        return Tide(*json.loads(output))


def main() -> None:
    """The process."""
    host, port, seconds, rate, window, watchers = sys.argv[1:]
    flooder = Flooder((host, int(port)), int(watchers))
    print(json.dumps(flooder.run(float(seconds), float(rate), int(window))))


if __name__ == "__main__":
    main()
