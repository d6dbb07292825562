"""The dialogs of watchers, and the subscriptions in them (RFC 6665 section 4.4.1, RFC 3265 section 3.3.4).

Rules:
1. What a `Dialog` and a `Subscription` say of expiry, target and remote CSeq is what is committed, but for
   `Dialog.remote_cseq` and `Subscription.ending`: those count what was decided and is not committed yet.
2. `cseq` is the last that a NOTIFY used, `limit` the highest that the database knows of as used: no NOTIFY goes
   beyond it. `reserved` is what was submitted, and never less than `limit`.
3. A dialog is `busy` while a NOTIFY is unanswered, one at most, and while its watcher is left alone after a refusal;
   a subscription that has something to tell meanwhile is `due`, and tells what is true when its turn comes.
4. After its `final` word (the end of its Subscription-State) a subscription says nothing more.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from openpy.sip import dialog as sip_dialog
from openpy.sip.headers import split_list

if TYPE_CHECKING:
    from openpy.documents.watcherinfo import Watcher
    from openpy.modules.presence.eventstate import EventState
    from openpy.modules.presence.notifier import Notifier
    from openpy.modules.presence.pauses import Pause
    from openpy.modules.presence.presentity import Presentity
    from openpy.sip.message import Response
    from openpy.transaction.client import ClientTransaction
    from openpy.transaction.flow import Flow

CSEQ_BLOCK = 128
"""How many CSeqs are reserved with one write."""

LAST_CSEQ = 2**31 - 1
"""The highest that there is (RFC 3261 section 8.1.1.5)."""

TIMEOUT = "terminated;reason=timeout"
"""The Subscription-State of a subscription that was ended, was only a fetch, or has run out."""

REJECTED = "terminated;reason=rejected"
"""The Subscription-State of one that the presentity does not allow."""

ACTIVE, PENDING, TERMINATED = 1, 2, 3
"""The status of a subscription, as 1.3 numbers it in the database: only an active one is told the state."""


class Dialog:
    """One dialog: who watches whom, and how NOTIFYs get there.

    `to_uri` is what the SUBSCRIBE was addressed to (From of NOTIFY), `watcher_uri` who sent it; both canonical.
    `routes` is the route set, comma separated. `socket` is `transport:host:port` of ours. `connection` is the peer
    (transport, host, port) of the connection that the last SUBSCRIBE came by, if it came by one.
    """

    __slots__ = (
        "branch",
        "busy",
        "call_id",
        "connection",
        "cseq",
        "flow",
        "from_tag",
        "head",
        "limit",
        "local_contact",
        "middle",
        "notifier",
        "pause",
        "presentity",
        "remote_cseq",
        "resent",
        "reserved",
        "reserving",
        "routes",
        "socket",
        "target",
        "to_tag",
        "to_uri",
        "usages",
        "waiting",
        "watcher_uri",
    )

    def __init__(
        self,
        notifier: Notifier,
        presentity: Presentity,
        *,
        call_id: str,
        from_tag: str,
        to_tag: str,
        watcher_uri: str,
        to_uri: str,
        target: str,
        local_contact: str,
        routes: str,
        socket: str,
        remote_cseq: int,
        cseq: int = 0,
    ) -> None:
        self.notifier = notifier
        self.presentity = presentity
        self.call_id = call_id
        self.from_tag = from_tag
        self.to_tag = to_tag
        self.watcher_uri = watcher_uri
        self.to_uri = presentity.uri if to_uri == presentity.uri else to_uri  # as a rule one string for both
        self.target = target
        self.local_contact = local_contact
        self.routes = routes
        self.socket = socket
        self.remote_cseq = remote_cseq
        self.connection: tuple[str, str, int] | None = None
        self.cseq = self.limit = self.reserved = cseq
        self.reserving = False
        self.usages: tuple[Subscription, ...] = ()
        self.waiting: tuple[Subscription, ...] = ()
        self.busy = False
        self.pause: Pause | None = None  # from a refused NOTIFY until one is accepted
        self.resent = False  # a lost connection has cost one NOTIFY already, and the next replaces it
        self.flow: Flow | None = None  # the datagram way to the target, once it is known
        self.head = b""  # of NOTIFYs by `flow`: up to the branch ...
        self.branch = b""  # ... but for its number
        self.middle = b""  # ... and from behind it to the CSeq

    def see(self, cseq: int) -> int:
        """Count a request as seen; return what `unsee` takes to undo it."""
        previous, self.remote_cseq = self.remote_cseq, cseq
        return previous

    def unsee(self, previous: int) -> None:
        """Undo `see`; and with it every later one, which cannot stand either."""
        self.remote_cseq = min(self.remote_cseq, previous)

    def unreserve(self, previous: int) -> None:
        """Undo a reservation, and with it every later one; `previous` is what was reserved before it."""
        self.reserved = min(self.reserved, previous)

    def path(self) -> tuple[str, tuple[str, ...], str]:
        """Request-URI, Route values and URI of the next hop of a NOTIFY (RFC 3261 section 12.2.1.1).

        Raises RemoteError for a route set that cannot be read.
        """
        if not self.routes:
            return self.target, (), self.target
        return sip_dialog.Dialog(
            call_id=self.call_id,
            local_tag=self.to_tag,
            remote_tag=self.from_tag,
            local_uri=self.to_uri,
            remote_uri=self.watcher_uri,
            target=self.target,
            route_set=tuple(split_list(self.routes)),
        ).request_parts()

    def local_address(self) -> tuple[str, int] | None:
        """Host and port of our datagram socket that the watcher talks to; None if it came by a connection."""
        return _datagram_address(self.socket)

    def retarget(self, target: str, connection: tuple[str, str, int] | None) -> None:
        """Take the target and the way of a SUBSCRIBE that was accepted: the next NOTIFY looks for its way anew."""
        if target != self.target or connection != self.connection:
            self.target = target
            self.connection = connection
            self.head = b""
            self.flow = None


@lru_cache(64)
def _datagram_address(socket: str) -> tuple[str, int] | None:
    transport, _, rest = socket.partition(":")
    host, _, port = rest.rpartition(":")
    return (host.strip("[]"), int(port)) if transport == "udp" and port.isdecimal() else None


class Subscription:
    """One subscription; the owner of the NOTIFY transactions that tell it.

    `expires` is a Unix time. `state` is the event of the presentity that it watches. `id` is 0 for a fetch, which is
    kept nowhere.
    """

    __slots__ = (
        "bucket",
        "cause",
        "dead",
        "dialog",
        "due",
        "ending",
        "event_id",
        "expires",
        "final",
        "final_body",
        "id",
        "news",
        "reason",
        "refreshing",
        "state",
        "status",
        "told",
        "version",
    )

    def __init__(
        self, dialog: Dialog, state: EventState, event_id: str | None, id_: int, expires: float
    ) -> None:
        self.dialog = dialog
        self.state = state
        self.event_id = event_id
        self.id = id_
        self.expires = expires
        self.status = ACTIVE
        self.reason = ""
        self.cause = "subscribe"  # what brought it into its status, in the words of RFC 3857
        self.told = b""  # what this watcher was told, where not all are told the same
        self.version = 0  # of the next document that counts its versions
        self.news: dict[str, Watcher] | None = (
            None  # winfo: who changed since the last document; None: tell all
        )
        self.bucket = 0
        self.refreshing = 0  # how many refreshes are being committed
        self.ending = False
        self.dead = False  # the watcher has gone: to be removed without a word
        self.due = False
        self.final = ""
        self.final_body = False

    def finish(self, final: str, *, with_body: bool) -> None:
        """Decide the last word: `terminated;reason=...`."""
        self.final = final
        self.final_body = with_body

    def event_text(self) -> bytes:
        """The Event header of NOTIFYs."""
        name = self.state.package.name_octets
        if self.event_id is None:
            return name
        return b"%b;id=%b" % (name, self.event_id.encode("utf-8", "surrogateescape"))

    # --- the owner of NOTIFY transactions ------------------------------------------------------------------------

    def on_ok(self, transaction: ClientTransaction) -> None:
        """The plain case."""
        self.dialog.notifier.answered(self)

    def on_reply(self, transaction: ClientTransaction, response: Response) -> None:
        """Any other reply."""
        if response.status >= 300:
            self.dialog.notifier.refused(self, response)
        elif response.status >= 200:
            self.dialog.notifier.answered(self)

    def on_timeout(self, transaction: ClientTransaction) -> None:
        """No reply within Timer F."""
        self.dialog.notifier.unanswered(self)

    def on_transport_error(self, transaction: ClientTransaction) -> None:
        """The connection was lost."""
        self.dialog.notifier.cut_off(self)
