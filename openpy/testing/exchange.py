"""A request that a test hands in, what the script made of it, and what was sent because of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address

from openpy.engine.run import Run
from openpy.engine.sockets import bracketed
from openpy.script.environment import Environment
from openpy.script.formats import parse_single
from openpy.script.stopping import Stop
from openpy.script.values import Value
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, Response, parse_message
from openpy.sip.uri import parse_uri
from openpy.testing.messages import Header, Headers, reply
from openpy.testing.record import short

Peer = tuple[str, str, int]
"""transport, host, port"""


@dataclass(eq=False)
class Sent:
    """One message that the server sent. `at` is in seconds since the start."""

    data: bytes
    peer: Peer
    at: float
    again: bool
    """Whether the same was sent to the same peer before: a retransmission."""
    message: Request | Response = field(repr=False)
    _answered: Callable[[Sent, bytes], list[Sent]] = field(repr=False)

    @property
    def target(self) -> str:
        """Where it went: `udp:192.0.2.1:5060`."""
        return written(self.peer)

    @property
    def method(self) -> str:
        """The method; of a reply, that of its CSeq."""
        return self.message.method if isinstance(self.message, Request) else self.message.cseq.method

    @property
    def uri(self) -> str:
        """The Request-URI; "" of a reply."""
        return self.message.uri if isinstance(self.message, Request) else ""

    @property
    def status(self) -> int:
        """The status; 0 of a request."""
        return self.message.status if isinstance(self.message, Response) else 0

    @property
    def reason(self) -> str:
        """The reason phrase; "" of a request."""
        return self.message.reason if isinstance(self.message, Response) else ""

    @property
    def body(self) -> bytes:
        """The body."""
        return self.message.body

    def get(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return self.message.get(name)

    def all(self, name: str) -> list[str]:
        """The values of all headers of a name."""
        return self.message.all(name)

    def answer(
        self,
        status: int,
        reason: str | None = None,
        headers: Headers | None = None,
        body: bytes | str | None = None,
        **fields: Header,
    ) -> list[Sent]:
        """Let the peer answer this request, and a moment pass; what was sent because of it."""
        if not isinstance(self.message, Request):
            raise TypeError(f"{self} is a reply: nobody answers it")
        made = reply(self.message, status, reason, {**(headers or {}), **fields}, body)
        return self._answered(self, made)

    def __str__(self) -> str:
        return f"{short(self.message)} to {self.target}"


class Exchange:
    """One request and what came of it. It goes on as time passes: a later reply is found here too.

    `status`, `reason`, `get`, `all` and `body` are those of the last reply; reading them raises AssertionError where
    there is none. What the script left behind (`flags`, `avps` ...) is that of the main route.
    """

    def __init__(self, data: bytes, source: Peer, environment: Environment) -> None:
        message = parse_message(data)
        self.message = message
        self.source = source
        self.replies: list[Sent] = []
        """What it was answered with, without retransmissions."""
        self.relayed: list[Sent] = []
        """The requests that it went on as, without retransmissions."""
        self.sent: list[Sent] = []
        """All that was sent in the moment after it came: also NOTIFYs, and retransmissions."""
        self.routes: list[str] = []
        """The routes that it went through, in order: `route`, `route[2]` ..."""
        self.run: Run | None = None
        """The run of the main route (of a reply: of the onreply_route), once there was one."""
        self.code: int | None = None
        """What the main route returned; None: it was left by `exit` or `drop`, or waits."""
        self._environment = environment
        self._cseq = message.cseq.number if message.has("CSeq") else 0

    def __repr__(self) -> str:
        answer = f"{self.status} {self.reason}" if self.replies else "not answered"
        return f"<Exchange {short(self.message)}: {answer}>"

    # --- the reply --------------------------------------------------------------------------------------------

    @property
    def reply(self) -> Sent:
        """The last reply."""
        assert self.replies, f"{short(self.message)} was not answered"
        return self.replies[-1]

    @property
    def status(self) -> int:
        """The status of the last reply."""
        return self.reply.status

    @property
    def reason(self) -> str:
        """Its reason phrase."""
        return self.reply.reason

    @property
    def body(self) -> bytes:
        """Its body."""
        return self.reply.body

    def get(self, name: str) -> str | None:
        """The first value of a header of it, or None."""
        return self.reply.get(name)

    def all(self, name: str) -> list[str]:
        """The values of all headers of a name in it."""
        return self.reply.all(name)

    # --- what the script left -----------------------------------------------------------------------------------

    @property
    def flags(self) -> set[int]:
        """The numbers of the message flags that are set (`setflag`)."""
        return _bits(self._run.state.flags)

    @property
    def script_flags(self) -> set[int]:
        """Those of the script flags (`setsflag`)."""
        return _bits(self._run.script_flags)

    @property
    def branch_flags(self) -> set[int]:
        """Those of the first branch's flags (`setbflag`)."""
        return _bits(self._run.state.branch_flags)

    @property
    def avps(self) -> dict[str | int, list[Value]]:
        """The AVPs by name, `s:x` as "x" and `i:5` as 5; the newest value first."""
        return self._run.state.avps

    @property
    def variables(self) -> dict[str, str | int]:
        """The `$var`s that were set."""
        return self._run.variables

    @property
    def dropped(self) -> bool:
        """Whether the script said `drop`."""
        return self._run.dropped

    def value(self, variable: str) -> Value:
        """What a pseudo-variable is after the run, `value("$ru")`; None is NULL. Raises ArgumentError."""
        return parse_single(variable, self._environment)(self._run)

    @property
    def _run(self) -> Run:
        assert self.run is not None, f"{short(self.message)} did not reach the script"
        return self.run

    # --- told by the script's world ---------------------------------------------------------------------------------

    def routed(self, result: int | Stop | None) -> None:
        """The main route has ended."""
        self.code = result if isinstance(result, int) else None

    def takes(self, sent: Sent) -> bool:
        """Keep a message that was sent, if it belongs to this request; whether it does."""
        mine, theirs = self.message, sent.message
        same = theirs.get("Call-ID") == mine.get("Call-ID") and theirs.get("CSeq") == mine.get("CSeq")
        if not same or not isinstance(mine, Request):
            return False
        kept = self.relayed if isinstance(theirs, Request) else self.replies
        if isinstance(theirs, Response) and _branch(theirs) != _branch(mine):
            return False
        if all((item.data, item.peer) != (sent.data, sent.peer) for item in kept):
            kept.append(sent)
        return True

    def within(self, method: str) -> tuple[str, dict[str, Header]]:
        """Request-URI and headers of a further request in the dialog that the last reply made."""
        answer = self.reply.message
        if method != "ACK":
            self._cseq += 1
        headers: dict[str, Header] = {
            "From": self.message.get("From"),
            "To": answer.get("To"),
            "Call-ID": self.message.get("Call-ID"),
            "CSeq": f"{self._cseq} {method}",
            "Route": answer.values("Record-Route")[::-1],
        }
        contacts = answer.contacts
        target = contacts[0].uri_text if isinstance(contacts, list) and contacts else None
        return target or (self.message.uri if isinstance(self.message, Request) else ""), headers


def peer_of(source: str) -> Peer:
    """A peer from text: `192.0.2.1`, `192.0.2.1:5070`, `tcp:[::1]:5070`. Raises ValueError."""
    transport, colon, rest = source.partition(":")
    if not colon or transport not in ("udp", "tcp"):
        transport, rest = "udp", source
    try:
        uri = parse_uri(f"sip:{rest}")
        address = ip_address(uri.host.strip("[]"))
    except (RemoteError, ValueError):
        raise ValueError(f'"{source}" is no peer: write [udp:|tcp:]address[:port]') from None
    return transport, str(address), uri.port or 5060


def written(peer: Peer) -> str:
    """A peer as text: `udp:192.0.2.1:5060`."""
    transport, host, port = peer
    return f"{transport}:{bracketed(host)}:{port}"


def _branch(message: Request | Response) -> str | None:
    try:
        return message.via.branch
    except RemoteError:
        return None


def _bits(flags: int) -> set[int]:
    return {number for number in range(flags.bit_length()) if flags >> number & 1}
