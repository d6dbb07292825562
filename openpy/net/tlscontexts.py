"""From certificates in files to what TLS is done with: checked before anything is served (RFC 5246, RFC 8446).

Rules:
1. What cannot work is an error at the start that names the file and what to do; what works, but not for long, is a
   warning. The certificate is tried in a handshake with ourselves, in memory.
2. TLS 1.2 is the least, whatever a script says; compression and renegotiation are off.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

SOON = 14 * 86400
"""Seconds before the end of a certificate from which on it is worth a warning."""

_EXPIRED, _NOT_YET = 10, 9  # of OpenSSL, X509_V_ERR_*


class TlsError(Exception):
    """Settings that cannot work: `setting` is the field that is wrong, the text says how, `hint` what to do."""

    def __init__(self, setting: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.setting = setting
        self.hint = hint


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """One set of settings; files are in PEM."""

    certificate: str = ""
    private_key: str = ""
    """Where it is empty the key is in the file of the certificate."""
    ca_list: str = ""
    ciphers: str = ""
    least: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    most: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED
    verify_client: bool = True
    require_client: bool = True
    verify_server: bool = True

    @property
    def files(self) -> tuple[str, ...]:
        """The files that these settings name."""
        return tuple(filter(None, (self.certificate, self.private_key, self.ca_list)))


def server_context(settings: TlsSettings) -> ssl.SSLContext:
    """What clients are shown and asked for; raises TlsError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _set_common(context, settings)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    if not settings.certificate:
        raise TlsError(
            "certificate", "a TLS server needs a certificate", "set tls_certificate and tls_private_key"
        )
    _load_certificate(context, settings)
    if settings.verify_client:
        context.verify_mode = ssl.CERT_REQUIRED if settings.require_client else ssl.CERT_OPTIONAL
        if settings.ca_list:
            _load_authorities(context, settings)
    return context


def client_context(settings: TlsSettings) -> ssl.SSLContext:
    """What servers are held to; raises TlsError. Without a list of authorities those of the system are trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _set_common(context, settings)
    if settings.certificate:
        _load_certificate(context, settings)
    if not settings.verify_server:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif settings.ca_list:
        _load_authorities(context, settings)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def doubt(certificate: str, context: ssl.SSLContext) -> str:
    """Why clients may soon refuse the certificate of a server's context, or do already; "" if nothing is wrong."""
    probe = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    probe.check_hostname = False
    probe.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    probe.load_verify_locations(certificate)
    mode, context.verify_mode = context.verify_mode, ssl.CERT_NONE
    try:
        ends = _end_of_life(probe, context)
    except ssl.SSLCertVerificationError as problem:
        if problem.verify_code == _EXPIRED:
            return "it has expired: clients will refuse it"
        if problem.verify_code == _NOT_YET:
            return "it is not valid yet: clients will refuse it"
        return f"clients may refuse it: {problem.verify_message}"
    except ssl.SSLError:  # these ciphers fit no certificate of this kind, or the like
        return "a handshake with it fails: do tls_ciphers_list and tls_method fit it?"
    finally:
        context.verify_mode = mode
    days = int((ends - time.time()) // 86400)
    return f"it expires in {days} days" if ends - time.time() < SOON else ""


def _end_of_life(client: ssl.SSLContext, server: ssl.SSLContext) -> float:
    """The Unix time when the certificate of a server ends. Raises ssl.SSLError."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    near, far = client.wrap_bio(back, there, False), server.wrap_bio(there, back, True)
    for _ in range(3):
        for side in (near, far):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    certificate = near.getpeercert() or {}
    return float(ssl.cert_time_to_seconds(str(certificate["notAfter"])))


def _set_common(context: ssl.SSLContext, settings: TlsSettings) -> None:
    context.minimum_version, context.maximum_version = settings.least, settings.most
    context.options |= ssl.OP_NO_COMPRESSION
    if settings.ciphers:
        try:
            context.set_ciphers(settings.ciphers)
        except ssl.SSLError:
            raise TlsError(
                "ciphers",
                f'no cipher fits "{settings.ciphers}"',
                "`openssl ciphers -v LIST` shows what a list means",
            ) from None


def _load_certificate(context: ssl.SSLContext, settings: TlsSettings) -> None:
    key = settings.private_key or settings.certificate
    for setting, file in (("certificate", settings.certificate), ("private_key", key)):
        text = _text(setting, file)
        if "-----BEGIN " not in text:
            raise TlsError(
                setting, f"{file} is not in PEM form", "it begins with -----BEGIN CERTIFICATE----- or so"
            )
        if setting == "private_key" and "PRIVATE KEY-----" not in text:
            raise TlsError(setting, f"there is no private key in {file}", "set tls_private_key")
    try:
        context.load_cert_chain(settings.certificate, key, _no_passphrase)
    except ssl.SSLError as problem:
        if problem.reason == "KEY_VALUES_MISMATCH":
            text = f"the key in {key} does not belong to the certificate in {settings.certificate}"
            raise TlsError(
                "private_key", text, "the first certificate of the file is the server's own"
            ) from None
        raise TlsError("certificate", f"{settings.certificate} and {key} cannot be used: {problem}") from None
    except _HasPassphrase:
        raise TlsError(
            "private_key",
            f"the key in {key} has a passphrase",
            f"openssl pkey -in {key} -out NEW takes it off",
        ) from None


class _HasPassphrase(Exception):
    pass


def _no_passphrase() -> str:
    raise _HasPassphrase


def _load_authorities(context: ssl.SSLContext, settings: TlsSettings) -> None:
    _text("ca_list", settings.ca_list)
    try:
        context.load_verify_locations(settings.ca_list)
    except ssl.SSLError:
        raise TlsError(
            "ca_list", f"there are no certificates in {settings.ca_list}", "it is a file in PEM form"
        ) from None


def _text(setting: str, file: str) -> str:
    try:
        return Path(file).read_text("latin-1")
    except OSError as problem:
        hint = ""
        if isinstance(problem, PermissionError):
            hint = "files are read before the server becomes the user that user= names: start it as root"
        raise TlsError(setting, f"{file} cannot be read: {problem.strerror}", hint) from None
