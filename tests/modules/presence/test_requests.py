"""What requests say, and what is refused of it."""

import pytest

from openpy.modules.presence import requests
from openpy.modules.presence.events import EventPackage, EventRegistry
from openpy.modules.presence.requests import Limits
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, parse_message

PACKAGE = EventPackage("presence", "application/pidf+xml", accept=("application/pidf+xml", "text/plain"))


def request(*headers: str, uri: str = "sip:alice@example.org", body: bytes = b"") -> Request:
    message = parse_message("\r\n".join([f"PUBLISH {uri} SIP/2.0", *headers]).encode() + b"\r\n\r\n" + body)
    assert isinstance(message, Request)
    return message


def status(function: object, *arguments: object) -> tuple[int, tuple[tuple[str, str], ...]]:
    with pytest.raises(RemoteError) as caught:
        function(*arguments)  # type: ignore[operator]
    return caught.value.status, caught.value.headers


def test_the_presentity() -> None:
    assert requests.presentity_uri("sips:%61lice@Example.Org:5061") == "sip:alice@example.org"
    assert requests.presentity_uri("sip:example.org") == "sip:example.org"
    assert status(requests.presentity_uri, "tel:+1")[0] == 404


def test_extensions() -> None:
    requests.check_extensions(request("Require:"))
    requests.check_extensions(request())
    assert status(requests.check_extensions, request("Require: a,b")) == (420, (("Unsupported", "a, b"),))


def test_events() -> None:
    registry = EventRegistry()
    registry.add(PACKAGE)
    assert requests.event_package(request("Event: presence"), registry) == (PACKAGE, None)
    assert requests.event_package(request("o: Presence ;id=a"), registry) == (PACKAGE, "a")
    for headers in ((), ("Event:",), ("Event: dialog",)):
        assert status(requests.event_package, request(*headers), registry) == (
            489,
            (("Allow-Events", "presence"),),
        )
    assert status(requests.event_package, request("Event: ;"), registry)[0] == 400


def test_lifetimes() -> None:
    limits = Limits(60, 7200)
    for text, expected in (("60", 60), ("0", 0), ("99999", 7200), ("99999999999", 7200)):
        assert requests.granted_expires(request(f"Expires: {text}"), PACKAGE, limits) == expected
    assert requests.granted_expires(request(), PACKAGE, limits) == 3600
    assert requests.granted_expires(request("Expires: 3600"), PACKAGE, Limits(7200, 9000)) == 3600
    assert status(requests.granted_expires, request("Expires: 59"), PACKAGE, limits) == (
        423,
        (("Min-Expires", "60"),),
    )
    assert status(requests.granted_expires, request("Expires: x"), PACKAGE, limits)[0] == 400


def test_entity_tags() -> None:
    assert requests.entity_tag(request()) is None
    assert requests.entity_tag(request("sip-if-match: abc")) == "abc"
    for headers in (("SIP-If-Match:",), ("SIP-If-Match: a,b",), ("SIP-If-Match: a", "SIP-If-Match: b")):
        assert status(requests.entity_tag, request(*headers))[0] == 400


def test_bodies() -> None:
    limits = Limits(max_body=3)
    requests.check_body(request("c: text/plain; charset=utf-8", body=b"abc"), PACKAGE, limits)
    requests.check_body(request("Content-Encoding: identity", "c: text/plain", body=b"abc"), PACKAGE, limits)
    assert status(requests.check_body, request("c: text/plain", body=b"abcd"), PACKAGE, limits)[0] == 413
    assert status(requests.check_body, request(body=b"abc"), PACKAGE, limits) == (
        415,
        (("Accept", "application/pidf+xml, text/plain"),),
    )
    assert status(requests.check_body, request("e: gzip", body=b"abc"), PACKAGE, limits) == (
        415,
        (("Accept-Encoding", "identity"),),
    )
    assert status(requests.check_body, request("c: nonsense", body=b"abc"), PACKAGE, limits)[0] == 400


def test_acceptable_bodies() -> None:
    for accept in ("*/*", "application/*;q=0.1", "text/html, application/pidf+xml", "application/pidf+xml"):
        requests.check_accept(request(f"Accept: {accept}"), PACKAGE)
    requests.check_accept(request(), PACKAGE)
    for accept in ("text/*", "application/pidf+xml;q=0", ""):
        assert status(requests.check_accept, request(f"Accept: {accept}"), PACKAGE)[0] == 406


def test_contacts() -> None:
    assert requests.watcher_contact(request("m: <sip:a@b>, <sip:c@d>")).uri_text == "sip:a@b"
    for headers in ((), ("Contact: *",), ("Contact: <tel:+1>",), ("Contact: <sip:>",)):
        assert status(requests.watcher_contact, request(*headers))[0] == 400


SIPS = "sips:a@b"


@pytest.mark.parametrize(
    ("uri", "headers", "secure"),
    [
        ("sip:a@b", ("Contact: <sip:w@h>",), False),
        (SIPS, ("Contact: <sip:w@h>",), True),
        (SIPS.upper(), ("Contact: <sip:w@h>",), True),
        ("sip:a@b", ("Contact: <sips:w@h>",), True),
        ("sip:a@b", ("Contact: <sip:w@h>", "Record-Route: <sips:p;lr>, <sip:q;lr>"), True),
        ("sip:a@b", ("Contact: <sip:w@h>", "Record-Route: <sip:p;lr>, <sips:q;lr>"), False),
        (SIPS, ("Contact: *",), False),
        (SIPS, ("Contact: <sip:w@h>", "Record-Route: <nonsense"), False),
    ],
)
@pytest.mark.parametrize(
    ("transport", "plain", "secured"),
    [
        ("tls", "sip:h:5061;transport=tls", "sips:h:5061"),
        ("wss", "sip:h:5061;transport=ws", "sips:h:5061;transport=ws"),
        ("tcp", "sip:h:5061;transport=tcp", None),
        ("udp", "sip:h:5061;transport=udp", None),
    ],
)
def test_our_contact_is_secure_where_the_dialog_is(
    uri: str, headers: tuple[str, ...], secure: bool, transport: str, plain: str, secured: str | None
) -> None:
    made = request(*headers, uri=uri)
    assert requests.contact_uri(transport, "h", 5061, made) == ((secure and secured) or plain)
    assert requests.contact_uri(transport, "h", 5061) == plain


def test_senders() -> None:
    assert requests.sender_uri(" ") is None
    assert requests.sender_uri("<null>") is None
    assert str(requests.sender_uri('"A" <sip:a@b>;x')) == "sip:a@b"
    assert str(requests.sender_uri("sip:a@b")) == "sip:a@b"
    assert status(requests.sender_uri, "nobody")[0] == 400
    longest = "sip:a@b;x=" + "y" * 245
    assert str(requests.sender_uri(f"<{longest}>")) == longest
    assert requests.sender_uri(f"<{longest}y>") is None
