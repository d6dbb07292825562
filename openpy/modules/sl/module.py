"""sl: replies without state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from openpy.engine.checks import switch
from openpy.engine.module import (
    ArgumentError,
    Counter,
    Effect,
    Event,
    Format,
    FormatKind,
    Module,
    Param,
    RouteKind,
    script_function,
)
from openpy.engine.run import Run

ROUTES = frozenset({RouteKind.REQUEST, RouteKind.ERROR})

ERRORS: dict[int, tuple[int, str]] = {
    -400: (400, "Bad Request"),
    -9: (400, "Transaction tuple incomplete"),
    -11: (500, "Error in external logic"),
    -12: (500, "Forking capacity exceeded"),
    -13: (400, "Bad To"),
    -440: (440, "Max-Breadth Exceeded"),
    -473: (473, "Filtered destination"),
    -475: (475, "Bad URI"),
    -476: (476, "Unresolvable destination"),
    -477: (477, "Send failed"),
}
"""Internal errors and what they are answered with; any other is 500 Server error occurred."""


@dataclass(frozen=True, slots=True)
class CodeKind:
    """A status code 100 to 699, or a pseudo-variable that holds one."""

    description: str = "a status code"

    def convert(self, text: str, environment: Any) -> Callable[[Run], int | None]:
        """Convert to what gives the code of a run, or None where there is none; raises ArgumentError."""
        code = FormatKind().convert(text, environment)
        if code.constant is None:
            return lambda run: _status(code(run))
        status = _status(code.constant)
        if status is None:
            raise ArgumentError(f'"{text}" is no status code', "allowed values: 1xx - 6xx only")
        return lambda run: status


class Sl(Module):
    """Stateless replies.

    They are for what deserves no transaction:

        if (!is_method("INVITE|ACK|BYE|CANCEL")) { sl_send_reply("405", "Method Not Allowed"); exit; }
    """

    name = "sl"
    can_join = True

    enable_stats = Param(int, 1, "0: the statistics are not kept", reload=True, check=switch)

    replies_1xx = Counter("Replies sent, 1xx", name="1xx_replies")
    replies_2xx = Counter("Replies sent, 2xx", name="2xx_replies")
    replies_3xx = Counter("Replies sent, 3xx", name="3xx_replies")
    replies_4xx = Counter("Replies sent, 4xx", name="4xx_replies")
    replies_5xx = Counter("Replies sent, 5xx", name="5xx_replies")
    replies_6xx = Counter("Replies sent, 6xx", name="6xx_replies")
    sent_replies = Counter("Replies sent")
    sent_err_replies = Counter("Replies sent by sl_reply_error")
    received_ACKs = Counter("ACKs to replies sent here")  # noqa: N815 - the statistic's own name

    local_response = Event("A reply was sent; runs over its request")
    filtered_ack = Event("An ACK to such a reply was taken; runs over the ACK")

    async def start(self) -> None:
        """Pick the counters by class once, and find those of single statuses."""
        self._by_status = self.services.statistics.of_replies("out")
        by_class = (
            self.replies_1xx,
            self.replies_2xx,
            self.replies_3xx,
            self.replies_4xx,
            self.replies_5xx,
            self.replies_6xx,
        )
        self._by_class = dict(enumerate(by_class, 1))

    @script_function(routes=ROUTES, effect=Effect.REPLIES)
    def sl_send_reply(self, run: Run, code: Annotated[Any, CodeKind()], reason: Format) -> int:
        """Send a stateless reply; -1 for an ACK, a code that is none, or an empty reason."""
        text = reason(run)
        status = code(run)
        if status is None or not text:
            return -1
        return self._send(run, status, text)

    @script_function(routes=ROUTES, effect=Effect.REPLIES)
    def sl_reply_error(self, run: Run) -> int:
        """Answer for the error of the action just before."""
        error = run.error if run.rc < 0 else 0  # any action in between has left its own code
        status, text = ERRORS.get(error, (500, "Server error occurred"))
        number = -error or 1
        result = self._send(run, status, f"{text} ({number}/SL)")
        if result > 0:
            self.sent_err_replies.value += 1
        return result

    def send_reply(self, run: Run, status: int, reason: str, headers: str = "") -> bool:
        """Answer for another module: without state, and counted, unless the request has a transaction.

        `headers` are complete lines, each with CRLF. False for an ACK.
        """
        if run.transaction is not None:
            return run.reply(status, reason, headers, record_route=180 <= status < 300)
        return self._send(run, status, reason, headers) > 0

    def _send(self, run: Run, status: int, reason: str, headers: str = "") -> int:
        contacts = run.destination_set() if 300 <= status < 400 else ""
        headers += f"{contacts}\r\n" if contacts else ""
        reply = run.reply_stateless if run.transaction is None else _reply_of(run)
        if not reply(status, reason, headers, record_route=180 <= status < 300):
            return -1
        run.server.dispatcher.stateless_acks = self.received_ACKs
        if self.filtered_ack is not None:
            run.server.dispatcher.on_stateless_ack = self.filtered_ack
        if self.local_response is not None:
            self.local_response(run.message, run.flow, run.transaction)
        if status in self._by_status:
            self._by_status[status].value += 1
        if self.enable_stats:
            self._by_class[status // 100].value += 1
            self.sent_replies.value += 1
        return 1


def _reply_of(run: Run) -> Callable[..., bool]:
    """Where the route has waited, the transaction that was made for it repeats what nobody else would."""
    transaction = run.transaction
    is_only_held = run.is_held and transaction is not None and transaction.owner is None
    return run.reply if is_only_held else run.reply_stateless


def _status(text: str) -> int | None:
    if len(text) == 3 and text.isascii() and text.isdigit() and "1" <= text[0] <= "6":
        return int(text)
    return None
