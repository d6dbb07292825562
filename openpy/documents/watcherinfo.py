"""Watcher information (RFC 3857, RFC 3858): who watches a resource, in full or only what changed.

Rules:
1. A full document lists every watcher of its resource, a partial one those that changed (RFC 3858 section 4).
2. `version` counts the documents of one subscription from 0 on; it is the subscription's, so the caller's.
3. Texts are escaped and of any length.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lxml import etree

from openpy.documents.markup import attribute, content
from openpy.documents.xml import DocumentError, parse_document

CONTENT_TYPE = "application/watcherinfo+xml"
NAMESPACE = "urn:ietf:params:xml:ns:watcherinfo"

STATUSES = frozenset({"pending", "active", "waiting", "terminated"})
"""The states of a subscription, as watchers' information tells them (RFC 3857 section 4.7.1)."""

EVENTS = frozenset(
    {"subscribe", "approved", "deactivated", "probation", "rejected", "timeout", "giveup", "noresource"}
)
"""What can have brought a subscription into its state."""


class Watcher(NamedTuple):
    """One subscription to the resource.

    `id` is unique among the resource's subscriptions and stays the same; `expiration` and `duration`
    are seconds: those that the subscription still has, and those that it has lasted.
    """

    id: str
    uri: str
    status: str
    event: str
    display_name: str = ""
    expiration: int | None = None
    duration: int | None = None


class WatcherList(NamedTuple):
    """The watchers of one resource by one event package."""

    resource: str
    package: str
    watchers: tuple[Watcher, ...]


class WatcherInfo(NamedTuple):
    """A document that was read."""

    version: int
    full: bool
    lists: tuple[WatcherList, ...]


def compose(resource: str, package: str, version: int, watchers: Iterable[Watcher], *, full: bool) -> bytes:
    """The document that tells of these watchers of `resource`, who subscribed to the event `package`."""
    state = "full" if full else "partial"
    elements = "".join([_element(watcher) for watcher in watchers])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n'
        f'<watcherinfo xmlns="{NAMESPACE}" version="{version}" state="{state}">'
        f"<watcher-list{attribute('resource', resource)}{attribute('package', package)}>"
        f"{elements}</watcher-list></watcherinfo>\r\n"
    ).encode()


def _element(watcher: Watcher) -> str:
    more = ""
    if watcher.display_name:
        more = attribute("display-name", watcher.display_name)
    if watcher.expiration is not None:
        more += f' expiration="{watcher.expiration}"'
    if watcher.duration is not None:
        more += f' duration-subscribed="{watcher.duration}"'
    return (
        f"<watcher{attribute('id', watcher.id)}{attribute('event', watcher.event)}"
        f"{attribute('status', watcher.status)}{more}>{content(watcher.uri)}</watcher>"
    )


def parse(body: bytes) -> WatcherInfo:
    """Read a document; raises DocumentError for one that RFC 3858 does not allow."""
    root = parse_document(body)
    state = root.get("state")
    if root.tag != _tag("watcherinfo") or state not in ("full", "partial"):
        raise DocumentError("not a watcherinfo document with a state")
    version = _number(root, "version")
    if version is None:
        raise DocumentError("watcherinfo without version")
    return WatcherInfo(
        version, state == "full", tuple(_list(item) for item in root.iter(_tag("watcher-list")))
    )


def _list(element: etree._Element) -> WatcherList:
    watchers = tuple(_watcher(item) for item in element.iter(_tag("watcher")))
    return WatcherList(_required(element, "resource"), _required(element, "package"), watchers)


def _watcher(element: etree._Element) -> Watcher:
    status, event = _required(element, "status"), _required(element, "event")
    if status not in STATUSES or event not in EVENTS:
        raise DocumentError(f"a watcher cannot be {status[:20]!r} by {event[:20]!r}")
    return Watcher(
        _required(element, "id"),
        (element.text or "").strip(),
        status,
        event,
        element.get("display-name") or "",
        _number(element, "expiration"),
        _number(element, "duration-subscribed"),
    )


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _required(element: etree._Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise DocumentError(f"{etree.QName(element).localname} without {name}")
    return value


def _number(element: etree._Element, name: str) -> int | None:
    text = element.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise DocumentError(f"{name} is not a number")
    return int(text)
