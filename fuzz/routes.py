"""Whatever stands in Route is refused or followed, and ends; what stands in Record-Route makes a dialog or none.

The first octet of an input says what the Request-URI is.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import product

from openpy.modules.rr.routing import Way, way_of
from openpy.sip.dialog import Dialog
from openpy.sip.errors import RemoteError
from openpy.sip.headers import NameAddr, parse_name_addr_list
from openpy.sip.message import Request, Response, parse_message
from openpy.sip.uri import Uri, parse_uri

OURS = "here.example"
URIS = (f"sip:{OURS};lr", f"sip:{OURS}", "sip:bob@192.0.2.9", "tel:+1")
HEAD = b"From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:c@192.0.2.1>\r\n"


def check(data: bytes) -> None:
    """Follow a text as Route, and take it for a Record-Route."""
    uri = parse_uri(URIS[data[0] % len(URIS) if data else 0])
    value = data[1:].replace(b"\r", b"").replace(b"\n", b" ")
    text = value.decode("utf-8", "surrogateescape")
    with suppress(RemoteError):
        routes = parse_name_addr_list(text)
        for in_dialog in (False, True):
            _follow(uri, routes, in_dialog)
    _check_dialogs(value)


def _is_ours(uri: Uri) -> bool:
    return uri.is_sip and uri.host.lower() == OURS


def _follow(uri: Uri, routes: list[NameAddr], in_dialog: bool) -> None:
    """Go on as long as the way leads back here: each turn takes a Route off."""
    for _ in range(len(routes) + 1):
        if not routes:
            return
        way = way_of(uri, routes, _is_ours, in_dialog=in_dialog)
        _check_way(way, len(routes))
        target = way.next_hop or way.uri or str(uri)
        uri = parse_uri(way.uri) if way.uri else uri
        if not way.is_routed or not _is_ours(parse_uri(target)):
            return
        routes = list(way.routes)
    raise AssertionError("the Routes lead round without end")


def _check_way(way: Way, before: int) -> None:
    assert len(way.routes) <= before
    written = ", ".join(map(str, way.routes))
    if written:
        assert [str(route) for route in parse_name_addr_list(written)] == [str(route) for route in way.routes]


def _check_dialogs(value: bytes) -> None:
    request = parse_message(b"INVITE sip:c@d SIP/2.0\r\n%bRecord-Route: %b\r\n\r\n" % (HEAD, value))
    response = parse_message(b"SIP/2.0 200 OK\r\n%bRecord-Route: %b\r\n\r\n" % (HEAD, value))
    assert isinstance(request, Request)
    assert isinstance(response, Response)
    made: list[Dialog] = []
    with suppress(RemoteError):
        made = [Dialog.from_request(request, "2"), Dialog.from_response(request, response)]
    if made:
        assert made[0].route_set == made[1].route_set[::-1]
    for dialog, _ in product(made, range(2)):
        with suppress(RemoteError):
            uri, routes, hop = dialog.request_parts()
            parse_uri(hop)
            assert uri
            assert len(routes) in (0, len(dialog.route_set))
