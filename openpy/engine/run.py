"""What a route sees: one message on its way through the script.

Rules:
1. A run belongs to one message and one run of a route; its `$var` values start at 0 (1.3 kept them between
   messages of a worker: routes may wait here, so a shared one would leak between calls).
2. What a script reads is what was received; what it changes is recorded in `edits` and applied when sent.
3. Rarely used parts (AVPs, variables, branches, edits) are made when first touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openpy.engine.log import WARNING
from openpy.engine.state import State
from openpy.script.syntax import RouteKind
from openpy.sip.build import reply as build_reply
from openpy.sip.edits import Edits
from openpy.sip.errors import LocalError
from openpy.sip.headers import split_first
from openpy.sip.message import Message, Request
from openpy.transaction.flow import Flow
from openpy.transaction.server import ServerTransaction

if TYPE_CHECKING:
    from openpy.engine.server import Server
    from openpy.script.compiler import Program

TRYING_AFTER = 0.2
"""Seconds that an INVITE may wait in a route without a reply (RFC 3261 17.2.1)."""


class Overloaded(Exception):
    """No further transaction can be held: the request is to be answered with 503."""


class Mistake(NamedTuple):
    """What an action could not read in the message: `$err.info`, the reply that it suggests, and how grave it is."""

    info: str
    status: int
    reason: str
    level: int = 3  # 1 critical to 5 low


class Run:
    """One run of a route."""

    __slots__ = (
        "_state",
        "_variables",
        "_wall",
        "depth",
        "dropped",
        "edits_made",
        "error",
        "error_class",
        "flow",
        "hops",
        "is_held",
        "kind",
        "message",
        "mistake",
        "number",
        "program",
        "rc",
        "script_flags",
        "server",
        "transaction",
    )

    def __init__(
        self, server: Server, message: Message, flow: Flow, transaction: ServerTransaction | None = None
    ) -> None:
        self.server = server
        self.message = message
        self.flow = flow
        self.transaction = transaction
        self.rc = 1
        self.depth = 0
        self.dropped = False
        self.error = 0  # the internal error of the last action, for sl_reply_error
        self.error_class = 0  # $err.class: 1 after a parse error
        self.mistake: Mistake | None = None  # the last parse error
        self.kind = RouteKind.REQUEST  # of the block that runs
        self.number = 0  # $mi: which message of this process it is
        self.program: Program | None = None  # the script that runs, whatever is loaded meanwhile
        self.script_flags = 0
        self.is_held = False  # the transaction is there because the route waited, not for the script
        self.hops: int | None = None  # the Max-Forwards to send, where maxfwd counted it down
        self._state: State | None = None
        self._variables: dict[str, str | int] | None = None
        self.edits_made: Edits | None = None
        self._wall = 0.0

    # --- the message ----------------------------------------------------------------------------------------

    @property
    def request(self) -> Request:
        """The message of a run that is known to be a request."""
        message = self.message
        if not isinstance(message, Request):
            raise LocalError("this run is about a reply")
        return message

    @property
    def state(self) -> State:
        """What the script changes beside the text."""
        if self._state is None:
            self._state = State()
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._state = state

    @property
    def flags(self) -> int:
        """The message flags; unlike `state.flags` it makes no state."""
        return 0 if self._state is None else self._state.flags

    @property
    def branch_flags(self) -> int:
        """The flags of the first branch; unlike `state.branch_flags` it makes no state."""
        return 0 if self._state is None else self._state.branch_flags

    @property
    def reply_headers(self) -> str:
        """The lines that the script adds to what is answered; unlike `state.reply_headers` it makes no state."""
        return "" if self._state is None else self._state.reply_headers

    @property
    def variables(self) -> dict[str, str | int]:
        """The `$var`s that were set."""
        if self._variables is None:
            self._variables = {}
        return self._variables

    @property
    def uri(self) -> str:
        """The current Request-URI; of a reply: ""."""
        if self._state is not None and self._state.uri is not None:
            return self._state.uri
        return self.message.uri if isinstance(self.message, Request) else ""

    @property
    def wall(self) -> float:
        """Unix time in seconds, the same for the whole run."""
        if not self._wall:
            self._wall = self.server.clock.wall()
        return self._wall

    def advertised(self, flow: Flow) -> tuple[str, int]:
        """Host and port for the Via of what leaves by a flow, as the script or the parameters say."""
        state = self._state
        if state is None:
            return self.server.advertised(flow)
        socket = state.send_socket
        if socket is not None and socket.transport == flow.transport:
            host, port = self.server.advertised_socket(socket)
        else:
            host, port = self.server.advertised(flow)
        return state.advertised_host or host, state.advertised_port or port

    def branch_list(self) -> list[str]:
        """The appended branches as they stand in a Contact."""
        return [
            f"<{branch.uri}>;q={branch.q / 1000:g}" if branch.q >= 0 else branch.uri
            for branch in self.state.branches
        ]

    def destination_set(self) -> str:
        """The rewritten Request-URI and the branches as a Contact header without line end; "" if there are none."""
        rewritten = [self.state.uri] if self.state.uri is not None else []
        entries = rewritten + self.branch_list()
        return f"Contact: {', '.join(entries)}" if entries else ""

    @property
    def edits(self) -> Edits:
        """The changes to the message, applied when it is forwarded."""
        if self.edits_made is None:
            self.edits_made = Edits(self.message)
        return self.edits_made

    # --- answering --------------------------------------------------------------------------------------------

    def begin_transaction(self) -> ServerTransaction:
        """The server transaction of this request, made now if there is none; raises Overloaded."""
        if self.transaction is None:
            server, request = self.server, self.request
            flow = server.reply_flow(request, self.flow)
            try:
                self.transaction = server.transactions.create_server(request, flow)
            except LocalError as error:
                raise Overloaded from error
        return self.transaction

    def hold(self) -> None:
        """Before a route waits: retransmissions are absorbed from now on. An ACK or a reply has nothing to hold.

        Who called hears within TRYING_AFTER that somebody does something about it. Raises Overloaded.
        """
        message = self.message
        if not isinstance(message, Request) or message.method == "ACK":
            return
        if self.transaction is None:
            self.begin_transaction()
            self.is_held = True
        if message.method == "INVITE":
            self.server.wheel.add(TRYING_AFTER, self._still_waits)

    def _still_waits(self) -> None:
        transaction = self.transaction
        assert transaction is not None
        if not transaction.status and not transaction.finished and transaction.owner is None:
            self.reply(100, "Trying")

    def reply(
        self,
        status: int,
        reason: str,
        headers: str = "",
        body: bytes = b"",
        *,
        to_tag: str = "",
        record_route: bool = False,
    ) -> bool:
        """Answer the request: through its transaction where there is one, else stateless.

        `headers` are complete lines, each with CRLF. False for an ACK, which is never answered, and for what comes too
        late: behind the final reply of its transaction.
        """
        data = self._reply_data(status, reason, headers, body, to_tag, record_route)
        if self.transaction is None:
            return self._send_stateless(data)
        return bool(data) and self.transaction.reply(status, data)

    def reply_stateless(
        self, status: int, reason: str, headers: str = "", *, record_route: bool = False
    ) -> bool:
        """Answer without state even where a transaction exists."""
        return self._send_stateless(self._reply_data(status, reason, headers, b"", "", record_route))

    def _reply_data(
        self, status: int, reason: str, headers: str, body: bytes, to_tag: str, record_route: bool
    ) -> bytes:
        """The bytes of a reply; none for an ACK."""
        request = self.request
        if request.method == "ACK":
            return b""
        server = self.server
        if not to_tag and status >= 180:
            to_tag = self.local_tag()
        if self._state is not None:
            headers += self._state.reply_headers
        headers += server.reply_headers
        if server.sip_warning:
            headers += self._warning()
        return build_reply(
            request, status, reason, to_tag=to_tag, headers=headers, body=body, record_route=record_route
        )

    def _send_stateless(self, data: bytes) -> bool:
        if data:
            self.server.reply_flow(self.request, self.flow).send(data)
        return bool(data)

    def local_tag(self) -> str:
        """The To-tag of our answers to this request: the same for each retransmission, and for the ACK to a failure."""
        via = self.message.get("Via") or ""
        if "," in via:  # an ACK has the first one only
            via = split_first(via)[0]
        return f"{self.server.tag_prefix}.{hash(via) & 0xFFFF}"

    def _warning(self) -> str:
        """Who answers whom about what, for those who look at a trace (`sip_warning`; RFC 3261 20.43)."""
        host, port = self.advertised(self.flow)
        uris = f"uri {self.request.uri}" + (f" to {self.uri}" if self.state.uri is not None else "")
        text = f"from {self.flow.host}:{self.flow.port} {uris}".replace("\\", "\\\\").replace('"', '\\"')
        return f'Warning: 392 {host}:{port} "{text}"\r\n'

    # --- the script -------------------------------------------------------------------------------------------

    def route_ended(self, result: object, error: BaseException | None) -> None:
        """The main route came to its end, or failed: nothing stays unanswered or held because of it."""
        if error is not None:
            self.server.report(error)
            owner = self.transaction.owner if self.transaction is not None else None
            if self.reply(500, "Server Internal Error") and owner is not None:
                owner.answered()
        transaction = self.transaction
        if transaction is not None and transaction.status < 200 and transaction.owner is None:
            self.server.transactions.release(transaction)

    def parse_failed(self, what: str) -> None:
        """A part of the message that an action needs cannot be read: the error_route is told."""
        self.error_class = 1
        self.mistake = Mistake(f"error parsing {what}", 400, f"bad {what}")

    def warn(self, text: str) -> None:
        """Log a warning about the script."""
        self.server.log.write(WARNING, "script", text)
