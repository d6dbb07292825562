from __future__ import annotations

import pytest

from openpy.modules.rr.routing import Way, way_of
from openpy.sip.headers import NameAddr, parse_name_addr_list
from openpy.sip.uri import Uri, parse_uri

OURS = "<sip:192.0.2.100;lr>"
BOB = "sip:bob@192.0.2.9"
STRICT = "<sip:strict.example>"
LOOSE = "<sip:loose.example;lr>"


def is_mine(uri: Uri) -> bool:
    return uri.host in ("192.0.2.100", "192.0.2.101")


def way(routes: str, uri: str = BOB, *, in_dialog: bool = True) -> Way:
    return way_of(parse_uri(uri), parse_name_addr_list(routes), is_mine, in_dialog=in_dialog)


def written(routes: tuple[NameAddr, ...]) -> list[str]:
    return [str(route) for route in routes]


def test_our_own_route_is_taken_off() -> None:
    found = way(OURS)
    assert (found.routes, found.uri, found.next_hop, found.is_routed) == ((), "", "", True)
    assert str(found.own) == "sip:192.0.2.100;lr"


def test_without_a_dialog_our_own_route_says_nothing() -> None:
    found = way(OURS, in_dialog=False)
    assert (found.routes, found.is_routed) == ((), False)


@pytest.mark.parametrize("in_dialog", [True, False])
def test_the_next_loose_router_is_the_next_hop(in_dialog: bool) -> None:
    found = way(f"{OURS}, {LOOSE}, {STRICT}", in_dialog=in_dialog)
    assert written(found.routes) == [LOOSE, STRICT]
    assert (found.uri, found.next_hop, found.is_routed) == ("", "sip:loose.example;lr", True)


def test_the_next_strict_router_gets_its_own_uri() -> None:
    found = way(f"{OURS}, {STRICT}, {LOOSE}")
    assert written(found.routes) == [LOOSE, f"<{BOB}>"]
    assert (found.uri, found.next_hop) == ("sip:strict.example", "")


@pytest.mark.parametrize(
    ("routes", "uri", "next_hop", "left"),
    [
        (f"{LOOSE}, {STRICT}", "", "sip:loose.example;lr", [LOOSE, STRICT]),
        (f"{STRICT}, {LOOSE}", "sip:strict.example", "", [LOOSE, f"<{BOB}>"]),
    ],
)
def test_a_foreign_topmost_route(routes: str, uri: str, next_hop: str, left: list[str]) -> None:
    found = way(routes)
    assert (found.uri, found.next_hop, written(found.routes), found.own) == (uri, next_hop, left, None)


def test_both_of_a_pair_are_taken_off() -> None:
    first, second = "<sip:192.0.2.100;r2=on;lr>", "<sip:192.0.2.101;transport=tcp;r2=on;lr>"
    found = way(f"{first}, {second}, {LOOSE}")
    assert written(found.routes) == [LOOSE]
    assert str(found.leaves_by) == "sip:192.0.2.101;transport=tcp;r2=on;lr"
    assert str(found.own) == "sip:192.0.2.100;r2=on;lr"


def test_a_foreign_route_is_no_second_of_a_pair() -> None:
    found = way(f"<sip:192.0.2.100;r2=on;lr>, {LOOSE}")
    assert (written(found.routes), found.leaves_by) == ([LOOSE], None)


# --- from a strict router: the Request-URI is our Record-Route ---------------------------------------------------

RECORDED = "sip:192.0.2.100;lr;ftag=a"


def test_after_a_strict_router_the_last_route_is_the_target() -> None:
    found = way(f"<{BOB}>", RECORDED)
    assert (found.uri, found.next_hop, found.routes, str(found.own)) == (BOB, "", (), RECORDED)


def test_after_a_strict_router_a_loose_one() -> None:
    found = way(f"{LOOSE}, <{BOB}>", RECORDED)
    assert (found.uri, found.next_hop, written(found.routes)) == (BOB, "sip:loose.example;lr", [LOOSE])


def test_after_a_strict_router_another() -> None:
    found = way(f"{STRICT}, <{BOB}>", RECORDED)
    assert (found.uri, found.next_hop, written(found.routes)) == ("sip:strict.example", "", [f"<{BOB}>"])


def test_after_a_strict_router_the_second_of_a_pair() -> None:
    found = way(f"<sip:192.0.2.101;r2=on;lr>, <{BOB};lr>", "sip:192.0.2.100;lr;r2=on")
    assert (found.uri, str(found.leaves_by)) == (f"{BOB};lr", "sip:192.0.2.101;r2=on;lr")


def test_nothing_is_left_to_follow() -> None:
    found = way("<sip:192.0.2.101;r2=on;lr>", "sip:192.0.2.100;lr;r2=on")
    assert (found.routes, found.is_routed) == ((), False)


def test_a_request_to_ourselves_came_from_no_strict_router() -> None:
    found = way(OURS, "sip:presence@192.0.2.100")
    assert (found.routes, found.uri, found.is_routed) == ((), "", True)
