"""Event packages: what a module says about an event, and which one a request means.

Rules:
1. A package is one object with everything about its event (1.3's `pres_ev_t`); the rest of the presence
   module knows no event by name.
2. A request means the package whose name and own parameters stand in its Event header; further parameters,
   `id` among them, are ignored. Of several the one with the most parameters is meant.
3. Callbacks send nothing: they raise RemoteError, and the caller gives the one reply.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openpy.engine.module import ModuleError
from openpy.sip.headers import Event, parse_event
from openpy.sip.message import Request

if TYPE_CHECKING:
    from openpy.modules.presence.authorization import AuthStatus
    from openpy.modules.presence.subs import Subs

WINFO = ".winfo"
"""What the names of packages end in that tell of watchers (RFC 3857)."""

Documents = Sequence[Any]
"""What `read_body` made of the bodies published for one presentity, newest last."""


@dataclass(slots=True, eq=False)
class EventPackage:
    """One event: RFC 6665 section 7 lists what a package defines.

    `name` may carry parameters (`dialog;sla`); one that ends in `.winfo` tells of the watchers of the rest. `accept`
    are the media types that may be published, `content_type` is that of NOTIFY bodies. Bodies are bytes; expiry times
    are in seconds.
    """

    name: str
    content_type: str
    accept: tuple[str, ...] = ()
    default_expires: int = 3600
    type: str = "publish"
    """`publish` or `winfo`, whatever is given: the name says which."""
    etag_not_new: bool = False
    """One entity-tag for the whole life of a publication."""
    owner_only: bool = False
    """Only the presentity itself may watch; others are answered 403."""
    req_auth: bool = False
    """Whether watchers are authorized, by the next three."""
    get_rules_doc: Callable[[str, str], Any] | None = None
    """(user, domain) -> the presentity's rules in a form of the package's own, from memory; None: there are none.

    The same object as long as they have not changed. Raises RemoteError where they are not known yet.
    """
    get_auth_status: Callable[[Subs], AuthStatus] | None = None
    """What the rules say: of the subscription the two parties, `auth_rules_doc` and `published` are set."""
    apply_auth_nbody: Callable[[bytes, Subs], bytes | None] | None = None
    """(body, subscription) -> what the watcher is shown of it; None: all. The body is empty if nothing is published."""
    aux_body_processing: Callable[[bytes, Subs], bytes] | None = None
    """(body, subscription) -> the body for this one watcher, such as with the subscription's `version` in it."""
    reread: Callable[[str, str], Awaitable[None]] | None = None
    """(user, domain): read again what `get_rules_doc` and `hard_state` give from memory; raises DatabaseError."""
    hard_state: Callable[[str], Any] | None = None
    """(presentity URI) -> a document that stands even if nothing is published, the oldest for `agg_nbody`; or None."""
    evs_publ_handl: Callable[[Request], None] | None = None
    """Checks a PUBLISH with a body; raises RemoteError."""
    read_body: Callable[[bytes], Any] | None = None
    """Makes of a published body the document that `agg_nbody` takes; raises RemoteError."""
    evs_subs_handl: Callable[[Request], None] | None = None
    """Checks a SUBSCRIBE; raises RemoteError."""
    agg_nbody: Callable[[str, Documents], bytes] | None = None
    """(presentity URI, documents) -> the body to notify. None: the newest published body is notified as it is."""
    offline_nbody: Callable[[str, Documents], bytes] | None = None
    """(presentity URI, documents that ended) -> the body once nothing is published any more. None: no body.

    It is asked again without documents where the body is too large to be kept.
    """
    empty_nbody: Callable[[str], bytes] | None = None
    """(presentity URI) -> the body while nothing is published and nothing is left to tell. None: no body."""
    free_body: Callable[[bytes], None] | None = None
    """Without effect: bodies are freed by themselves."""
    wipeer: EventPackage | None = field(default=None, repr=False)
    """The package of the watchers' own information (`presence` <-> `presence.winfo`), set by `add_event`."""
    next: EventPackage | None = field(default=None, repr=False)
    """The package that was registered after this one."""
    evp: Event = field(init=False, repr=False)
    """The name, parsed."""
    package: str = field(init=False)
    """The name without parameters, in lower case."""
    params: dict[str, str | None] = field(init=False)
    name_octets: bytes = field(init=False)
    """The name as it stands in NOTIFYs."""
    body_head: bytes = field(init=False)
    """What begins the end of a NOTIFY with a body: up to the value of Content-Length."""

    def __post_init__(self) -> None:
        self.evp = parsed = parse_event(self.name)
        self.type = "winfo" if parsed.package.endswith(WINFO) else "publish"
        self.package = parsed.package
        self.params = parsed.params
        self.name_octets = self.name.encode("utf-8", "surrogateescape")
        self.body_head = f"\r\nContent-Type: {self.content_type}\r\nContent-Length: ".encode("ascii")
        self.accept = tuple(item.lower() for item in self.accept or (self.content_type,))


class EventRegistry:
    """The packages that are served, in order of registration."""

    __slots__ = ("_allow_events", "_by_name", "_by_package", "_last")

    def __init__(self) -> None:
        self._allow_events = ""
        self._by_name: dict[str, EventPackage] = {}
        self._by_package: dict[str, list[EventPackage]] = {}
        self._last: EventPackage | None = None

    def add(self, package: EventPackage) -> None:
        """Serve a package. One of that name which is there already stays. Raises ModuleError for one that cannot be."""
        if package.name in self._by_name:
            return
        _check(package)
        if self._last is not None:
            self._last.next = package
        self._last = package
        self._pair(package)
        self._by_name[package.name] = package
        self._allow_events = ", ".join(self._by_name)
        alike = self._by_package.setdefault(package.package, [])
        alike.append(package)
        alike.sort(key=lambda item: -len(item.params))

    def _pair(self, package: EventPackage) -> None:
        """Let a package and that of its watchers know each other, whichever comes first."""
        name = package.name
        peer = self._by_name.get(name[: -len(WINFO)] if name.endswith(WINFO) else name + WINFO)
        if peer is not None:
            package.wipeer, peer.wipeer = peer, package

    def authorized(self) -> list[EventPackage]:
        """The packages whose watchers are authorized."""
        return [package for package in self._by_name.values() if package.req_auth]

    def named(self, name: str) -> EventPackage | None:
        """The package registered under exactly this name."""
        return self._by_name.get(name)

    def search(self, event: Event) -> EventPackage | None:
        """The package that an Event header means."""
        for package in self._by_package.get(event.package, ()):
            if all(event.params.get(name, _ABSENT) == value for name, value in package.params.items()):
                return package
        return None

    def allow_events(self) -> str:
        """The value of Allow-Events."""
        return self._allow_events


def _check(package: EventPackage) -> None:
    if package.package.count(WINFO) > package.package.endswith(WINFO):
        raise ModuleError(f'the event "{package.name}" would tell of the watchers of watchers')
    if package.req_auth and (package.get_rules_doc is None or package.get_auth_status is None):
        raise ModuleError(
            f'the event "{package.name}" has req_auth, but not get_rules_doc and get_auth_status'
        )


_ABSENT: Any = object()
