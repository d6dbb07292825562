"""NOTIFYs: what they say, how they get to the watcher, what the answers mean (RFC 6665 section 4.2.2).

Rules:
1. One NOTIFY a dialog is unanswered at most. What changes meanwhile waits, and the newest state replaces what waits.
2. A dialog keeps the constant bytes of its NOTIFYs; what is common to all watchers of an event is made once.
3. A NOTIFY never takes a CSeq that the database does not know of. The next block is asked for when half of one is used.
4. A large fan-out is sent in slices, between which the answers are read.
5. A watcher that came by a connection is told by it while it is up. What is larger than a datagram should be goes by
   TCP where its URI names no transport, and as a datagram after all where no connection comes up (`SizeSwitch`).
6. A watcher that refuses a NOTIFY for now is left alone for a while, and then told what is true by then. A SUBSCRIBE
   from it ends the pause, and so does the end of its subscription: the last word does not wait.
"""

from __future__ import annotations

import re
from collections import deque
from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from openpy.engine.services import ANYBODY, Callee
from openpy.engine.waiting import Stepper
from openpy.modules.presence.changes import Reserve
from openpy.modules.presence.dialog import ACTIVE, CSEQ_BLOCK, Dialog, Subscription
from openpy.modules.presence.eventstate import NO_BODY
from openpy.modules.presence.pauses import Pause
from openpy.sip.errors import RemoteError
from openpy.sip.message import Response
from openpy.sip.transports import port_of, transport_of
from openpy.sip.uri import Uri, cached_uri, parse_uri

if TYPE_CHECKING:
    from openpy.modules.presence.agent import PresenceAgent
    from openpy.transaction.flow import Flow

RETRY_AFTER = 1.0
"""Seconds until a dialog that got no CSeqs asks for them again."""

SLICE = 64
"""How many NOTIFYs of one change are sent before answers are read again."""

PLAIN_TARGET = re.compile(
    r"sip:(?:[A-Za-z0-9\-_.!~*'()%&=+$,]++@)?+([0-9]{1,3}(?:\.[0-9]{1,3}){3})(?::([0-9]{1,5}))?+\Z"
)
"""A Contact that names an IPv4 address and says nothing of transport."""


class Notifier:
    """Sends the NOTIFYs of one presence agent."""

    __slots__ = ("_agent", "_backlog", "_branch_start", "_layer", "_services", "_switch")

    def __init__(self, agent: PresenceAgent) -> None:
        self._agent = agent
        self._services = agent.services
        self._layer = agent.services.transactions
        self._switch = agent.services.size_switch
        self._branch_start = self._layer.branch_prefix
        self._backlog: deque[Dialog] = deque()

    # --- what there is to tell ------------------------------------------------------------------------------------

    def notify(self, subscription: Subscription) -> None:
        """Tell one watcher what is true now, or as soon as its dialog is free."""
        if subscription.dialog.busy:
            self._later(subscription)
        elif not subscription.due:
            self._send(subscription)

    def fan_out(self, watchers: list[Subscription], silenced: Uri | None = None) -> None:
        """Tell many watchers of an event, but for the one whose Contact is `silenced`."""
        if silenced is not None:
            watchers = [item for item in watchers if not cached_uri(item.dialog.target).equals(silenced)]
        if len(watchers) <= SLICE:
            for subscription in watchers:
                self.notify(subscription)
            return
        idle = not self._backlog
        for subscription in watchers:
            if not subscription.due:
                self._later(subscription)
                if not subscription.dialog.busy:
                    self._backlog.append(subscription.dialog)
        if idle and self._backlog:
            self._send_slice()

    def go_on(self, dialog: Dialog) -> None:
        """Send what waits in a dialog, if it is free."""
        while dialog.waiting and not dialog.busy:
            subscription, *rest = dialog.waiting
            dialog.waiting = tuple(rest)
            subscription.due = False
            if not self._send(subscription):
                return

    def starved(self, dialog: Dialog) -> None:
        """The database gave no CSeqs: ask again in a while."""
        self._services.wheel.add(RETRY_AFTER, self.go_on, dialog)

    def _later(self, subscription: Subscription) -> None:
        if not subscription.due:
            subscription.due = True
            subscription.dialog.waiting += (subscription,)

    def _send_slice(self) -> None:
        for _ in range(min(SLICE, len(self._backlog))):
            self.go_on(self._backlog.popleft())
        if self._backlog:
            self._services.soon(self._send_slice)

    # --- sending --------------------------------------------------------------------------------------------------

    def _send(self, subscription: Subscription) -> bool:
        """Send the NOTIFY, or begin to look for its way; False if it has to wait for CSeqs."""
        dialog = subscription.dialog
        if dialog.cseq >= dialog.limit:
            self._later(subscription)
            self._reserve(dialog)
            return False
        connection = dialog.connection
        flow = dialog.flow if connection is None else self._services.flow(*connection)
        if flow is None and connection is None:
            flow = self._plain_way(dialog)
        if flow is None:
            self._look(subscription, 0)
        else:
            data = self._data(subscription, flow)
            if len(data) > self._switch.limit > 0 and not flow.reliable:
                self._look(subscription, len(data))
            elif data:
                self._transmit(subscription, flow, data)
        return True

    def _transmit(self, subscription: Subscription, flow: Flow, data: bytes) -> None:
        dialog = subscription.dialog
        dialog.busy = True
        dialog.cseq += 1
        if subscription.final:
            subscription.dead = True
        self._agent.counts.notifies_sent.value += 1
        if subscription.state.shown is not None:
            subscription.state.shown.sent(subscription)
        self._layer.create_notify(data, b"%b%d" % (dialog.branch, dialog.cseq), flow, subscription)
        if dialog.limit - dialog.cseq < CSEQ_BLOCK // 2:
            self._reserve(dialog)

    def _reserve(self, dialog: Dialog) -> None:
        if dialog.usages and not dialog.reserving:
            dialog.presentity.submit(Reserve(self._agent, dialog))
            self._agent.store.writer.flush()

    # --- bytes ----------------------------------------------------------------------------------------------------

    def _data(self, subscription: Subscription, flow: Flow) -> bytes:
        """The NOTIFY as it is now; empty if there is nothing to say any more."""
        if subscription.dead:
            return b""
        dialog = subscription.dialog
        now = self._agent.now()
        shown = subscription.state.shown
        if subscription.final:
            state = subscription.final.encode("ascii")
            told = subscription.final_body
        else:
            remaining = ceil(subscription.expires - now)
            if remaining <= 0:
                return b""
            told = subscription.status == ACTIVE
            state = (b"active;expires=%d" if told else b"pending;expires=%d") % remaining
        if not told:
            tail = NO_BODY
        elif shown is None:
            tail = subscription.state.tail(now)
        else:
            tail = shown.tail(self._agent, subscription)
        if flow is not dialog.flow or not dialog.head:
            head, middle = self._constant(dialog, flow)
            if not flow.reliable or dialog.connection is not None:
                dialog.flow, dialog.head, dialog.middle = flow, head, middle
        else:
            head, middle = dialog.head, dialog.middle
        cseq = dialog.cseq + 1
        return b"%b%b%d%b%d NOTIFY\r\nEvent: %b\r\nSubscription-State: %b%b" % (
            head,
            dialog.branch,
            cseq,
            middle,
            cseq,
            subscription.event_text(),
            state,
            tail,
        )

    def _constant(self, dialog: Dialog, flow: Flow) -> tuple[bytes, bytes]:
        """What all NOTIFYs of a dialog by one flow share: up to the branch, and from behind it to the CSeq.

        Raises RemoteError for a route set that cannot be read.
        """
        if not dialog.branch:
            dialog.branch = f"{self._branch_start}.{self._services.token()}.".encode("ascii")
        uri, routes, _ = dialog.path()
        host, port = self._services.advertised(flow)
        head = f"NOTIFY {uri} SIP/2.0\r\nVia: SIP/2.0/{flow.transport.upper()} {host}:{port};branch="
        route_lines = "".join(f"Route: {route}\r\n" for route in routes)
        from_tag = f";tag={dialog.from_tag}" if dialog.from_tag else ""
        middle = (
            f"\r\n{route_lines}Max-Forwards: 70\r\nFrom: <{dialog.to_uri}>;tag={dialog.to_tag}\r\n"
            f"To: <{dialog.watcher_uri}>{from_tag}\r\nCall-ID: {dialog.call_id}\r\n"
            f"Contact: <{dialog.local_contact}>\r\nCSeq: "
        )
        return head.encode("utf-8", "surrogateescape"), middle.encode("utf-8", "surrogateescape")

    # --- ways -----------------------------------------------------------------------------------------------------

    def _plain_way(self, dialog: Dialog) -> Flow | None:
        """The way to a watcher by UDP whose Contact is an IPv4 address: there is nothing to look for."""
        if dialog.routes:
            return None
        found = PLAIN_TARGET.match(dialog.target)
        if found is None:
            return None
        host, port = found.groups()
        return self._services.flow("udp", host, int(port or 5060), dialog.local_address())

    def _look(self, subscription: Subscription, size: int) -> None:
        """Look for a way to the watcher for a NOTIFY of `size` octets (0: not known yet), then send it."""
        subscription.dialog.busy = True
        Stepper(self._way(subscription.dialog, size), partial(self._found, subscription, size)).step()

    def _found(
        self, subscription: Subscription, size: int, flow: Flow | None, error: BaseException | None
    ) -> None:
        dialog = subscription.dialog
        dialog.busy = False
        if error is not None and not isinstance(error, RemoteError | OSError):
            self._services.log.error("presence", f"no way to {dialog.target}: {error!r}")
        if isinstance(error, OSError):
            self._pause(subscription)  # nobody can tell where the watcher is: it may be there
            return
        if flow is None:
            self.unanswered(subscription)
            return
        data = self._data(subscription, flow)
        if len(data) > self._switch.limit >= size and not flow.reliable and self._switch.limit:
            self._look(subscription, len(data))
        elif data:
            self._transmit(subscription, flow, data)
        else:
            self.go_on(dialog)

    async def _way(self, dialog: Dialog, size: int) -> Flow | None:
        """A flow to the next hop of a dialog; None if there is none."""
        services, switch = self._services, self._switch
        hop = parse_uri(dialog.path()[2])
        transport, port = transport_of(hop), port_of(hop)
        host = hop.param("maddr") or hop.host
        if transport in ("ws", "wss"):
            return services.flow(transport, host, port)
        for address in await services.resolve(host):
            if transport == "udp" and not hop.transport and switch.wants_tcp(size, address, port):
                flow = services.flow("tcp", address, port) or await services.connect("tcp", address, port)
                if flow is not None:
                    return flow
                switch.refused(address, port)
            if transport == "udp":
                return services.flow("udp", address, port, dialog.local_address())
            callee = ANYBODY if address == host.strip("[]") else Callee(host)
            flow = services.flow(transport, address, port, None, callee)
            flow = flow or await services.connect(transport, address, port, callee)
            if flow is not None:
                return flow
        return None

    # --- answers --------------------------------------------------------------------------------------------------

    def answered(self, subscription: Subscription) -> None:
        """A 2xx."""
        dialog = subscription.dialog
        dialog.busy = False
        dialog.resent = False
        dialog.pause = None
        if dialog.waiting:
            self.go_on(dialog)

    def refused(self, subscription: Subscription, response: Response) -> None:
        """A 3xx to 6xx: some end the subscription, but not where the watcher asks for patience; too many do."""
        status, settings = response.status, self._agent.settings
        pause = subscription.dialog.pause
        refusals = 1 if pause is None else pause.refusals + 1
        ends = status in settings.ending_codes and (status == 481 or not response.has("Retry-After"))
        if ends or 0 < settings.refusals <= refusals:
            self.unanswered(subscription)
        else:
            self._pause(subscription, response.get("Retry-After") or "")

    def unanswered(self, subscription: Subscription) -> None:
        """No answer, no way, or no patience left: the watcher has gone."""
        self._agent.give_up(subscription)
        self._failed(subscription)

    def cut_off(self, subscription: Subscription) -> None:
        """The connection was lost under a NOTIFY: it is told again, once, by whatever way there is now."""
        dialog = subscription.dialog
        if dialog.resent:
            self.unanswered(subscription)
            return
        dialog.busy = False
        dialog.resent = True
        if subscription.state.shown is not None:
            subscription.state.shown.lost(subscription)
        self._later(subscription)
        self.go_on(dialog)

    def resume(self, dialog: Dialog) -> None:
        """End the pause of a dialog, if there is one: send what waits."""
        pause = dialog.pause
        if pause is not None and pause.timer is not None:
            pause.timer.cancel()
            pause.timer = None
            dialog.busy = False
            self.go_on(dialog)

    def _pause(self, subscription: Subscription, retry_after: str = "") -> None:
        """Tell the watcher again in a while; what changes meanwhile waits with it."""
        if subscription.dead:  # that was its last word
            self._failed(subscription)
            return
        dialog = subscription.dialog
        self._count_failed(subscription)
        self._later(subscription)
        dialog.busy = True
        pause = dialog.pause = dialog.pause or Pause()
        pause.refusals += 1
        pause.timer = self._services.wheel.add(pause.seconds(retry_after), self.resume, dialog)

    def _failed(self, subscription: Subscription) -> None:
        self._count_failed(subscription)
        subscription.dialog.busy = False
        self.go_on(subscription.dialog)

    def _count_failed(self, subscription: Subscription) -> None:
        self._agent.counts.notifies_failed.value += 1
        if subscription.state.shown is not None:
            subscription.state.shown.lost(subscription)
