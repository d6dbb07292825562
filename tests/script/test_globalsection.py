from __future__ import annotations

import pytest

from openpy.script.diagnostics import ScriptError
from openpy.script.parser import parse
from openpy.script.syntax import (
    Blacklist,
    BlacklistRule,
    Block,
    Call,
    CoreParameter,
    FlagName,
    FlagNames,
    LoadModule,
    ModuleParameter,
    Name,
    Number,
    Route,
    RouteKind,
    SocketId,
    String,
    TlsDomain,
    TopLevel,
)


def top_level(text: str) -> tuple[TopLevel, ...]:
    return parse(text, "t.cfg").script.statements


def errors(text: str) -> list[tuple[int, str]]:
    with pytest.raises(ScriptError) as caught:
        parse(text, "t.cfg")
    return [(d.position.column, d.message) for d in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("debug=3", CoreParameter("debug", Number(3))),
        ("debug=-1", CoreParameter("debug", Number(-1))),
        ("fork=no", CoreParameter("fork", Number(0))),
        ("log_facility=LOG_LOCAL0", CoreParameter("log_facility", Name("LOG_LOCAL0"))),
        ('log_name="x"', CoreParameter("log_name", String("x"))),
        ("user=openser", CoreParameter("user", Name("openser"))),
        ("port=5060", CoreParameter("port", Number(5060))),
        ('mpath="/lib/"', CoreParameter("mpath", String("/lib/"))),
        ("advertised_address=1.2.3.4", CoreParameter("advertised_address", Name("1.2.3.4"))),
        ("advertised_address=sip.example.com", CoreParameter("advertised_address", Name("sip.example.com"))),
        ("tls_method=TLSv1", CoreParameter("tls_method", Name("TLSv1"))),
        ("tos=IPTOS_LOWDELAY", CoreParameter("tos", Name("IPTOS_LOWDELAY"))),
        ("tcp_poll_method=select", CoreParameter("tcp_poll_method", Name("select"))),
        ("foo=1", CoreParameter("foo", Number(1))),
        ("foo=method", CoreParameter("foo", Name("method"))),
        ("debug=3;", CoreParameter("debug", Number(3))),
    ],
)
def test_core_parameters(text: str, expected: TopLevel) -> None:
    assert top_level(text) == (expected,)


def test_several_parameters_on_one_line() -> None:
    assert top_level("debug=3 fork=no check_via=no") == (
        CoreParameter("debug", Number(3)),
        CoreParameter("fork", Number(0)),
        CoreParameter("check_via", Number(0)),
    )


@pytest.mark.parametrize(
    ("text", "sockets"),
    [
        ("listen=127.0.0.1", [SocketId(None, "127.0.0.1", None)]),
        ("listen=udp:127.0.0.1:5070", [SocketId("udp", "127.0.0.1", 5070)]),
        (
            "listen=udp:127.0.0.1:5070 TCP:127.0.0.1:5071",
            [SocketId("udp", "127.0.0.1", 5070), SocketId("tcp", "127.0.0.1", 5071)],
        ),
        ("listen=udp:[::1]:5060", [SocketId("udp", "[::1]", 5060)]),
        ("listen=localhost:5060", [SocketId(None, "localhost", 5060)]),
        ("listen=eth0", [SocketId(None, "eth0", None)]),
        ('listen="127.0.0.1"', [SocketId(None, "127.0.0.1", None)]),
        ("listen=any:1.2.3.4:any", [SocketId("any", "1.2.3.4", 0)]),
        (
            'alias="a.b.c" x.y:5060 udp:q.r:5061',
            [SocketId(None, "a.b.c", None), SocketId(None, "x.y", 5060), SocketId("udp", "q.r", 5061)],
        ),
        ("alias=sip.log.com", [SocketId(None, "sip.log.com", None)]),
        ("alias=3com.com", [SocketId(None, "3com.com", None)]),
        ("alias=udp:sip.method.org", [SocketId("udp", "sip.method.org", None)]),
        ("alias=route", [SocketId(None, "route", None)]),
        ("alias=port", [SocketId(None, "port", None)]),
    ],
)
def test_sockets(text: str, sockets: list[SocketId]) -> None:
    assert top_level(text) == (CoreParameter(text.partition("=")[0], None, tuple(sockets)),)


def test_a_list_of_sockets_ends_where_the_next_statement_begins() -> None:
    assert top_level("listen=eth0\ndebug=3 alias=x\nalias=y\nroute { a(); }") == (
        CoreParameter("listen", None, (SocketId(None, "eth0", None),)),
        CoreParameter("debug", Number(3)),
        CoreParameter("alias", None, (SocketId(None, "x", None),)),
        CoreParameter("alias", None, (SocketId(None, "y", None),)),
        Route(RouteKind.REQUEST, "0", Block((Call("a", ()),))),
    )


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("listen=5", 8),
        ("listen=udp:1.2.3.4:70000", 20),
        ("listen=a:b:c", 8),
        ("listen=a:b", 10),
        ("foo=$ru", 5),
    ],
)
def test_values_that_the_global_section_refuses(text: str, column: int) -> None:
    assert [place for place, _ in errors(text)] == [column]


def test_blacklist() -> None:
    text = 'dst_blacklist = gw:{( tcp , 10.0.0.0/255.0.0.0 , 5060 , "^TEST" ), !(any, [::1], any, "")}'
    assert top_level(text) == (
        Blacklist(
            "gw",
            (
                BlacklistRule(False, "tcp", "10.0.0.0/255.0.0.0", 5060, "^TEST"),
                BlacklistRule(True, "any", "[::1]", 0, ""),
            ),
        ),
    )


def test_mistakes_in_a_blacklist() -> None:
    assert errors('dst_blacklist = gw:{(foo, host, 1, "")}') == [
        (22, "foo is no protocol"),
        (27, "an address or a network is expected"),
    ]


def test_tls_domains() -> None:
    text = 'tls_server_domain[1.2.3.4:5061] { tls_method=SSLv23 tls_verify_client=1; } tls_client_domain["x"] { }'
    assert top_level(text) == (
        TlsDomain(
            "tls_server_domain",
            "1.2.3.4:5061",
            (CoreParameter("tls_method", Name("SSLv23")), CoreParameter("tls_verify_client", Number(1))),
        ),
        TlsDomain("tls_client_domain", "x", ()),
    )


def test_modules() -> None:
    text = """
        loadmodule "tm.so" loadmodule '/x/sl.so';
        modparam("usrloc|registrar", "db_mode", 2);
        modparam("tm", "fr_timer", -1) modparam("a", "b", yes) modparam('a', 'b', "c")
    """
    assert top_level(text) == (
        LoadModule(String("tm.so")),
        LoadModule(String("/x/sl.so")),
        ModuleParameter(String("usrloc|registrar"), String("db_mode"), Number(2)),
        ModuleParameter(String("tm"), String("fr_timer"), Number(-1)),
        ModuleParameter(String("a"), String("b"), Number(1)),
        ModuleParameter(String("a"), String("b"), String("c")),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('loadpath "/lib"', CoreParameter("loadpath", String("/lib"))),
        ('mpath "/lib"', CoreParameter("mpath", String("/lib"))),
        ('loadpath="/lib"', CoreParameter("loadpath", String("/lib"))),
        (
            "socket=udp:1.2.3.4:5060",
            CoreParameter("socket", None, (SocketId("udp", "1.2.3.4", 5060),)),
        ),
        (
            "flags A:1, B",
            FlagNames((FlagName("A", 1), FlagName("B", None))),
        ),
        ("flags A : 0x1f;", FlagNames((FlagName("A", 31),))),
    ],
)
def test_statements_of_later_servers(text: str, expected: TopLevel) -> None:
    assert top_level(text) == (expected,)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("listen=udp:1.2.3.4:5060 advertise 5.6.7.8:5060", 25),
        ("listen=1.2.3.4 as 5.6.7.8 use_workers 4", 16),
        ('listen=1.2.3.4 1.2.3.5 name "x"', 24),
    ],
)
def test_words_behind_a_socket_are_told_once(text: str, column: int) -> None:
    ((place, message),) = errors(text)
    assert place == column
    assert "is no socket" in message


def test_a_host_of_that_name_is_a_host() -> None:
    sockets = (SocketId("udp", "as", None), SocketId(None, "name", 5060))
    assert top_level("alias=udp:as name:5060") == (CoreParameter("alias", None, sockets),)
