from __future__ import annotations

import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from openpy.net.tlscontexts import TlsError, TlsSettings, client_context, doubt, server_context
from tests.authority import Authority


def settings(authority: Authority, *names: str, days: int = 30) -> TlsSettings:
    files = authority.of(*names, days=days)
    return TlsSettings(files.certificate, files.key, authority.ca)


@pytest.mark.parametrize(
    ("verify", "require", "mode"),
    [
        (True, True, ssl.CERT_REQUIRED),
        (True, False, ssl.CERT_OPTIONAL),
        (False, True, ssl.CERT_NONE),
    ],
)
def test_what_is_asked_of_clients(
    authority: Authority, verify: bool, require: bool, mode: ssl.VerifyMode
) -> None:
    wanted = replace(settings(authority, "a.example"), verify_client=verify, require_client=require)
    assert server_context(wanted).verify_mode is mode


def test_what_is_asked_of_servers(authority: Authority) -> None:
    strict = client_context(TlsSettings(ca_list=authority.ca))
    assert (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(strict.get_ca_certs()) == 1
    loose = client_context(TlsSettings(verify_server=False))
    assert (loose.verify_mode, loose.check_hostname) == (ssl.CERT_NONE, False)


def test_versions_and_ciphers(authority: Authority) -> None:
    context = server_context(settings(authority, "a.example"))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.options & ssl.OP_NO_COMPRESSION
    one = replace(settings(authority, "a.example"), ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    names = [each["name"] for each in server_context(one).get_ciphers() if each["protocol"] == "TLSv1.2"]
    assert names == ["ECDHE-ECDSA-AES256-GCM-SHA384"]


def broken(wanted: TlsSettings) -> tuple[str, str, str]:
    with pytest.raises(TlsError) as caught:
        server_context(wanted)
    return caught.value.setting, str(caught.value), caught.value.hint


def test_what_cannot_work_says_which_file_and_what_to_do(authority: Authority, tmp_path: Path) -> None:
    good = settings(authority, "a.example")
    other = authority.of("b.example")
    missing, junk = str(tmp_path / "missing.pem"), tmp_path / "junk.pem"
    junk.write_text("no certificate")
    assert broken(TlsSettings())[:2] == ("certificate", "a TLS server needs a certificate")
    reason = f"{missing} cannot be read: No such file or directory"
    assert broken(replace(good, certificate=missing)) == ("certificate", reason, "")
    assert broken(replace(good, private_key=missing)) == ("private_key", reason, "")
    assert broken(replace(good, ca_list=missing)) == ("ca_list", reason, "")
    assert broken(replace(good, certificate=str(junk)))[1] == f"{junk} is not in PEM form"
    assert broken(replace(good, ca_list=str(junk)))[1] == f"there are no certificates in {junk}"
    assert broken(replace(good, private_key=""))[1] == f"there is no private key in {good.certificate}"
    setting, text, _ = broken(replace(good, private_key=other.key))
    assert (setting, text) == (
        "private_key",
        f"the key in {other.key} does not belong to the certificate in {good.certificate}",
    )
    assert broken(replace(good, ciphers="NONSENSE"))[:2] == ("ciphers", 'no cipher fits "NONSENSE"')
    damaged = tmp_path / "damaged.pem"
    damaged.write_text(Path(good.certificate).read_text().replace("M", "N"))
    assert "cannot be used" in broken(replace(good, certificate=str(damaged)))[1]


def test_a_key_with_a_passphrase_is_not_asked_for(authority: Authority, tmp_path: Path) -> None:
    good = settings(authority, "a.example")
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "pkey", "-in", good.private_key, "-aes256", "-passout", "pass:secret", "-out", locked],
        check=True,
        capture_output=True,
    )
    setting, text, hint = broken(replace(good, private_key=str(locked)))
    assert (setting, text) == ("private_key", f"the key in {locked} has a passphrase")
    assert "openssl pkey" in hint


def test_a_file_that_others_may_not_read(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    _, text, hint = broken(settings(authority, "a.example"))
    assert text.endswith("cannot be read: Permission denied")
    assert "as root" in hint


def test_certificate_and_key_in_one_file(authority: Authority, tmp_path: Path) -> None:
    files = authority.of("a.example")
    both = tmp_path / "both.pem"
    both.write_text(Path(files.certificate).read_text() + Path(files.key).read_text())
    assert doubt(str(both), server_context(TlsSettings(str(both), require_client=False))) == ""


def doubted(wanted: TlsSettings) -> str:
    context = server_context(wanted)
    mode = context.verify_mode
    found = doubt(wanted.certificate, context)
    assert context.verify_mode is mode
    return found


def test_what_works_but_not_for_long(authority: Authority) -> None:
    assert doubted(settings(authority, "a.example")) == ""
    assert doubted(settings(authority, "a.example", days=3)) == "it expires in 2 days"
    assert doubted(settings(authority, "a.example", days=-1)) == "it has expired: clients will refuse it"
    rsa_only = replace(
        settings(authority, "a.example"), ciphers="ECDHE-RSA-AES256-GCM-SHA384", most=ssl.TLSVersion.TLSv1_2
    )
    assert doubted(rsa_only) == "a handshake with it fails: do tls_ciphers_list and tls_method fit it?"
