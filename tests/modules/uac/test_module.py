"""uac: a call with another From, both ways, and challenges that are answered on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import MODULES, Bench, Sent, answer, request

NEXT = "sip:bob@192.0.2.9"
LOADS = (*MODULES, "rr", "uac")
ALICE = '"Alice" <sip:alice@atlanta.example>;tag=a1'
HIDE = 'uac_replace_from("Anonymous", "sip:anonymous@anonymous.invalid")'
HIDDEN = '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=a1'


def bench(folder: Path, call: str = HIDE, *, more: str = "", modules: tuple[str, ...] = LOADS) -> Bench:
    route = f'if (loose_route()) {{ t_relay(); exit; }} record_route(); $var(c) = {call}; xlog("$var(c)"); t_relay();'
    return Bench(folder, route, more=more, modules=modules)


def begun(given: Bench) -> Sent:
    given.receive(request("INVITE", NEXT))
    return given.sent[-1]


@pytest.mark.parametrize(
    ("call", "code", "value"),
    [
        (HIDE, 1, HIDDEN),
        ('uac_replace_from("sip:n@x.example")', 1, '"Alice" <sip:n@x.example>;tag=a1'),
        ('uac_replace_from("", "sip:n@x.example")', 1, "<sip:n@x.example>;tag=a1"),
        ('uac_replace_from("Al", "")', 1, '"Al" <sip:alice@atlanta.example>;tag=a1'),
        ('uac_replace_from("$rU", "sip:$rU@x.example")', 1, '"bob" <sip:bob@x.example>;tag=a1'),
        ('uac_replace_from("nonsense")', -1, ALICE),
        ('uac_replace_from("sip:a@b>;x")', -1, ALICE),
    ],
)
def test_replacing(tmp_path: Path, call: str, code: int, value: str) -> None:
    with bench(tmp_path, call) as given:
        assert begun(given).get("From") == value
        assert list(given.printed()) == [str(code)]


def test_it_is_replaced_once(tmp_path: Path) -> None:
    with bench(
        tmp_path, 'uac_replace_from("sip:n@x.example"); $var(c) = uac_replace_from("sip:m@x.example")'
    ) as given:
        assert begun(given).get("From") == '"Alice" <sip:n@x.example>;tag=a1'
        assert list(given.printed()) == ["-1"]


def test_not_within_a_dialog(tmp_path: Path) -> None:
    with bench(tmp_path) as given:
        given.receive(request("MESSAGE", NEXT, to_tag="b1"))
        assert given.sent[-1].get("From") == ALICE
        assert list(given.printed()) == ["-1"]


@pytest.mark.parametrize("status", [180, 200, 404])
def test_replies_show_what_the_caller_knows(tmp_path: Path, status: int) -> None:
    with bench(tmp_path) as given:
        given.receive(answer(begun(given), status))
        (reply,) = [sent for sent in given.sent if sent.start == f"SIP/2.0 {status} Reason"][:1]
        assert reply.get("From") == ALICE


def kept_route(given: Bench, sent: Sent) -> str:
    """Our Record-Route as a Route; the bench's flows name another port than the socket has."""
    return (
        sent.get("Record-Route")
        .replace(":5060", "")
        .replace("127.0.0.1", f"127.0.0.1:{given.server.sockets.endpoints[0].port}")
    )


@pytest.mark.parametrize("password", ["", "secret"])
def test_a_dialog_both_ways(tmp_path: Path, password: str) -> None:
    with bench(tmp_path, more=f'modparam("uac", "from_passwd", "{password}")') as given:
        route = kept_route(given, begun(given))
        assert ";vsf=" in route
        down = request("BYE", NEXT, f"Route: {route}", to_tag="b1", branch="z9hG4bK2")
        given.receive(down)
        assert given.sent[-1].get("From") == '"Alice" <sip:anonymous@anonymous.invalid>;tag=a1'
        given.receive(answer(given.sent[-1], 200))
        assert given.sent[-1].get("From") == ALICE
        up = (
            request("INFO", "sip:alice@192.0.2.1", f"Route: {route}", branch="z9hG4bK3")
            .replace(
                b'From: "Alice" <sip:alice@atlanta.example>;tag=a1', b"From: <sip:bob@biloxi.example>;tag=b1"
            )
            .replace(b"To: <sip:bob@biloxi.example>", b"To: <sip:anonymous@anonymous.invalid>;tag=a1")
        )
        given.receive(up)
        sent = given.sent[-1]
        assert sent.get("To") == "<sip:alice@atlanta.example>;tag=a1"
        assert sent.get("From") == "<sip:bob@biloxi.example>;tag=b1"
        given.receive(answer(sent, 200))
        assert given.sent[-1].get("To") == "<sip:anonymous@anonymous.invalid>;tag=a1"


def test_a_route_that_was_tampered_with(tmp_path: Path) -> None:
    with bench(tmp_path) as given:
        port = given.server.sockets.endpoints[0].port
        given.receive(request("BYE", NEXT, f"Route: <sip:127.0.0.1:{port};lr;vsf=AAAA>", to_tag="b1"))
        assert given.sent[-1].get("From") == ALICE
        assert any("vsf in Route does not belong to the From" in line for line in given.log)


def test_by_hand(tmp_path: Path) -> None:
    more = 'modparam("uac", "from_restore_mode", "manual") modparam("rr", "append_fromtag", 0)'
    route = f"""if (loose_route()) {{ $var(c) = uac_restore_from(); xlog("$var(c)"); t_relay(); exit; }}
        record_route(); {HIDE}; t_relay();"""
    with Bench(tmp_path, route, more=more, modules=LOADS) as given:
        kept = kept_route(given, begun(given))
        given.receive(request("BYE", NEXT, f"Route: {kept}", to_tag="b1", branch="z9hG4bK2"))
        assert given.sent[-1].get("From") == '"Alice" <sip:anonymous@anonymous.invalid>;tag=a1'
        plain = kept.partition(";vsf=")[0] + ">"
        given.receive(request("BYE", NEXT, f"Route: {plain}", to_tag="b1", branch="z9hG4bK3", cseq=8))
        assert given.sent[-1].get("From") == ALICE
        assert list(given.printed()) == ["1", "-1"]


def test_nothing_is_kept(tmp_path: Path) -> None:
    more = 'modparam("uac", "from_restore_mode", "none")'
    route = f"{HIDE}; uac_restore_from(); t_relay();"
    with Bench(tmp_path, route, more=more, modules=(*MODULES, "uac")) as given:
        sent = begun(given)
        assert sent.get("From") == HIDDEN
        given.receive(answer(sent, 200))
        assert given.sent[-1].get("From") == HIDDEN


# --- uac_auth ---------------------------------------------------------------------------------------------------------

CHALLENGE = 'Proxy-Authenticate: Digest realm="gw", nonce="n1"'
AUTH = '$var(c) = uac_auth(); xlog("$var(c)"); if ($var(c) > 0) { t_on_failure("1"); append_branch(); t_relay(); }'


def challenged(folder: Path, *headers: str, more: str = "", route: str = "", status: int = 407) -> Bench:
    script = f"{more}\nfailure_route[1] {{ {AUTH} }}"
    given = Bench(folder, f't_on_failure("1"); {route} t_relay();', more=script, modules=LOADS)
    given.receive(request("INVITE", NEXT))
    refuse(given, *headers, status=status)
    given.close()
    return given


def refuse(given: Bench, *headers: str, status: int = 407) -> None:
    invite = next(sent for sent in reversed(given.sent) if sent.start.startswith("INVITE "))
    lines = "".join(f"\r\n{line}" for line in headers).encode()
    given.receive(answer(invite, status).replace(b"\r\n\r\n", lines + b"\r\n\r\n", 1))


def test_a_challenge_is_answered(tmp_path: Path) -> None:
    given = challenged(tmp_path, CHALLENGE, more='modparam("uac", "credential", "us:gw:secret")')
    sent = given.sent[-1]
    assert sent.start == f"INVITE {NEXT} SIP/2.0"
    assert sent.get("Proxy-Authorization").startswith('Digest username="us", realm="gw", nonce="n1"')
    assert sent.get("CSeq") == "7 INVITE"
    assert list(given.printed()) == ["1"]
    refuse(given, CHALLENGE)  # the password is wrong
    assert list(given.printed()) == ["1", "-1"]
    assert given.sent[-1].start == "SIP/2.0 407 Reason"


def test_a_proxy_and_then_the_server_behind_it_ask(tmp_path: Path) -> None:
    more = 'modparam("uac", "credential", "us:gw:secret") modparam("uac", "credential", "us:home:other")'
    given = challenged(tmp_path, CHALLENGE, more=more)
    refuse(given, 'WWW-Authenticate: Digest realm="home", nonce="n2"', status=401)
    sent = given.sent[-1]
    assert sent.get("Authorization").startswith('Digest username="us", realm="home", nonce="n2"')
    assert sent.get("Proxy-Authorization").startswith('Digest username="us", realm="gw", nonce="n1"')
    assert list(given.printed()) == ["1", "1"]


def test_credentials_in_avps_come_first(tmp_path: Path) -> None:
    more = 'modparam("uac", "credential", "us:gw:secret")' + "".join(
        f' modparam("uac", "auth_{name}_avp", "$avp(s:{name})")' for name in ("realm", "username", "password")
    )
    route = '$avp(s:realm) = "gw"; $avp(s:username) = "other"; $avp(s:password) = "p";'
    given = challenged(tmp_path, CHALLENGE, more=more, route=route)
    assert 'username="other"' in given.sent[-1].get("Proxy-Authorization")
    given = challenged(tmp_path, CHALLENGE, more=more)
    assert 'username="us"' in given.sent[-1].get("Proxy-Authorization")


@pytest.mark.parametrize(
    ("header", "status"), [(CHALLENGE, 407), ("X: y", 407), ("X: y", 404), (CHALLENGE, 0)]
)
def test_what_is_not_answered(tmp_path: Path, header: str, status: int) -> None:
    if status:
        given = challenged(tmp_path, header, status=status)
    else:
        script = f'modparam("tm", "fr_timer", 2) failure_route[1] {{ {AUTH} }}'
        given = Bench(tmp_path, 't_on_failure("1"); t_relay();', more=script, modules=LOADS)
        given.receive(request("INVITE", NEXT))
        given.run_for(3)
        given.close()
    assert list(given.printed()) == ["-1"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ('modparam("uac", "auth_realm_avp", "$avp(s:x)")', "partial definition of auth AVP!"),
        ('modparam("rr", "append_fromtag", 0)', "needs the From tag in Record-Route"),
        ('modparam("uac", "from_restore_mode", "later")', "none of none, manual, auto"),
        ('modparam("uac", "credential", "x")', "write username:realm:password"),
        ('modparam("uac", "rr_store_param", "a;b")', "cannot be a parameter of Record-Route"),
    ],
)
def test_what_stops_the_start(tmp_path: Path, settings: str, problem: str) -> None:
    with pytest.raises(ScriptError, match=problem):
        Bench(tmp_path, more=settings, modules=LOADS)


def test_it_needs_rr(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="uac needs rr"):
        Bench(tmp_path, modules=(*MODULES, "uac"))
