"""A dialog: tags, sequence numbers, target and route set (RFC 3261 section 12)."""

from __future__ import annotations

from openpy.sip.errors import RemoteError
from openpy.sip.headers import Star, parse_name_addr
from openpy.sip.message import Message, Request, Response
from openpy.sip.uri import as_request_uri

__all__ = ["Dialog"]


class Dialog:
    """One side of a dialog.

    `local_uri` and `remote_uri` are those of From and To; `target` is the peer's Contact URI; `route_set` are
    name-addrs (`<uri;params>`), the first hop first. `local_cseq` is the number of the last request sent
    (0: none yet), `remote_cseq` that of the last received (None: none yet).
    """

    __slots__ = (
        "call_id",
        "local_cseq",
        "local_tag",
        "local_uri",
        "remote_cseq",
        "remote_tag",
        "remote_uri",
        "route_set",
        "target",
    )

    def __init__(
        self,
        *,
        call_id: str,
        local_tag: str,
        remote_tag: str,
        local_uri: str,
        remote_uri: str,
        target: str,
        route_set: tuple[str, ...] = (),
        local_cseq: int = 0,
        remote_cseq: int | None = None,
    ) -> None:
        self.call_id = call_id
        self.local_tag = local_tag
        self.remote_tag = remote_tag
        self.local_uri = local_uri
        self.remote_uri = remote_uri
        self.target = target
        self.route_set = route_set
        self.local_cseq = local_cseq
        self.remote_cseq = remote_cseq

    @classmethod
    def from_request(cls, request: Request, local_tag: str) -> Dialog:
        """The UAS side, made by `request` (section 12.1.1). Raises RemoteError (400): no Contact URI."""
        return cls(
            call_id=request.call_id,
            local_tag=local_tag,
            remote_tag=request.from_.tag,
            local_uri=request.to.uri_text,
            remote_uri=request.from_.uri_text,
            target=_contact_uri(request),
            route_set=_record_routes(request),
            remote_cseq=request.cseq.number,
        )

    @classmethod
    def from_response(cls, request: Request, response: Response) -> Dialog:
        """The UAC side, made by `response` to our `request` (section 12.1.2). Raises RemoteError (400)."""
        return cls(
            call_id=request.call_id,
            local_tag=request.from_.tag,
            remote_tag=response.to.tag,
            local_uri=request.from_.uri_text,
            remote_uri=request.to.uri_text,
            target=_contact_uri(response),
            route_set=_record_routes(response)[::-1],
            local_cseq=request.cseq.number,
        )

    def refresh_target(self, message: Message) -> None:
        """Take the Contact of a target refresh request or its 2xx, if it has one (section 12.2)."""
        if message.has("Contact"):
            self.target = _contact_uri(message)

    def request_parts(self) -> tuple[str, tuple[str, ...], str]:
        """(Request-URI, Route values, URI of the next hop) of a request in this dialog (section 12.2.1.1).

        A first route without `lr` is a strict router: it becomes the Request-URI, and the target the last
        route. Raises RemoteError (400) if the peer gave a route that cannot be parsed.
        """
        if not self.route_set:
            return self.target, (), self.target
        first = parse_name_addr(self.route_set[0])
        if first.uri.param("lr") is not None:
            return self.target, self.route_set, first.uri_text
        return as_request_uri(first.uri_text), (*self.route_set[1:], f"<{self.target}>"), first.uri_text


def _contact_uri(message: Message) -> str:
    contacts = message.contacts
    if isinstance(contacts, Star) or not contacts:
        raise RemoteError(400, "Missing Contact")
    return contacts[0].uri_text


def _record_routes(message: Message) -> tuple[str, ...]:
    routes = tuple(message.values("Record-Route"))
    for route in routes:
        _ = parse_name_addr(route).uri
    return routes
