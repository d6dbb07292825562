from __future__ import annotations

from pathlib import Path

import pytest

from openpy.modules.rr.module import Rr
from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, Sent, request

MODULES = ("sl", "tm", "maxfwd", "textops", "xlog", "rr")
NEXT = "sip:bob@192.0.2.9"
OURS = "Route: <sip:127.0.0.1;lr;ftag=a1;x=y>"


def bench(tmp_path: Path, route: str, *, more: str = "") -> Bench:
    return Bench(tmp_path, route, more=f"{more}\nalias=127.0.0.1:5060", modules=MODULES)


def relayed(tmp_path: Path, route: str, data: bytes, *, more: str = "") -> Sent:
    with bench(tmp_path, f"{route} t_relay();", more=more) as given:
        return next(sent for sent in given.receive(data) if not sent.start.startswith("SIP/2.0"))


def printed(tmp_path: Path, route: str, data: bytes, *, more: str = "") -> list[str]:
    with bench(tmp_path, route, more=more) as given:
        given.receive(data)
        return list(given.printed())


# --- record_route ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "more", "header"),
    [
        ("record_route();", "", "<sip:127.0.0.1;lr;ftag=a1>"),
        ('record_route(";n=$rU");', "", "<sip:127.0.0.1;lr;ftag=a1;n=bob>"),
        ("record_route();", 'modparam("rr", "enable_full_lr", 1)', "<sip:127.0.0.1;lr=on;ftag=a1>"),
        ("record_route();", 'modparam("rr", "append_fromtag", 0)', "<sip:127.0.0.1;lr>"),
        ("record_route();", 'modparam("rr", "add_username", 1)', "<sip:bob@127.0.0.1;lr;ftag=a1>"),
        ('record_route_preset("gw.example:5080");', "", "<sip:gw.example:5080;lr;ftag=a1>"),
        ('record_route(); add_rr_param(";n=1");', "", "<sip:127.0.0.1;lr;ftag=a1;n=1>"),
        (
            'add_rr_param(";n=1"); add_rr_param(";m=2"); record_route(";o=3");',
            "",
            "<sip:127.0.0.1;lr;ftag=a1;n=1;m=2;o=3>",
        ),
    ],
)
def test_what_is_put_on_the_request(tmp_path: Path, call: str, more: str, header: str) -> None:
    sent = relayed(
        tmp_path, call, request("INVITE", NEXT, "Record-Route: <sip:before.example;lr>"), more=more
    )
    assert sent.all("Record-Route") == [header, "<sip:before.example;lr>"]


def test_two_where_the_transport_changes(tmp_path: Path) -> None:
    with bench(tmp_path, "record_route(); t_relay();") as given:
        given.receive(request("INVITE", NEXT), given.phone("tcp"))
        sent = given.sent[-1]
        assert sent.all("Record-Route") == [
            "<sip:127.0.0.1;r2=on;lr;ftag=a1>",
            "<sip:127.0.0.1;transport=tcp;r2=on;lr;ftag=a1>",
        ]


@pytest.mark.parametrize(
    ("before", "call", "code"),
    [
        (";", "record_route()", 1),
        ("record_route();", "record_route()", -1),
        ("record_route();", 'record_route_preset("a.example")', -1),
        (";", 'record_route(";n=<$ru>")', -1),
        (";", 'record_route_preset("")', -1),
        (";", 'record_route_preset("$avp(s:none)x y")', -1),
        (";", 'add_rr_param("n=1")', -1),
        (";", 'add_rr_param(";n=1")', 1),
        (";", f'add_rr_param(";n={"x" * 600}")', -1),
    ],
)
def test_return_codes(tmp_path: Path, before: str, call: str, code: int) -> None:
    with bench(tmp_path, f'{before} $var(c) = {call}; xlog("$var(c)");') as given:
        given.receive(request("INVITE", NEXT))
        assert list(given.printed())[-1] == str(code)


def test_each_branch_has_its_own(tmp_path: Path) -> None:
    more = 'branch_route[1] { add_rr_param(";n=$T_branch_idx"); }'
    route = 'record_route(); $ru = "sip:a@192.0.2.9"; append_branch("sip:b@192.0.2.9"); t_on_branch("1"); t_relay();'
    with bench(tmp_path, route, more=more) as given:
        sent = [each for each in given.receive(request("INVITE", NEXT)) if each.start.startswith("INVITE")]
        assert [each.get("Record-Route")[-5:] for each in sent] == [";n=1>", ";n=2>"]


# --- loose_route ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "to_tag", "code"),
    [
        ([], "b1", -1),
        ([OURS], "b1", 1),
        ([OURS], "", -1),
        ([OURS, "Route: <sip:other.example;lr>"], "", 1),
        (["Route: nonsense<"], "b1", -1),
    ],
)
def test_what_loose_route_says(tmp_path: Path, headers: list[str], to_tag: str, code: int) -> None:
    route = '$var(c) = loose_route(); xlog("$var(c)");'
    assert printed(tmp_path, route, request("BYE", NEXT, *headers, to_tag=to_tag))[-1] == str(code)


def test_a_request_follows_its_routes(tmp_path: Path) -> None:
    data = request("BYE", "sip:bob@client.example", f"{OURS}, <sip:192.0.2.50;lr>", to_tag="b1")
    sent = relayed(tmp_path, "loose_route();", data)
    assert (sent.to, sent.start) == ("udp:192.0.2.50:5060", "BYE sip:bob@client.example SIP/2.0")
    assert sent.all("Route") == ["<sip:192.0.2.50;lr>"]


def test_the_last_route_is_ours(tmp_path: Path) -> None:
    sent = relayed(tmp_path, "loose_route();", request("BYE", NEXT, OURS, to_tag="b1"))
    assert (sent.to, sent.all("Route")) == ("udp:192.0.2.9:5060", [])


def test_a_strict_router_gets_its_uri(tmp_path: Path) -> None:
    data = request("BYE", NEXT, OURS, "Route: <sip:192.0.2.50>", to_tag="b1")
    sent = relayed(tmp_path, "loose_route();", data)
    assert (sent.to, sent.start) == ("udp:192.0.2.50:5060", "BYE sip:192.0.2.50 SIP/2.0")
    assert sent.all("Route") == [f"<{NEXT}>"]


def test_the_second_of_a_pair_says_by_which_socket_it_leaves(tmp_path: Path) -> None:
    pair = "Route: <sip:127.0.0.1;transport=tcp;r2=on;lr>, <sip:127.0.0.1;r2=on;lr>"
    with bench(tmp_path, 'loose_route(); xlog("$fs");') as given:
        port = given.server.sockets.endpoints[0].port
        data = request("BYE", NEXT, pair.replace("127.0.0.1", f"127.0.0.1:{port}"), to_tag="b1")
        given.receive(data)
        assert list(given.printed()) == [f"udp:127.0.0.1:{port}"]


# --- what the Route says ------------------------------------------------------------------------------------------


def test_check_route_param(tmp_path: Path) -> None:
    route = 'if (check_route_param("x=y")) xlog("early"); loose_route(); if (check_route_param("x=y")) xlog("x=y");'
    route += ' if (check_route_param("x=z")) xlog("x=z");'
    assert printed(tmp_path, route, request("BYE", NEXT, OURS, to_tag="b1")) == ["x=y"]


@pytest.mark.parametrize(
    ("ftag", "direction"), [(";ftag=a1", "downstream"), (";ftag=b1", "upstream"), ("", "downstream")]
)
def test_is_direction(tmp_path: Path, ftag: str, direction: str) -> None:
    asked = "".join(f'if (is_direction("{way}")) xlog("{way}");' for way in ("downstream", "upstream"))
    route = f"loose_route(); {asked}"
    data = request("BYE", NEXT, f"Route: <sip:127.0.0.1;lr{ftag}>", to_tag="b1")
    assert printed(tmp_path, route, data) == [direction]


@pytest.mark.parametrize(
    ("route", "more", "told"),
    [
        ('is_direction("sideways");', "", "unknown direction"),
        ('is_direction("upstream");', 'modparam("rr", "append_fromtag", 0)', "cannot be used"),
    ],
)
def test_what_the_start_refuses(tmp_path: Path, route: str, more: str, told: str) -> None:
    with pytest.raises(ScriptError, match=told):
        bench(tmp_path, route, more=more)


def test_who_follows_routes_is_told_and_can_read_their_parameters(tmp_path: Path) -> None:
    with Bench(tmp_path, "loose_route();", modules=("rr",)) as bench:
        module = bench.server.module("rr")
        assert isinstance(module, Rr)
        told: list[tuple[str | None, str | None]] = []
        rr = module
        rr.on_routed.append(lambda run: told.append((rr.route_param(run, "did"), rr.route_param(run, "x"))))
        port = bench.server.sockets.endpoints[0].port
        bench.receive(
            request("BYE", "sip:bob@192.0.2.9", f"Route: <sip:127.0.0.1:{port};lr;DID=5.6>", to_tag="b")
        )
        bench.receive(
            request(
                "BYE",
                "sip:bob@192.0.2.9",
                "Route: <sip:192.0.2.77;lr;did=7>",
                to_tag="b",
                cseq=8,
                branch="z9hG4bK2",
            )
        )
        assert told == [("5.6", None)]


@pytest.mark.parametrize(
    ("route", "in_branch", "params"),
    [
        ('add_rr_param(";x=1");', "record_route();", [";x=1", ";x=1"]),
        (";", 'add_rr_param(";y=$T_branch_idx"); record_route();', [";y=1", ";y=2"]),
        (
            'add_rr_param(";x=1");',
            'add_rr_param(";y=$T_branch_idx"); record_route();',
            [";x=1;y=1", ";x=1;y=2"],
        ),
        ("record_route();", 'add_rr_param(";y=$T_branch_idx");', [";y=1", ";y=2"]),
    ],
)
def test_each_branch_has_the_params_that_wait(
    tmp_path: Path, route: str, in_branch: str, params: list[str]
) -> None:
    more = f'modparam("rr", "append_fromtag", 0) branch_route[1] {{ {in_branch} }}'
    fork = 't_on_branch("1"); append_branch("sip:c@192.0.2.12"); t_relay();'
    with Bench(tmp_path, f"{route} {fork}", more=more, modules=("tm", "rr")) as bench:
        _, *invites = bench.receive(request("INVITE", "sip:b@192.0.2.11"))
        found = [sent.get("Record-Route") for sent in invites]
        assert found == [f"<sip:127.0.0.1;lr{each}>" for each in params]
