"""Event packages: what a module says about an event, and which one a request means.

Rules:
1. A package is one object with everything about its event (1.3's `pres_ev_t`); the rest of the presence
   module knows no event by name.
2. A request means the package whose name and own parameters stand in its Event header; further parameters,
   `id` among them, are ignored. Of several the one with the most parameters is meant.
3. Callbacks send nothing: they raise RemoteError, and the caller gives the one reply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from openpy.sip.headers import Event, parse_event
from openpy.sip.message import Request

Documents = Sequence[Any]
"""What `read_body` made of the bodies published for one presentity, newest last."""


@dataclass(slots=True, eq=False)
class EventPackage:
    """One event: RFC 6665 section 7 lists what a package defines.

    `name` may carry parameters (`dialog;sla`). `accept` are the media types that may be published, `content_type`
    is that of NOTIFY bodies. Bodies are bytes; expiry times are in seconds.
    """

    name: str
    content_type: str
    accept: tuple[str, ...] = ()
    default_expires: int = 3600
    type: str = "publish"  # or "winfo"
    etag_not_new: bool = False
    """One entity-tag for the whole life of a publication."""
    req_auth: bool = False
    evs_publ_handl: Callable[[Request], None] | None = None
    """Checks a PUBLISH with a body; raises RemoteError."""
    read_body: Callable[[bytes], Any] | None = None
    """Makes of a published body the document that `agg_nbody` takes; raises RemoteError."""
    evs_subs_handl: Callable[[Request], None] | None = None
    """Checks a SUBSCRIBE; raises RemoteError."""
    agg_nbody: Callable[[str, Documents], bytes] | None = None
    """(presentity URI, documents) -> the body to notify. None: the newest published body is notified as it is."""
    offline_nbody: Callable[[str, Documents], bytes] | None = None
    """(presentity URI, documents that ended) -> the body once nothing is published any more. None: no body."""
    get_rules_doc: Callable[[str, str], bytes | None] | None = None
    get_auth_status: Callable[[Any], Any] | None = None
    apply_auth_nbody: Callable[[bytes, Any], bytes | None] | None = None
    wipeer: EventPackage | None = field(default=None, repr=False)
    """The package of the watchers' own information (`presence` <-> `presence.winfo`)."""
    package: str = field(init=False)
    """The name without parameters, in lower case."""
    params: dict[str, str | None] = field(init=False)
    name_octets: bytes = field(init=False)
    """The name as it stands in NOTIFYs."""
    body_head: bytes = field(init=False)
    """What begins the end of a NOTIFY with a body: up to the value of Content-Length."""

    def __post_init__(self) -> None:
        parsed = parse_event(self.name)
        self.package = parsed.package
        self.params = parsed.params
        self.name_octets = self.name.encode("utf-8", "surrogateescape")
        self.body_head = f"\r\nContent-Type: {self.content_type}\r\nContent-Length: ".encode("ascii")
        self.accept = tuple(item.lower() for item in self.accept or (self.content_type,))


class EventRegistry:
    """The packages that are served, in order of registration."""

    __slots__ = ("_allow_events", "_by_name", "_by_package")

    def __init__(self) -> None:
        self._allow_events = ""
        self._by_name: dict[str, EventPackage] = {}
        self._by_package: dict[str, list[EventPackage]] = {}

    def add(self, package: EventPackage) -> None:
        """Serve a package. One of that name which is there already stays."""
        if package.name in self._by_name:
            return
        self._by_name[package.name] = package
        self._allow_events = ", ".join(self._by_name)
        alike = self._by_package.setdefault(package.package, [])
        alike.append(package)
        alike.sort(key=lambda item: -len(item.params))

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


_ABSENT: Any = object()
