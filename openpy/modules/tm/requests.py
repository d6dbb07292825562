"""Requests of our own: sent, cancelled, acknowledged, and answered to who asked for them (RFC 3261 sections 8.1, 13.2).

Rules:
1. Each request is answered once: by its final reply, by 408 where none comes, by 503 where the connection is lost, or
   by 487 where it was taken back before anybody had heard of it.
2. What cannot be sent at all is no answer: DestinationError says why.
3. Each 2xx to an INVITE is acknowledged, and so is its every repetition. One that nobody wants any more, of another
   branch or after a CANCEL, is ended with a BYE (13.2.2.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from openpy.engine.destinations import Destination, DestinationError, Ways, destination_of
from openpy.engine.sockets import Endpoint
from openpy.engine.state import State
from openpy.engine.waiting import Stepper, Wait
from openpy.modules.tm.branch import ClientBranch, Outgoing, Patience
from openpy.modules.tm.counts import ReplyCounts
from openpy.sip.build import reason_phrase
from openpy.sip.build import request as build_request
from openpy.sip.dialog import Dialog
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, Response, parse_message
from openpy.transaction.flow import Flow

if TYPE_CHECKING:
    from openpy.engine.server import Server


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """A request to send; `from_`, `to` and each of `routes` are whole header values, `headers` complete lines.

    It goes to the URI `next_hop`, or to the Request-URI. `address_mark` is what in `headers` stands for the `host:port`
    that it leaves by. `socket` is what it leaves by, where that matters.
    """

    method: str
    uri: str
    from_: str
    to: str
    call_id: str
    cseq: int
    next_hop: str = ""
    routes: tuple[str, ...] = ()
    headers: str = ""
    body: bytes = b""
    max_forwards: int = 70
    address_mark: str = ""
    socket: Endpoint | None = None

    @property
    def destination(self) -> Destination:
        """Where it goes; raises DestinationError."""
        return destination_of(self.next_hop or self.uri)

    def written(self, server: Server, flow: Flow, branch: str) -> bytes:
        """The bytes for a way."""
        host, port = server.advertised(flow)
        mark = self.address_mark
        headers = self.headers.replace(mark, f"{host}:{port}") if mark else self.headers
        agent = server.config.text("user_agent_header")
        return build_request(
            self.method,
            self.uri,
            via=f"SIP/2.0/{flow.transport.upper()} {host}:{port};branch={branch}",
            from_=self.from_,
            to=self.to,
            call_id=self.call_id,
            cseq=self.cseq,
            max_forwards=self.max_forwards,
            routes=self.routes,
            headers=f"{agent}\r\n{headers}" if agent else headers,
            body=self.body,
        )


def in_dialog(dialog: Dialog, method: str, headers: str = "", body: bytes = b"") -> OwnRequest:
    """The next request in a dialog, whose CSeq it takes; an ACK takes that of the last INVITE.

    Raises RemoteError (400) for a route set that cannot be read.
    """
    uri, routes, next_hop = dialog.request_parts()
    if method != "ACK":
        dialog.local_cseq += 1
    to_tag = f";tag={dialog.remote_tag}" if dialog.remote_tag else ""
    return OwnRequest(
        method,
        uri,
        f"<{dialog.local_uri}>;tag={dialog.local_tag}",
        f"<{dialog.remote_uri}>{to_tag}",
        dialog.call_id,
        dialog.local_cseq,
        next_hop,
        routes,
        headers,
        body,
    )


def credentials_in(headers: str) -> str:
    """The lines with credentials among complete header lines: an ACK has those of its INVITE (13.2.2.4)."""
    names = ("authorization", "proxy-authorization")
    lines = headers.split("\r\n")
    return "".join(f"{line}\r\n" for line in lines if line.partition(":")[0].strip().lower() in names)


class Answer(NamedTuple):
    """What became of a request; `response` is None where the reply was made here, `dialog` where there is none."""

    status: int
    reason: str
    response: Response | None = None
    dialog: Dialog | None = None


class Requests:
    """All requests of our own that are under way."""

    __slots__ = ("_counts", "_patience", "_server", "_under_way")

    def __init__(self, server: Server, patience: Callable[[], Patience], counts: ReplyCounts) -> None:
        self._server = server
        self._patience = patience
        self._counts = counts
        self._under_way: dict[tuple[str, int], _Exchange] = {}

    def send(self, request: OwnRequest) -> Wait[Answer]:
        """Send a request (not an ACK or a CANCEL); fails with DestinationError, or LocalError for a line end in it."""
        wait: Wait[Answer] = Wait()
        key = request.call_id, request.cseq

        def done() -> None:
            if self._under_way.get(key) is exchange:
                del self._under_way[key]

        exchange = self._under_way[key] = _Exchange(
            self._server, self._counts, request, self._patience(), wait, done, self.send
        )
        exchange.begin()
        return wait

    def cancel(self, call_id: str, cseq: int) -> bool:
        """Take a request back (an INVITE only can be); False if none is under way."""
        exchange = self._under_way.get((call_id, cseq))
        if exchange is None:
            return False
        exchange.cancel()
        return True


class _Exchange:
    """One request and what comes back; owner of its branch."""

    __slots__ = (
        "_accepted",
        "_acks",
        "_branch",
        "_counts",
        "_done",
        "_patience",
        "_request",
        "_send_more",
        "_server",
        "_wait",
    )

    def __init__(
        self,
        server: Server,
        counts: ReplyCounts,
        request: OwnRequest,
        patience: Patience,
        wait: Wait[Answer],
        done: Callable[[], None],
        send_more: Callable[[OwnRequest], object],
    ) -> None:
        self._server = server
        self._counts = counts
        self._request = request
        self._patience = patience
        self._wait = wait
        self._done = done
        self._send_more = send_more
        self._branch: ClientBranch | None = None
        self._accepted = ""  # the To tag of the 2xx that the request was answered with
        self._acks: dict[str, tuple[Flow, bytes]] = {}

    def begin(self) -> None:
        """Look for the way and send."""
        Stepper(self._send(), self._begun).step()

    async def _send(self) -> None:
        request, server = self._request, self._server
        message = Outgoing(
            server,
            State(send_socket=request.socket),
            request.method,
            request.uri,
            partial(request.written, server),
        )
        self._branch = ClientBranch(message, request.destination, self, self._patience)
        await self._branch.send()

    def _begun(self, _: None, error: BaseException | None) -> None:
        if error is not None:
            self._leave()
            self._wait.fail(error)

    def cancel(self) -> None:
        """Take it back."""
        branch = self._branch
        if branch is not None and self._request.method == "INVITE":
            branch.cancel()
            if not branch.was_answered:
                branch.end(487)

    # --- what the branch tells -----------------------------------------------------------------------------------

    def replied(self, branch: ClientBranch, response: Response) -> None:
        """A reply came."""
        self._counts.receive(response.status)
        status = response.status
        if status < 200:
            return
        dialog = self._dialog(branch, response) if status < 300 else None
        if status < 300 and self._request.method == "INVITE":
            if not branch.status:
                self._accepted = response.to.tag
            self._acknowledge(response, dialog)
        if branch.conclude(status, response):
            self._end(Answer(status, response.reason, response, dialog))

    def ended(self, branch: ClientBranch) -> None:
        """No reply came any more."""
        self._end(Answer(branch.status, reason_phrase(branch.status)))

    def _end(self, answer: Answer) -> None:
        self._counts.complete(answer.status)
        self._leave()
        self._wait.resolve(answer)

    def _leave(self) -> None:
        """It is over: let go what refers to us. Only the branch may still bring a 2xx again."""
        self._branch = None
        done, self._done = self._done, _nothing_more
        done()

    def _dialog(self, branch: ClientBranch, response: Response) -> Dialog | None:
        """The dialog that a 2xx makes; None if it has no Contact, or one that cannot be read."""
        assert branch.client is not None
        sent = parse_message(branch.client.data)
        assert isinstance(sent, Request)
        try:
            dialog = Dialog.from_response(sent, response)
            dialog.request_parts()
        except RemoteError:
            return None
        return dialog

    # --- accepted INVITEs ------------------------------------------------------------------------------------------

    def _acknowledge(self, response: Response, dialog: Dialog | None) -> None:
        """Send the ACK, and for a call that nobody wants the BYE."""
        tag = response.to.tag
        if tag in self._acks:
            flow, data = self._acks[tag]
            flow.send(data)
        elif dialog is None:
            text = f"the 2xx to our INVITE {self._request.call_id} has no Contact or route that its ACK could go to"
            self._server.log.warning("tm", text)
        else:
            ack = in_dialog(dialog, "ACK", credentials_in(self._request.headers))
            Stepper(self._send_ack(tag, ack), self._acknowledged).step()
            if tag != self._accepted:
                self._send_more(in_dialog(dialog, "BYE"))

    async def _send_ack(self, tag: str, ack: OwnRequest) -> None:
        server = self._server
        branch = server.transactions.next_branch()
        written = partial(ack.written, server, branch=branch)
        state = State(send_socket=self._request.socket)
        flow, data = await Ways(server, state, ack.destination, written).next()
        self._acks[tag] = flow, data
        flow.send(data)

    def _acknowledged(self, _: None, error: BaseException | None) -> None:
        if isinstance(error, DestinationError):
            self._server.log.warning("tm", f"the ACK of our INVITE {self._request.call_id} could not be sent")
        elif error is not None:
            self._server.report(error)


def _nothing_more() -> None:
    """What is done at the end was done."""
