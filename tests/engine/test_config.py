from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.config import CORE_PARAMETERS, CoreConfig, CoreParameterSpec, Takes
from openpy.script.diagnostics import Diagnostic
from openpy.script.parser import parse
from openpy.script.syntax import CoreParameter, SocketId
from tests.engine.kit import Bench

OPENSER_NAMES = """
debug fork log_stderror log_facility log_name children tcp_children disable_tcp listen port alias auto_aliases
advertised_address advertised_port mhomed check_via reply_to_via dns rev_dns dns_try_ipv6 dns_retr_time dns_retr_no
dns_servers_no dns_use_search_list disable_dns_failover disable_dns_blacklist sip_warning server_signature
server_header user_agent_header user uid group gid chroot workdir wdir mpath maxbuffer memlog mem_log
disable_core_dump open_files_limit tos mcast_loopback mcast_ttl avp_aliases max_while_loops tcp_accept_aliases
tcp_send_timeout tcp_connect_timeout tcp_connection_lifetime tcp_max_connections tcp_poll_method disable_tls tlslog
tls_log tls_port_no tls_method tls_verify_client tls_verify_server tls_require_client_certificate tls_certificate
tls_private_key tls_ca_list tls_ciphers_list tls_handshake_timeout tls_send_timeout tls_client_domain_avp
""".split()  # noqa: SIM905 - easier to compare with the reference

LATER_NAMES = ["loadpath", "socket"]
OWN_NAMES = [
    *("dns_timeout", "dns_cache", "dns_queue"),
    *("max_head", "max_headers", "max_uri", "udp_send_queue", "udp_flows"),
    *("overload_delay", "overload_refusals", "overload_retry_after", "overload_backlog", "source_rate"),
    *("tcp_max_msg_time", "tcp_max_source_connections", "tcp_max_message", "tcp_send_buffer", "tcp_buffers"),
    "udp_mtu",
]
OWN_TEXTS = ["ws_path", "ws_origins"]

SPECS = {name: spec for spec in CORE_PARAMETERS for name in (spec.name, *spec.aliases)}
RIGHT = {
    Takes.NUMBER: "7",
    Takes.STRING: '"text"',
    Takes.WORD: "word",
    Takes.STRING_OR_WORD: "word",
    Takes.NUMBER_OR_WORD: "16",
    Takes.HOST: '"sip.example.com"',
    Takes.SOCKETS: "udp:127.0.0.1:5070",
}
WRONG = {
    Takes.NUMBER: '"7"',
    Takes.STRING: "7",
    Takes.WORD: '"word"',
    Takes.STRING_OR_WORD: "7",
    Takes.NUMBER_OR_WORD: '"16"',
    Takes.HOST: "7",
}
RIGHT_WORDS = {"log_facility": "LOG_LOCAL0", "tls_method": "TLSv1"}


def applied(line: str) -> tuple[CoreConfig, list[Diagnostic]]:
    """The configuration after one line, and what was wrong with it."""
    config = CoreConfig()
    parsed = parse(f"{line}\n".encode(), "test.cfg")
    found = [config.apply(s) for s in parsed.script.statements if isinstance(s, CoreParameter)]
    assert found, line
    return config, [diagnostic for diagnostic in found if diagnostic is not None]


def test_every_parameter_of_1_3_is_known() -> None:
    assert set(OPENSER_NAMES) | set(OWN_NAMES) | set(OWN_TEXTS) | set(LATER_NAMES) == set(SPECS)


@pytest.mark.parametrize(
    ("line", "name", "hint"),
    [
        ("udp_workers=4", "udp_workers", "OpenSIPS; write children=N"),
        ("log_level=3", "log_level", "OpenSIPS; write debug=N"),
        ("enable_tls=yes", "enable_tls", "Kamailio; write disable_tls=no"),
        ("debg=3", "debg", 'did you mean "debug"?'),
    ],
)
def test_what_other_dialects_call_a_parameter(line: str, name: str, hint: str) -> None:
    _, (found,) = applied(line)
    assert found.message == f'unknown core parameter "{name}"'
    assert found.hint.endswith(hint)


def test_other_names_of_what_1_3_has() -> None:
    config, wrong = applied('loadpath "/modules"\nsocket=udp:127.0.0.1:5070')
    assert (config.text("mpath"), config.listen, wrong) == (
        "/modules",
        [SocketId("udp", "127.0.0.1", 5070)],
        [],
    )


@pytest.mark.parametrize("name", OWN_NAMES)
def test_a_parameter_of_our_own_takes_a_number(name: str) -> None:
    config, wrong = applied(f"{name}=7")
    assert (config.number(name), wrong) == (7, [])


@pytest.mark.parametrize("name", OWN_TEXTS)
def test_a_text_of_our_own(name: str) -> None:
    config, wrong = applied(f'{name}="x"')
    assert (config.text(name), wrong) == ("x", [])


@pytest.mark.parametrize("name", OPENSER_NAMES)
def test_the_right_type_is_accepted(name: str) -> None:
    spec = SPECS[name]
    config, found = applied(f"{name}={RIGHT_WORDS.get(name, RIGHT[spec.takes])}")
    assert not found
    assert spec.takes is Takes.SOCKETS or config.values[spec.name] is not None


@pytest.mark.parametrize("name", [name for name in OPENSER_NAMES if SPECS[name].takes in WRONG])
def test_the_wrong_type_is_refused(name: str) -> None:
    spec = SPECS[name]
    _, found = applied(f"{name}={WRONG[spec.takes]}")
    assert [diagnostic.message for diagnostic in found] == [f"{name} takes {spec.takes.value}"]


def test_aliases_set_the_same_value() -> None:
    config, _ = applied('uid=openser gid=openser wdir="/var"')
    assert [config.text(name) for name in ("user", "group", "workdir")] == ["openser", "openser", "/var"]


@pytest.mark.parametrize(("line", "value"), [("yes", 1), ("off", 0), ("0x10", 16), ("010", 8)])
def test_numbers_as_the_language_writes_them(line: str, value: int) -> None:
    config, found = applied(f"debug={line}")
    assert not found
    assert config.number("debug") == value


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("chidren=4", 'did you mean "children"?'),
        ("zzz=4", "see docs/core-parameters.md for all names"),
    ],
)
def test_an_unknown_name_is_refused_with_a_hint(line: str, hint: str) -> None:
    _, found = applied(line)
    assert [(d.message.split('"')[0], d.hint) for d in found] == [("unknown core parameter ", hint)]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("log_facility=LOG_LOCAL9", "LOG_LOCAL"),
        ("tos=IPTOS_LOWDELY", "IPTOS_LOWDELAY"),
        ("tos=FOO", "one of IPTOS_LOWDELAY"),
    ],
)
def test_an_unknown_word_is_refused_with_a_hint(line: str, hint: str) -> None:
    _, found = applied(line)
    assert "is not known" in found[0].message
    assert hint in found[0].hint


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("port=70000", "port: 70000 is no port"),
        ("port=-1", "port: -1 is no port"),
        ("tls_port_no=65536", "tls_port_no: 65536 is no port"),
        ("advertised_port=70000", "advertised_port: 70000 is no port"),
        ('advertised_address="a b"', 'advertised_address: "a b" is no host'),
        ('advertised_address="2001:db8::x"', 'advertised_address: "2001:db8::x" is no host'),
    ],
)
def test_what_is_no_port_and_no_host_is_refused(line: str, message: str) -> None:
    config, (problem,) = applied(line)
    assert problem.message == message
    assert config.values == CoreConfig().values


@pytest.mark.parametrize(
    "host", ["sip.example.com", "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "host_1", ""]
)
def test_hosts(host: str) -> None:
    config, problems = applied(f'advertised_address="{host}"')
    assert not problems
    assert config.text("advertised_address") == host


def test_where_a_parameter_was_set_is_remembered() -> None:
    config, _ = applied("\ntls_port_no=5071")
    assert config.places["tls_port_no"].line == 2
    assert "debug" not in config.places


def test_listening_on_a_transport_that_is_not_built_is_an_error_of_the_script() -> None:
    config, found = applied("listen=sctp:127.0.0.1")
    assert "listens on udp, tcp, tls, ws, wss only" in found[0].message
    assert not config.listen
    assert applied("alias=sctp:127.0.0.1")[1] == []


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_web_socket_without_its_library_says_how_to_get_it(
    transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, wrong = applied(f"listen={transport}:127.0.0.1:8080")
    assert (config.listen, wrong) == ([SocketId(transport, "127.0.0.1", 8080)], [])
    monkeypatch.setattr("openpy.engine.config.find_spec", lambda name: None)
    config, (problem,) = applied(f"listen={transport}:127.0.0.1:8080")
    assert 'pip install "openpy[ws]"' in problem.hint
    assert not config.listen


def test_sockets_add_up() -> None:
    config, found = applied(
        "listen=127.0.0.1 udp:127.0.0.2:5070\nlisten=tcp:[::1]:5080\nalias=a.example b.example:5062"
    )
    assert not found
    assert [(s.protocol, s.host, s.port) for s in config.listen] == [
        (None, "127.0.0.1", None),
        ("udp", "127.0.0.2", 5070),
        ("tcp", "[::1]", 5080),
    ]
    assert [(s.host, s.port) for s in config.aliases] == [("a.example", None), ("b.example", 5062)]


def test_defaults() -> None:
    config = CoreConfig()
    assert (config.number("debug"), config.number("port"), config.text("log_facility")) == (
        2,
        5060,
        "LOG_DAEMON",
    )
    assert (config.number("advertised_port"), config.text("server_header")) == (0, "")


def test_each_parameter_is_documented_once() -> None:
    assert all(isinstance(spec, CoreParameterSpec) and spec.doc for spec in CORE_PARAMETERS)
    assert len(SPECS) == sum(1 + len(spec.aliases) for spec in CORE_PARAMETERS)


def test_what_1_3_needs_and_we_do_not_is_accepted_without_effect(tmp_path: Path) -> None:
    lines = (
        "fork=yes children=4 tcp_children=2 memlog=1 tcp_poll_method=epoll_lt mcast_ttl=3 mcast_loopback=yes"
    )
    with Bench(tmp_path, "drop;", more=lines, modules=()) as bench:
        assert bench.server.loaded is not None
        assert not bench.server.loaded.warnings
