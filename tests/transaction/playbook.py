"""Playbooks: a dialogue between the network and a transaction user, in virtual time.

Each line is `<time> <sign> <text>`:
    <  a message arrives        >  a message must leave
    -  the user acts            =  the user must be told
`gone` is told when the last transaction has ended. What arrives and what the user does is played; what leaves
and what is told is recorded; the record must equal the playbook.
"""

from __future__ import annotations

from collections.abc import Callable

from openpy.sip.build import reply
from openpy.sip.message import Request, Response, parse_message
from openpy.transaction.client import ClientTransaction
from openpy.transaction.layer import Layer
from openpy.transaction.server import ServerTransaction
from openpy.transaction.timers import TimerValues
from openpy.transaction.wheel import Wheel

BRANCH = "z9hG4bKtest"


class RecordingFlow:
    """A flow to 192.0.2.1:5060 that hands what is sent to `sent`."""

    def __init__(self, sent: Callable[[bytes], None], transport: str = "udp") -> None:
        self.transport = transport
        self.reliable = transport != "udp"
        self.host, self.port = "192.0.2.1", 5060
        self.local_host, self.local_port = "192.0.2.2", 5060
        self._sent = sent

    def send(self, data: bytes) -> None:
        self._sent(data)


def request(method: str, branch: str = BRANCH, to_tag: str = "", uri: str = "sip:bob@example.com") -> Request:
    """A request from 192.0.2.1."""
    tag = f";tag={to_tag}" if to_tag else ""
    message = parse_message(
        f"{method} {uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.1;branch={branch}\r\n"
        "Max-Forwards: 70\r\n"
        "From: <sip:alice@example.com>;tag=a1\r\n"
        f"To: <sip:bob@example.com>{tag}\r\n"
        "Call-ID: call@example.com\r\n"
        f"CSeq: 7 {method}\r\n"
        "Content-Length: 0\r\n\r\n".encode()
    )
    assert isinstance(message, Request)
    return message


def response(status: int, method: str, branch: str = BRANCH) -> Response:
    """A response to `request(method, branch)`."""
    message = parse_message(reply(request(method, branch), status, "Reason", to_tag="b1"))
    assert isinstance(message, Response)
    return message


def summary(data: bytes) -> str:
    """A message as playbooks write it: `INVITE`, `200 INVITE`."""
    message = parse_message(data)
    return message.method if isinstance(message, Request) else f"{message.status} {message.cseq.method}"


class Playbook:
    """One layer, and a transaction user who does what the playbook says."""

    def __init__(self, transport: str = "udp", timers: TimerValues | None = None) -> None:
        self.wheel = Wheel(0.0)
        self.layer = Layer(self.wheel, timers or TimerValues(), lambda: "0123456789abcdef")
        self.flow = RecordingFlow(lambda data: self.record(">", summary(data)), transport)
        self.log: list[str] = []
        self.server: ServerTransaction | None = None
        self.client: ClientTransaction | None = None

    def play(self, text: str) -> None:
        lines = [" ".join(line.split()) for line in text.strip().splitlines()]
        for line in lines:
            time, sign, what = line.split(" ", 2)
            self.run_to(float(time))
            if sign in "<-":
                self.record(sign, what)
                (self.arrive if sign == "<" else self.act)(what)
                self.notice_end()
        self.run_to(self.wheel.now + 200)
        assert self.log == lines
        assert self.in_use == 0
        assert len(self.wheel) == 0

    @property
    def in_use(self) -> int:
        return self.layer.servers_in_use + self.layer.clients_in_use

    def record(self, sign: str, what: str) -> None:
        self.log.append(f"{round(self.wheel.now, 3):g} {sign} {what}")

    def run_to(self, time: float) -> None:
        while (due := self.wheel.next_due()) is not None and due <= time:
            self.wheel.advance(due)
            self.notice_end()
        self.wheel.advance(time)

    def notice_end(self) -> None:
        if (self.server or self.client) and not self.in_use:
            self.server = self.client = None
            self.record("=", "gone")

    def arrive(self, what: str) -> None:
        first, _, method = what.partition(" ")
        if first.isdigit():
            if not self.layer.receive_reply(response(int(first), method), self.flow):
                self.record("=", "stray")
            return
        message = request(first)
        if self.layer.receive_request(message, self.flow) is None:
            self.record("=", first)
            if first not in ("ACK", "CANCEL"):
                self.server = self.layer.create_server(message, self.flow)

    def act(self, what: str) -> None:
        verb, _, argument = what.partition(" ")
        if verb == "send":
            data = request(argument).raw
            self.client = self.layer.create_client(data, BRANCH, argument, self.flow, self)
        elif verb == "reply":
            assert self.server is not None
            if not self.server.reply(int(argument), reply(request(self.method), int(argument), "Reason")):
                self.record("=", "refused")
        elif verb == "release":
            assert self.server is not None
            self.layer.release(self.server)
        elif verb == "lose":
            self.layer.flow_failed(self.flow)
        else:
            assert self.client is not None
            {"cancel": self.client.cancel, "drop": self.client.drop}[verb]()

    @property
    def method(self) -> str:
        return "INVITE" if self.server is not None and self.server.is_invite else "OPTIONS"

    # The user is told

    def on_reply(self, transaction: ClientTransaction, response: Response) -> None:
        self.record("=", f"{response.status} {response.cseq.method}")

    def on_timeout(self, transaction: ClientTransaction) -> None:
        self.record("=", "timeout")

    def on_transport_error(self, transaction: ClientTransaction) -> None:
        self.record("=", "transport error")
