"""What a PUBLISH or SUBSCRIBE says, checked: every refusal that needs no state (RFC 3903 section 6, RFC 6665).

All functions raise RemoteError with the status, reason and headers to answer with.
"""

from __future__ import annotations

from dataclasses import dataclass

from openpy.db.tables import URI_WIDTH
from openpy.modules.presence.events import EventPackage, EventRegistry
from openpy.sip.errors import RemoteError
from openpy.sip.headers import NameAddr, Star, parse_event, parse_media_type, parse_name_addr
from openpy.sip.message import Request
from openpy.sip.transports import uri_transport
from openpy.sip.uri import Uri, aor_of


@dataclass(slots=True, frozen=True)
class Limits:
    """What the administrator allows: lifetimes in seconds, sizes in bytes."""

    min_expires: int = 0
    max_expires: int = 3600
    max_body: int = 65_535


NO_BRIEFER = 3600
"""Seconds. A lifetime of this or more is never too brief (RFC 6665 section 4.2.1.1)."""


def presentity_uri(uri: str) -> str:
    """The canonical URI of the resource that a Request-URI names."""
    canonical = aor_of(uri)
    if not canonical.startswith("sip:"):
        raise RemoteError(404, "Not Found")
    return canonical


def check_extensions(request: Request) -> None:
    """Refuse an extension that is required: none is supported (RFC 3261 section 8.2.2.3)."""
    if request.has("Require"):
        wanted = request.values("Require")
        if wanted:
            raise RemoteError(420, "Bad Extension", (("Unsupported", ", ".join(wanted)),))


def event_package(request: Request, registry: EventRegistry) -> tuple[EventPackage, str | None]:
    """The package that the request means, and the `id` in its Event header."""
    text = request.get("Event")
    if text:
        package = registry.named(text)
        if package is not None and "id" not in package.params:
            return package, None
        event = parse_event(text)
        package = registry.search(event)
        if package is not None:
            return package, event.id
    raise bad_event(registry)


def bad_event(registry: EventRegistry) -> RemoteError:
    """The answer to a request for an event that is not served, or not in this way."""
    return RemoteError(489, "Bad Event", (("Allow-Events", registry.allow_events()),))


def granted_expires(request: Request, package: EventPackage, limits: Limits) -> int:
    """The lifetime, in seconds: what is asked for, or the package's default, at most `max_expires`."""
    expires = request.expires
    if expires is None:
        expires = package.default_expires
    elif 0 < expires < limits.min_expires and expires < NO_BRIEFER:
        raise RemoteError(423, "Interval Too Brief", (("Min-Expires", str(limits.min_expires)),))
    return min(expires, limits.max_expires)


def entity_tag(request: Request) -> str | None:
    """The SIP-If-Match value; None if there is none."""
    etag = request.get("SIP-If-Match")
    if etag is not None and (not etag or "," in etag or " " in etag or "SIP-If-Match" in request.repeats()):
        raise RemoteError(400, "Invalid Request: one entity-tag expected")
    return etag


def check_body(request: Request, package: EventPackage, limits: Limits) -> None:
    """Refuse a body that is too large, encoded, or of a type that cannot be published."""
    if len(request.body) > limits.max_body:
        raise RemoteError(413, "Request Entity Too Large")
    if request.has("Content-Encoding"):
        encodings = [item.lower() for item in request.values("Content-Encoding")]
        if any(item != "identity" for item in encodings):
            raise RemoteError(415, "Unsupported Media Type", (("Accept-Encoding", "identity"),))
    text = request.get("Content-Type")
    if text not in package.accept and (not text or parse_media_type(text).full not in package.accept):
        raise RemoteError(415, "Unsupported Media Type", (("Accept", ", ".join(package.accept)),))


def check_accept(request: Request, package: EventPackage) -> None:
    """Refuse a watcher that takes no body of the type that would be sent; no Accept takes the default."""
    text = request.get("Accept")
    if text is None or text == package.content_type:
        return
    usable = {package.content_type.lower(), package.content_type.partition("/")[0].lower() + "/*", "*/*"}
    for item in request.values("Accept"):
        media = parse_media_type(item)
        if media.full in usable and not _is_zero(media.params.get("q")):
            return
    raise RemoteError(406, "Not Acceptable", (("Accept", package.content_type),))


def watcher_contact(request: Request) -> NameAddr:
    """The one Contact of a SUBSCRIBE, with a URI that a NOTIFY can be sent to."""
    contacts = request.contacts
    if isinstance(contacts, Star) or not contacts:
        raise RemoteError(400, "Contact missing or *")
    if not contacts[0].uri_text[:5].lower().startswith(("sip:", "sips:")):
        raise RemoteError(400, "Contact is no SIP URI")
    return contacts[0]


def contact_uri(transport: str, host: str, port: int, request: Request | None = None) -> str:
    """Our URI towards who sent a request, by the way that it came.

    A SIPS URI where a dialog is to be secure (RFC 3261 12.1.1) and the way is: by another nobody could reach it.
    """
    if transport not in ("tls", "wss"):
        return f"sip:{host}:{port};transport={transport}"
    named = uri_transport(transport)
    if request is None or not _is_to_be_secure(request):
        return f"sip:{host}:{port};transport={named}"
    return f"sips:{host}:{port}" + ("" if named == "tls" else f";transport={named}")


def _is_to_be_secure(request: Request) -> bool:
    """Whether the Request-URI, the first Record-Route or the Contact is a SIPS URI."""
    try:
        uris = [request.uri, watcher_contact(request).uri_text]
        uris += [parse_name_addr(route).uri_text for route in request.values("Record-Route")[:1]]
    except RemoteError:  # whoever decides about the request refuses it
        return False
    return any(uri[:5].lower() == "sips:" for uri in uris)


def sender_uri(text: str) -> Uri | None:
    """The URI in the argument of handle_publish, a name-addr or an addr-spec; None for none.

    One that is longer than any Contact that is kept is nobody's: to compare it with those of all watchers takes long.
    """
    text = text.strip()
    if not text or text == "<null>":
        return None
    address = parse_name_addr(text)
    return address.uri if len(address.uri_text) <= URI_WIDTH else None


def _is_zero(quality: str | None) -> bool:
    return quality is not None and quality.strip("0.") == ""
