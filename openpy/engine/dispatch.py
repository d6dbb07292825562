"""From received bytes to the transaction or the route that they concern.

Rules:
1. Whatever arrives, nothing leaves here as an exception: a malformed message is answered or dropped, and counted;
   an error of ours is logged, counted and answered with 500.
2. A retransmission never reaches the script: its transaction answers it.
3. A route that waits keeps its transaction, so that the retransmission of what it waits for is absorbed.
4. The script sees no reply to a request of ours that only keeps a way open: nobody waits for it.
5. While the server stops, what brings a call to its answer or its end is served: CANCEL, and ACK, PRACK and BYE of a
   dialog. Any other new request is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpy.engine.forward import changed_reply
from openpy.engine.module import Count
from openpy.engine.requesturi import leave_own_maddr
from openpy.engine.run import Run
from openpy.engine.waiting import Stepper
from openpy.script.compiler import CompiledRoute, Program
from openpy.script.syntax import RouteKind
from openpy.sip.build import reply as build_reply
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, Response, parse_message
from openpy.sip.transports import default_port
from openpy.sip.validity import LIMITS, Limits, check_request, check_response
from openpy.transaction.flow import Flow

if TYPE_CHECKING:
    from openpy.engine.events import EventRoute
    from openpy.engine.server import Server

CONCLUDING = frozenset(("ACK", "BYE", "PRACK"))


def _concludes(request: Request) -> bool:
    """Whether a request is part of what was begun before (rule 5)."""
    return request.method == "CANCEL" or (request.method in CONCLUDING and bool(request.to.tag))


class Dispatcher:
    """Receives what the sockets read."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._layer = server.transactions
        count = server.statistics.counter
        self.received_requests = count("core", "rcv_requests")
        self.received_replies = count("core", "rcv_replies")
        self.dropped_requests = count("core", "drop_requests")
        self.dropped_replies = count("core", "drop_replies")
        self.failed_requests = count("core", "err_requests")
        self.failed_replies = count("core", "err_replies")
        self.bad_headers = count("core", "bad_msg_hdr")
        self.stateless_acks = Count()
        """ACKs to stateless replies, which never reach the script; the module sl shows its own counter here."""
        self.on_stateless_ack: EventRoute | None = None
        """The event route that hears of them, if there is one."""
        self._main: CompiledRoute | None = None
        self._on_reply: CompiledRoute | None = None
        self._program: Program | None = None
        self.draining = False
        self.limits = LIMITS

    def use(self, program: Program, limits: Limits = LIMITS) -> None:
        """Route by this program from now on, and refuse what exceeds these limits."""
        self.limits = limits
        self._program = program
        self._main = program.routes.get((RouteKind.REQUEST, "0"))
        self._on_reply = program.routes.get((RouteKind.ONREPLY, ""))

    def divert(self, main: CompiledRoute | None, on_reply: CompiledRoute | None) -> None:
        """Route by these from now on: they stand for the routes of the program until the next `use`."""
        self._main = main
        self._on_reply = on_reply

    def receive(self, data: bytes, flow: Flow) -> None:
        """One message came by a flow."""
        message = None
        try:
            if (
                self._on_reply is None
                and data.startswith(b"SIP/2.0 200 ")
                and self._layer.absorb_ok(data, flow.host, flow.port)
            ):
                self.received_replies.value += 1
                return
            message = self._parsed(data)
            if message is None:
                return
            message.source = (flow.host, flow.port)
            if isinstance(message, Request):
                self._request(message, flow)
            else:
                self._response(message, flow)
        except Exception as error:  # noqa: BLE001 - rule 1
            self._own_error(error, message, flow)

    def refuse(self, data: bytes, flow: Flow) -> None:
        """Answer a request that there is no time to serve, and keep nothing; one that was served is answered again."""
        request = None
        try:
            request = self._parsed(data)
            if not isinstance(request, Request):
                return
            request.source = (flow.host, flow.port)
            self.received_requests.value += 1
            check_request(request, self.limits)
            if self._layer.receive_request(request, flow) is None and request.method != "ACK":
                wait = max(self._server.config.number("overload_retry_after"), 0)
                wait = self._server.random.randint(wait, 2 * wait)
                Run(self._server, request, flow).reply(503, "Server overloaded", f"Retry-After: {wait}\r\n")
        except RemoteError:
            self.dropped_requests.value += 1
        except Exception as error:  # noqa: BLE001 - rule 1
            self._own_error(error, request, flow)

    def broken(self, head: bytes, flow: Flow, error: RemoteError) -> None:
        """A stream lost its framing: answer what can be answered before it is closed."""
        message = self._parsed(head if b"\r\n\r\n" in head else head + b"\r\n\r\n")
        if isinstance(message, Request):
            self.bad_headers.value += 1
            message.source = (flow.host, flow.port)
            try:
                self._refuse(message, flow, error)
            except Exception as own:  # noqa: BLE001 - rule 1
                self._own_error(own, message, flow)

    def _parsed(self, data: bytes) -> Request | Response | None:
        """The message in these bytes; what is none is counted, unless it is a keep-alive."""
        try:
            return parse_message(data)
        except RemoteError:
            if data.strip(b"\r\n\0 "):
                self.bad_headers.value += 1
                self.dropped_requests.value += 1
            return None

    # --- requests -----------------------------------------------------------------------------------------------

    def _request(self, request: Request, flow: Flow) -> None:
        self.received_requests.value += 1
        try:
            check_request(request, self.limits)
        except RemoteError as error:
            self.bad_headers.value += 1
            self._refuse(request, flow, error)
            return
        if self._layer.receive_request(request, flow) is not None:
            return
        run = Run(self._server, request, flow)
        run.number = self.received_requests.value + self.received_replies.value
        run.program = self._program
        if request.method == "ACK" and request.to.tag == run.local_tag():
            self.stateless_acks.value += 1
            if self.on_stateless_ack is not None:
                self.on_stateless_ack(request, flow)
            return
        if self.draining and not _concludes(request):
            if request.method != "ACK":
                run.reply_stateless(503, "Server is stopping", "Retry-After: 5\r\n")
            return
        if "addr=" in request.uri or "ADDR=" in request.uri:  # only these are looked at closer
            leave_own_maddr(run)
        route = self._main
        if route is None:
            run.warn("null action list: the script has no route block")
        elif route.is_async:
            Stepper(route.function(run), run.route_ended).step()
        else:
            try:
                route.function(run)
            except Exception as error:  # noqa: BLE001 - rule 1
                run.route_ended(None, error)
            else:
                run.route_ended(1, None)

    def _refuse(self, request: Request, flow: Flow, error: RemoteError) -> None:
        """Answer a malformed request; an ACK, and what names no way back, is dropped."""
        if request.method == "ACK" or not request.has("Via"):
            self.dropped_requests.value += 1
            return
        self.failed_requests.value += 1
        headers = "".join(f"{name}: {value}\r\n" for name, value in error.headers)
        run = Run(self._server, request, flow)
        run.reply_stateless(error.status, error.reason, headers)

    # --- replies ------------------------------------------------------------------------------------------------

    def _response(self, response: Response, flow: Flow) -> None:
        self.received_replies.value += 1
        try:
            check_response(response, self.limits)
        except RemoteError:
            self.bad_headers.value += 1
            self.dropped_replies.value += 1
            return
        if self._server.config.number("check_via") and not self._is_first_via_ours(response):
            self.dropped_replies.value += 1
            return
        if response.via.branch.startswith(self._layer.unwatched_prefix):
            return
        route = self._on_reply
        if route is None:
            self._pass_on(response, flow)
            return
        run = Run(self._server, response, flow)
        run.kind = RouteKind.ONREPLY
        run.program = self._program
        run.number = self.received_requests.value + self.received_replies.value

        def routed(result: Any, error: BaseException | None) -> None:
            if error is not None:
                self._server.report(error)
            if run.dropped and response.status < 200:
                self.dropped_replies.value += 1
            else:
                self._pass_on(changed_reply(response, run.edits_made), flow)

        if route.is_async:
            Stepper(route.function(run), routed).step()
        else:
            try:
                route.function(run)
            except Exception as error:  # noqa: BLE001 - rule 1
                routed(None, error)
            else:
                routed(1, None)

    def _is_first_via_ours(self, response: Response) -> bool:
        via = response.via
        return self._server.is_own_via(via.host, via.port or default_port(via.transport.lower()))

    def _pass_on(self, response: Response, flow: Flow) -> None:
        """To the transaction that waits for it; a stray one is forwarded by Via if it came through here.

        One to a request of a transaction of ours is too late, even a 2xx to an INVITE (RFC 4320 4.2, RFC 6026 6): the
        branch has failed, and what follows from that is under way, or has been told.
        """
        if self._layer.receive_reply(response, flow):
            return
        if self._layer.is_ours(response.via.branch) or not self._server.forward_reply(response):
            self.dropped_replies.value += 1

    # --- our own errors -----------------------------------------------------------------------------------------

    def _own_error(self, error: Exception, message: Request | Response | None, flow: Flow) -> None:
        self._server.report(error)
        if isinstance(message, Request):
            self.failed_requests.value += 1
            if message.method != "ACK" and message.has("Via"):
                tag = Run(self._server, message, flow).local_tag()
                flow.send(build_reply(message, 500, "Server Internal Error", to_tag=tag))
        else:
            self.failed_replies.value += 1
