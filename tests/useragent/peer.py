"""The other side of a user agent: what was sent to it, and what it answers, in virtual time."""

from __future__ import annotations

from itertools import count

from openpy.sip.build import reason_phrase, reply
from openpy.sip.message import Request, Response, parse_message
from openpy.transaction.layer import Layer
from openpy.transaction.timers import TimerValues
from openpy.transaction.wheel import Wheel
from openpy.useragent.agent import UserAgent
from openpy.useragent.authentication import Account


class Peer:
    """A server that answers only when told to; it is the agent's flow, too."""

    transport = "udp"
    reliable = False
    host, port = "192.0.2.1", 5060
    local_host, local_port = "192.0.2.2", 5070

    def __init__(self, account: Account | None = None, transport: str = "udp") -> None:
        self.transport = transport
        self.reliable = transport != "udp"
        self.wheel = Wheel(0.0)
        numbers = count(1)
        self.layer = Layer(self.wheel, TimerValues(), lambda: "0123456789abcdef")
        self.agent = UserAgent(
            self.layer,
            local_contact="sip:agent@192.0.2.2:5070",
            random=lambda: f"random{next(numbers)}",
            clock=lambda: self.wheel.now,
            account=account,
        )
        self.requests: list[Request] = []
        self.replies: list[Response] = []
        self._branches = count(1)

    def send(self, data: bytes) -> None:
        """Take what the agent sends."""
        message = parse_message(data)
        if isinstance(message, Request):
            self.requests.append(message)
        else:
            self.replies.append(message)

    @property
    def last(self) -> Request:
        return self.requests[-1]

    def answer(
        self, status: int, headers: str = "", to_tag: str = "peer", request: Request | None = None
    ) -> None:
        """Answer the last request, or `request`."""
        data = reply(request or self.last, status, reason_phrase(status), to_tag=to_tag, headers=headers)
        response = parse_message(data)
        assert isinstance(response, Response)
        assert self.layer.receive_reply(response, self)

    def deliver(self, text: str) -> bool:
        """Let a request arrive; lines are stripped and ended properly, and an empty body is added."""
        lines = [line.strip() for line in text.strip().splitlines()]
        head, _, body = "\r\n".join(lines).partition("\r\n\r\n")
        request = parse_message(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        assert isinstance(request, Request)
        return self.agent.receive_request(request, self)

    def notify(
        self,
        state: str,
        cseq: int,
        *,
        tag: str = "peer",
        event: str = "presence",
        more: str = "X-Nothing: more",
        body: str = "",
        subscribe: Request | None = None,
    ) -> int:
        """Let a NOTIFY for the last SUBSCRIBE arrive; return the status of the answer."""
        asked = subscribe or [request for request in self.requests if request.method == "SUBSCRIBE"][-1]
        self.deliver(f"""
            NOTIFY sip:agent@192.0.2.2:5070 SIP/2.0
            Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKpeer{next(self._branches)}
            From: <sip:alice@example.com>;tag={tag}
            To: {asked.get("From")}
            Call-ID: {asked.call_id}
            CSeq: {cseq} NOTIFY
            Contact: <sip:{tag}@192.0.2.1>
            Event: {event}
            Subscription-State: {state}
            {more}

            {body}
        """)
        return self.replies[-1].status

    def run_to(self, time: float) -> None:
        while (due := self.wheel.next_due()) is not None and due <= time:
            self.wheel.advance(due)
        self.wheel.advance(time)
