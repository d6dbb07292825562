from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from openpy.engine.config import CoreConfig
from openpy.engine.loader import load
from openpy.engine.server import Server
from openpy.engine.tlsdomains import TlsContexts, is_on, read_tls
from openpy.net.layer import ANYBODY, Callee
from openpy.script.diagnostics import Diagnostic, Severity
from openpy.script.parser import parse
from openpy.script.syntax import CoreParameter, TlsDomain
from tests.authority import Authority, Certificate

LISTEN = "listen=tls:127.0.0.1:5061\n"


def read(text: str) -> tuple[TlsContexts | None, list[Diagnostic]]:
    """What these lines make, and what is wrong with them."""
    config = CoreConfig()
    statements = parse(f"{text}\n".encode(), "test.cfg").script.statements
    found = [config.apply(each) for each in statements if isinstance(each, CoreParameter)]
    assert not any(found), found
    problems: list[Diagnostic] = []
    domains = [each for each in statements if isinstance(each, TlsDomain)]
    return read_tls(config, domains, problems), problems


def files(certificate: Certificate) -> str:
    return f'tls_certificate="{certificate.certificate}"\ntls_private_key="{certificate.key}"\n'


def good(text: str) -> TlsContexts:
    """The same, of lines with which nothing is wrong."""
    contexts, problems = read(text)
    assert problems == []
    assert contexts is not None
    return contexts


def messages(text: str) -> list[tuple[int, str]]:
    contexts, problems = read(text)
    assert (contexts is None) is any(each.severity is Severity.ERROR for each in problems)
    return [(each.position.line, each.message) for each in problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("debug=1", False),
        ("listen=tcp:127.0.0.1", False),
        ("listen=ws:127.0.0.1", False),
        ("listen=wss:127.0.0.1", True),
        ("listen=tls:127.0.0.1", True),
        ("listen=tls:127.0.0.1\ndisable_tls=yes", False),
        ("disable_tls=no", True),
    ],
)
def test_when_there_is_tls(text: str, expected: bool) -> None:
    config = CoreConfig()
    for statement in parse(f"{text}\n".encode(), "test.cfg").script.statements:
        assert isinstance(statement, CoreParameter)
        assert config.apply(statement) is None
    assert is_on(config) is expected


def test_where_it_is_off_no_file_is_read() -> None:
    assert read('tls_certificate="missing"\ntls_server_domain["a.example"] { tls_ca_list="missing" }') == (
        None,
        [],
    )


def test_one_certificate_for_all(authority: Authority) -> None:
    own = authority.of("a.example")
    contexts = good(f'{LISTEN}{files(own)}tls_ca_list="{authority.ca}"')
    assert list(contexts.servers) == ["tls"]
    assert contexts.servers["tls"].default.verify_mode is ssl.CERT_REQUIRED
    assert contexts.clients is not None
    assert contexts.clients.default.verify_mode is ssl.CERT_REQUIRED
    assert len(contexts.clients.default.get_ca_certs()) == 1
    assert contexts.client_domain_avp == 0


def test_what_the_files_hold_is_remembered(authority: Authority, tmp_path: Path) -> None:
    own, other = authority.of("a.example"), authority.of("b.example")
    kept = tmp_path / "own.pem"
    kept.write_text(Path(own.certificate).read_text() + Path(own.key).read_text())
    domain = f'tls_server_domain["b.example"] {{ {files(other)} }}'
    text = f'{LISTEN}tls_certificate="{kept}"\ntls_ca_list="{authority.ca}"\n{domain}'
    before = good(text).files
    assert set(before) == {str(kept), authority.ca, other.certificate, other.key}
    assert good(text).files == before
    kept.write_text(kept.read_text() + "\n")
    after = good(text).files
    assert {name for name in after if after[name] != before[name]} == {str(kept)}


def test_sockets_that_name_no_protocol_need_a_certificate_too_where_tls_is_asked_for(
    authority: Authority,
) -> None:
    lines = f"{files(authority.of('a.example'))}tls_verify_client=no\ndisable_tls=no\n"
    assert list(good(lines).servers) == ["tls"]
    assert list(good(f"{lines}listen=127.0.0.1").servers) == ["tls"]
    assert list(good(f"{lines}listen=udp:127.0.0.1").servers) == []


def test_clients_without_certificates(authority: Authority) -> None:
    base = f"{LISTEN}{files(authority.of('a.example'))}"
    warned = "clients must show a certificate, and none is accepted: there is no tls_ca_list to check it with"
    assert messages(base) == [(1, warned)]
    assert messages(f"{base}tls_require_client_certificate=yes") == [(4, warned)]
    for line in (
        "tls_require_client_certificate=no",
        "tls_verify_client=no",
        f'tls_ca_list="{authority.ca}"',
    ):
        assert messages(base + line) == []


def test_browsers_are_asked_for_certificates_in_words_only(authority: Authority) -> None:
    base = f'listen=wss:127.0.0.1\n{files(authority.of("a.example"))}tls_ca_list="{authority.ca}"\n'
    assert good(base).servers["wss"].default.verify_mode is ssl.CERT_OPTIONAL
    demanding = good(f"{base}tls_require_client_certificate=yes")
    assert demanding.servers["wss"].default.verify_mode is ssl.CERT_REQUIRED
    domain = 'tls_server_domain["b.example"] { tls_require_client_certificate=yes }'
    assert good(base + domain).servers["wss"].by_name["b.example"].verify_mode is ssl.CERT_REQUIRED


def test_domains_have_the_rest_from_outside(authority: Authority) -> None:
    a, b = authority.of("a.example"), authority.of("b.example")
    contexts = good(
        f"{LISTEN}{files(a)}tls_verify_server=no\ntls_require_client_certificate=no\ntls_client_domain_avp=400\n"
        f'tls_server_domain["B.example"] {{ {files(b)} }}\n'
        "tls_server_domain[192.0.2.1:5061] { tls_verify_client=no }\n"
        f"tls_server_domain[[::1]:5061] {{ {files(b)} }}\n"
        "tls_client_domain[192.0.2.9:5061] { tls_method=TLSv1_3 }\n"
        'tls_client_domain["partner"] { tls_verify_server=yes }\n'
    )
    servers, clients = contexts.servers["tls"], contexts.clients
    assert list(servers.by_name) == ["b.example"]
    assert list(servers.by_address) == [("192.0.2.1", 5061), ("::1", 5061)]
    assert servers.by_address["192.0.2.1", 5061].verify_mode is ssl.CERT_NONE
    assert clients is not None
    peer = ("192.0.2.9", 5061)
    assert clients.choose(peer, ANYBODY).minimum_version is ssl.TLSVersion.TLSv1_3
    assert clients.choose(peer, Callee("", "partner")).verify_mode is ssl.CERT_REQUIRED
    assert clients.default.verify_mode is ssl.CERT_NONE
    assert contexts.client_domain_avp == 400


@pytest.mark.parametrize(
    ("word", "least", "most"),
    [
        ("SSLv23", ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED),
        ("TLSv1_2", ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
        ("TLSv1_3", ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
    ],
)
def test_methods(authority: Authority, word: str, least: ssl.TLSVersion, most: ssl.TLSVersion) -> None:
    own = files(authority.of("a.example"))
    contexts = good(f"{LISTEN}{own}tls_verify_client=no\ntls_method={word}")
    context = contexts.servers["tls"].default
    assert (context.minimum_version, context.maximum_version) == (least, most)


def test_methods_of_old_are_mapped_or_refused() -> None:
    _, (warned,) = read("tls_method=TLSv1")
    assert warned.message == "tls_method=TLSv1 is taken as TLS 1.2 or later: 1.0 and 1.1 are broken"
    assert warned.severity is Severity.WARNING
    for word, message in (("SSLv3", "there is no SSLv3 any more"), ("SSLv2", "there is no SSLv2 any more")):
        _, (found,) = read(f"tls_method={word}")
        assert (found.message, found.severity) == (f"tls_method: {message}", Severity.ERROR)
        assert "tls_method=TLSv1_2" in found.hint
    _, (found,) = read("tls_method=TLSv7")
    assert found.message == "tls_method: TLSv7 is not known"


def test_what_is_wrong_names_the_line(authority: Authority) -> None:
    own = files(authority.of("a.example"))
    quiet = f"{LISTEN}tls_verify_client=no\n"
    assert messages(LISTEN) == [(1, "tls_certificate: a TLS server needs a certificate")]
    assert messages(f"{LISTEN}listen=wss:127.0.0.1") == [
        (1, "tls_certificate: a TLS server needs a certificate")
    ]
    assert messages(f'{quiet}{own}tls_ciphers_list="X"') == [(5, 'tls_ciphers_list: no cipher fits "X"')]
    domain = 'tls_server_domain["b.example"] {\n tls_private_key="missing"\n}'
    reason = "tls_private_key: missing cannot be read: No such file or directory"
    assert messages(f"{quiet}{own}{domain}") == [(6, reason)]
    expired = authority.of("e.example", days=-1)
    (warned,) = messages(f"{quiet}{files(expired)}")
    assert warned == (3, f"{expired.certificate}: it has expired: clients will refuse it")
    assert messages("tls_server_domain[a:b:c] { tls_verify_client=no }") == [
        (1, "a:b:c is no address:port and no name")
    ]


def test_what_does_not_belong_into_a_domain() -> None:
    _, (found,) = read('tls_server_domain["b.example"] {\n tls_port_no=5071\n}')
    assert (found.position.line, found.message) == (2, "tls_port_no does not belong into a TLS domain")
    _, (found,) = read('tls_server_domain["b.example"] {\n tls_certificate=7\n}')
    assert (found.position.line, found.message) == (2, "tls_certificate takes a quoted string")


def test_the_test_kit_reads_no_certificates(tmp_path: Path) -> None:
    script = tmp_path / "test.cfg"
    script.write_text(f'{LISTEN}tls_certificate="missing"\nroute {{ exit; }}')
    config = CoreConfig(reads_files=False)
    assert load(script, Server(config), config, {}).tls is None
