"""The `tls_*` parameters and TLS domains of a script, as what connections are made with.

Rules:
1. TLS is on where `disable_tls=no` says so, or where a socket of `listen` needs it and nobody says yes.
2. A domain has what it does not set itself from the parameters outside of domains.
3. A server domain is chosen by the name that a client calls (SNI), else by the address that it came to. A client domain
   is chosen by the AVP that `tls_client_domain_avp` names, by the host of the URI, or by the address that it leads to.
"""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from openpy.engine.config import CoreConfig
from openpy.net.tls import ClientContexts, ServerContexts
from openpy.net.tlscontexts import TlsError, TlsSettings, client_context, doubt, server_context
from openpy.script.diagnostics import Diagnostic, did_you_mean, error, warning
from openpy.script.rules import settings as rules
from openpy.script.syntax import NOWHERE, CoreParameter, Position, TlsDomain

SECURE = ("tls", "wss")

_TEXTS = {
    "tls_certificate": "certificate",
    "tls_private_key": "private_key",
    "tls_ca_list": "ca_list",
    "tls_ciphers_list": "ciphers",
}
_SWITCHES = {
    "tls_verify_client": "verify_client",
    "tls_require_client_certificate": "require_client",
    "tls_verify_server": "verify_server",
}
_BY_FIELD = {name: parameter for parameter, name in {**_TEXTS, **_SWITCHES}.items()}

V1_2, V1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
NEWEST = ssl.TLSVersion.MAXIMUM_SUPPORTED

_METHODS = {
    "sslv23": (V1_2, NEWEST),
    "tlsv1": (V1_2, NEWEST),
    "tlsv1_2": (V1_2, V1_2),
    "tlsv1_3": (V1_3, V1_3),
}
"""Versions by the words of `tls_method`, least and most."""


@dataclass(slots=True)
class TlsContexts:
    """What TLS is done with: for each secure transport that is listened on, and for connections of ours."""

    servers: Mapping[str, ServerContexts] = field(default_factory=dict)
    clients: ClientContexts | None = None
    client_domain_avp: int = 0
    files: Mapping[str, bytes] = field(default_factory=dict)
    """A digest of each file that was read."""


def is_on(config: CoreConfig) -> bool:
    """Whether there is TLS (rule 1)."""
    disabled = config.values["disable_tls"]
    if disabled is None:
        return any(entry.protocol in SECURE for entry in config.listen)
    return not disabled


def read_tls(config: CoreConfig, domains: list[TlsDomain], found: list[Diagnostic]) -> TlsContexts | None:
    """Read and check all that belongs to TLS; None where it is off or cannot work, which is added to `found`."""
    reader = _Reader(config, found)
    read = [(domain, reader.domain(domain)) for domain in domains]
    if not is_on(config) or reader.failed or not config.reads_files:
        return None
    contexts = TlsContexts(client_domain_avp=config.number("tls_client_domain_avp"))
    contexts.servers = {transport: reader.servers(transport, read) for transport in reader.served()}
    contexts.clients = reader.clients(read)
    contexts.files = reader.files
    return None if reader.failed else contexts


_Domains = list[tuple[TlsDomain, "_Settings"]]


@dataclass(frozen=True, slots=True)
class _Settings:
    """Settings, and where each of them stands; `place` is for what stands nowhere. `demands` is written, if it is."""

    values: TlsSettings
    places: Mapping[str, Position]
    place: Position
    demands: bool | None


class _Reader:
    """Makes contexts, and notes what is wrong."""

    def __init__(self, config: CoreConfig, found: list[Diagnostic]) -> None:
        self._config = config
        self._found = found
        self.failed = False
        self.files: dict[str, bytes] = {}
        self._doubted: set[str] = set()
        self._base = self._outside()

    # --- what is written ------------------------------------------------------------------------------------------

    def _outside(self) -> _Settings:
        """The parameters outside of domains."""
        config = self._config
        values = TlsSettings()
        for name in (*_TEXTS, *_SWITCHES):
            values = _with(values, config, name)
        place = next((each.position for each in config.listen if each.protocol in SECURE), NOWHERE)
        place = config.places.get("disable_tls", place)
        values = self._versions(values, config.text("tls_method"), config.places.get("tls_method", place))
        demands = config.values["tls_require_client_certificate"]
        return _Settings(values, config.places, place, None if demands is None else bool(demands))

    def domain(self, domain: TlsDomain) -> _Settings:
        """What one domain sets."""
        values, demands = self._base.values, self._base.demands
        places = {name: at for name, at in self._base.places.items() if name in _BY_FIELD.values()}
        scratch = CoreConfig()
        for parameter in domain.parameters:
            if parameter.name not in (*_TEXTS, *_SWITCHES, "tls_method"):
                known = (*_TEXTS, *_SWITCHES, "tls_method")
                hint = did_you_mean(parameter.name, known) or f"there are {', '.join(known)}"
                self._fail(
                    error(
                        rules.BAD_TLS,
                        parameter.position,
                        f"{parameter.name} does not belong into a TLS domain",
                        hint,
                    )
                )
                continue
            values = self._set(scratch, values, parameter)
            places[parameter.name] = parameter.position
            if parameter.name == "tls_require_client_certificate":
                demands = values.require_client
        if domain.kind == "tls_server_domain" and _address(domain.target) is None and ":" in domain.target:
            self._fail(
                error(rules.BAD_TLS, domain.position, f"{domain.target} is no address:port and no name")
            )
        return _Settings(values, places, domain.position, demands)

    def _set(self, scratch: CoreConfig, values: TlsSettings, parameter: CoreParameter) -> TlsSettings:
        problem = scratch.apply(parameter)
        if problem is not None:
            self._fail(problem)
        elif parameter.name == "tls_method":
            return self._versions(values, scratch.text("tls_method"), parameter.position)
        else:
            return _with(values, scratch, parameter.name)
        return values

    def _versions(self, values: TlsSettings, word: str, place: Position) -> TlsSettings:
        if not word:
            return values
        versions = _METHODS.get(word.lower())
        if versions is None:
            text = f"tls_method: there is no {word} any more" if word.lower() in ("sslv2", "sslv3") else ""
            hint = "write tls_method=TLSv1_2, tls_method=TLSv1_3, or no such line for both"
            self._fail(error(rules.BAD_TLS, place, text or f"tls_method: {word} is not known", hint))
            return values
        if word.lower() == "tlsv1":
            text = "tls_method=TLSv1 is taken as TLS 1.2 or later: 1.0 and 1.1 are broken"
            self._warn(warning(rules.DOUBTFUL_TLS, place, text, "leave the line out"))
        return replace(values, least=versions[0], most=versions[1])

    # --- what it makes --------------------------------------------------------------------------------------------

    def served(self) -> list[str]:
        """The secure transports that are listened on."""
        listen = self._config.listen
        both = self._config.values["disable_tls"] == 0 and (
            not listen or any(entry.protocol in (None, "any") for entry in listen)
        )
        return [
            transport
            for transport in SECURE
            if any(entry.protocol == transport for entry in listen) or (both and transport == "tls")
        ]

    def servers(self, transport: str, domains: _Domains) -> ServerContexts:
        """What clients of a transport are shown."""

        def make(settings: _Settings) -> ssl.SSLContext | None:
            return self._server(settings, transport)

        default, by_address, by_name = self._all(make, "tls_server_domain", domains)
        return ServerContexts(default, by_address, by_name)

    def clients(self, domains: _Domains) -> ClientContexts:
        """What servers are held to."""

        def make(settings: _Settings) -> ssl.SSLContext | None:
            return self._made(settings, lambda: client_context(settings.values))

        return ClientContexts(*self._all(make, "tls_client_domain", domains))

    def _all(
        self, make: Callable[[_Settings], ssl.SSLContext | None], kind: str, domains: _Domains
    ) -> tuple[ssl.SSLContext, dict[tuple[str, int], ssl.SSLContext], dict[str, ssl.SSLContext]]:
        """Of the parameters outside, and of each domain of a kind: by address and by name."""
        by_address: dict[tuple[str, int], ssl.SSLContext] = {}
        by_name: dict[str, ssl.SSLContext] = {}
        default = make(self._base) or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for domain, settings in domains:
            context = make(settings) if domain.kind == kind else None
            if context is not None:
                address = _address(domain.target)
                if address is None:
                    by_name[domain.target.lower()] = context
                else:
                    by_address[address] = context
        return default, by_address, by_name

    def _server(self, settings: _Settings, transport: str) -> ssl.SSLContext | None:
        """The context of one server domain. Browsers have no certificates: of them they are asked for only in words."""
        values = settings.values
        if transport == "wss" and settings.demands is None:
            values = replace(values, require_client=False)
        context = self._made(settings, lambda: server_context(values))
        if context is None:
            return None
        doubtful = doubt(values.certificate, context) if values.certificate not in self._doubted else ""
        self._doubted.add(values.certificate)
        if doubtful:
            place = settings.places.get("tls_certificate", settings.place)
            self._warn(warning(rules.DOUBTFUL_TLS, place, f"{values.certificate}: {doubtful}"))
        if context.verify_mode is ssl.CERT_REQUIRED and not values.ca_list:
            text = "clients must show a certificate, and none is accepted: there is no tls_ca_list to check it with"
            hint = "write tls_require_client_certificate=no, or set tls_ca_list"
            place = settings.places.get("tls_require_client_certificate", settings.place)
            self._warn(warning(rules.DOUBTFUL_TLS, place, text, hint))
        return context

    def _made(self, settings: _Settings, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext | None:
        try:
            context = make()
        except TlsError as problem:
            name = _BY_FIELD.get(problem.setting, "")
            place = settings.places.get(name, settings.place)
            self._fail(error(rules.BAD_TLS, place, f"{name}: {problem}", problem.hint))
            return None
        for file in settings.values.files:
            self.files[file] = hashlib.sha256(Path(file).read_bytes()).digest()
        return context

    def _fail(self, problem: Diagnostic) -> None:
        self._warn(problem)
        self.failed = True

    def _warn(self, problem: Diagnostic) -> None:
        """Note it; two transports may find the same."""
        if problem not in self._found:
            self._found.append(problem)


def _with(values: TlsSettings, config: CoreConfig, name: str) -> TlsSettings:
    """Settings with one parameter as it is; a switch that nobody set is on."""
    changes: dict[str, Any] = (
        {_TEXTS[name]: config.text(name)} if name in _TEXTS else {_SWITCHES[name]: config.values[name] != 0}
    )
    return replace(values, **changes)


def _address(target: str) -> tuple[str, int] | None:
    """The address and port that a domain names; None for a name."""
    host, colon, port = target.rpartition(":")
    if not colon or not port.isdigit():
        return None
    try:
        return str(ipaddress.ip_address(host.strip("[]"))), int(port)
    except ValueError:
        return None
