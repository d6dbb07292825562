"""TLS as a layer over another one, between two buffers of memory (RFC 3261 section 26.2, RFC 5246, RFC 8446).

Rules:
1. Which certificate a server shows is known when the client has named whom it calls (SNI). The handshake then begins
   anew with everything that belongs to that name: the library would change the certificate only, and go on asking
   (or not asking) the client for one as it began.
2. A failed handshake ends the connection; the peer is told with TLS's own alert.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from openpy.net.layer import ANYBODY, Callee, Layer, Stack
from openpy.sip.errors import RemoteError

PLAIN = 16_384
"""Octets of one record."""


class TlsObject(ssl.SSLObject):
    """A connection of the library, and the context that its peer's words ask for, if it is another one."""

    wanted: ssl.SSLContext | None = None


def choose_by_name(context: ssl.SSLContext, by_name: Callable[[str], ssl.SSLContext | None]) -> None:
    """Let the name that a client calls choose another context than this one."""

    def named(connection: ssl.SSLObject, name: str | None, begun: ssl.SSLContext) -> int | None:
        wanted = by_name(name.lower()) if name else None
        if wanted is None or wanted is begun or not isinstance(connection, TlsObject):
            return None
        connection.wanted = wanted
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME  # nobody sees it: see rule 1

    context.sslobject_class = TlsObject
    context.sni_callback = named


class TlsLayer:
    """TLS over the layer `inner`. `callee` is whom we call, where we call (its name may be an address).

    `verifies` says whether his certificate must fit.
    """

    __slots__ = (
        "_callee",
        "_hello",
        "_incoming",
        "_inner",
        "_is_shaken",
        "_object",
        "_outgoing",
        "_verifies",
        "over",
    )

    def __init__(
        self, context: ssl.SSLContext, inner: Layer, callee: Callee | None = None, *, verifies: bool = False
    ) -> None:
        """Without a callee we are the one who is called. Raises ValueError for a name that is none."""
        serves = callee is None
        self._inner = inner
        self._callee = callee or ANYBODY
        self._verifies = verifies
        self._hello: bytearray | None = bytearray() if serves else None
        self._is_shaken = False
        self.over = ""
        self._begin(context, serves)
        if not serves:
            self._shake()

    def _begin(self, context: ssl.SSLContext, serves: bool) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = None if serves else self._callee.name
        self._object = context.wrap_bio(self._incoming, self._outgoing, serves, name)

    @property
    def is_up(self) -> bool:
        """Whether its handshake is over, and that of the layer above."""
        return self._is_shaken and self._inner.is_up

    @property
    def error(self) -> RemoteError | None:
        """That of the layer above."""
        return self._inner.error

    @property
    def broken_head(self) -> bytes:
        """That of the layer above."""
        return self._inner.broken_head

    @property
    def pings(self) -> int:
        """Those of the layer above."""
        return self._inner.pings

    @property
    def largest_read(self) -> int:
        """That of the layer above."""
        return self._inner.largest_read

    @property
    def held(self) -> int:
        """Of a record and of what is in it, or of a client's first words."""
        return self._incoming.pending + len(self._hello or b"") + self._inner.held

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes."""
        self._incoming.write(data)
        if not self._is_shaken:
            if self._hello is not None:
                self._hello += data
            self._shake()
        messages: list[bytes] = []
        while self._is_shaken and not self.over and self.error is None:
            plain = self._read()
            if not plain:
                break
            messages += self._inner.feed(plain)
            self.over = self._inner.over
        return messages

    def wrap(self, message: bytes) -> bytes:
        """A message as it is sent."""
        return self._encrypted(self._inner.wrap(message))

    def answers(self) -> bytes:
        """What is to be sent now."""
        if self._is_shaken:
            inner = self._inner.answers()
            if inner:
                return self._encrypted(inner)
        return self._outgoing.read()

    def farewell(self) -> bytes:
        """The end of both."""
        if not self._is_shaken:
            return b""
        data = self._inner.farewell()
        octets = self._encrypted(data) if data else b""
        with contextlib.suppress(ssl.SSLError):  # it would wait for the peer's word
            self._object.unwrap()
        return octets + self._outgoing.read()

    def proves(self, callee: Callee) -> bool:
        """Whether the certificate was checked for this name; an address needs no proof: it is where we are."""
        if callee.domain and callee.domain != self._callee.domain:
            return False
        return not callee.name or not self._verifies or callee.name == self._callee.name

    # --- inside -----------------------------------------------------------------------------------------------

    def _shake(self) -> None:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            if self._outgoing.pending:  # the client has said whom it calls
                self._hello = None
            return
        except ssl.SSLError as problem:
            wanted = getattr(self._object, "wanted", None)
            if wanted is None or self._hello is None:
                self.over = reason(problem)
                return
            hello, self._hello = self._hello, None
            self._begin(wanted, True)
            self._incoming.write(hello)
            self._shake()
            return
        self._hello = None
        self._is_shaken = True

    def _read(self) -> bytes:
        try:
            plain = self._object.read(PLAIN)
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLError as problem:
            self.over = reason(problem)
            return b""
        if not plain:
            self.over = "the peer closed it"
        return plain

    def _encrypted(self, data: bytes) -> bytes:
        try:
            self._object.write(data)
        except ssl.SSLError as problem:
            self.over = self.over or reason(problem)
        return self._outgoing.read()


def reason(problem: ssl.SSLError) -> str:
    """What went wrong, in a few words."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"the certificate is refused: {problem.verify_message}"
    return (problem.reason or str(problem)).replace("_", " ").lower()


@dataclass(frozen=True, slots=True)
class ServerContexts:
    """What is shown to clients: by the name that they call, by the address of ours that they came to, or else."""

    default: ssl.SSLContext
    by_address: Mapping[tuple[str, int], ssl.SSLContext] = field(default_factory=dict)
    by_name: Mapping[str, ssl.SSLContext] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.by_name:
            for context in (self.default, *self.by_address.values()):
                choose_by_name(context, self.by_name.get)


@dataclass(frozen=True, slots=True)
class ClientContexts:
    """What servers are held to: as the script chose, by the name that a URI calls them, by their address, or else."""

    default: ssl.SSLContext
    by_address: Mapping[tuple[str, int], ssl.SSLContext] = field(default_factory=dict)
    by_name: Mapping[str, ssl.SSLContext] = field(default_factory=dict)

    def choose(self, peer: tuple[str, int], callee: Callee) -> ssl.SSLContext:
        """The context for a peer."""
        named = self.by_name.get(callee.domain.lower()) or self.by_name.get(callee.name.lower())
        return named or self.by_address.get(peer) or self.default


class TlsStack:
    """TLS over what another stack makes. `clients` is None where we open no connections."""

    def __init__(self, inner: Stack, servers: ServerContexts | None, clients: ClientContexts | None) -> None:
        self._inner = inner
        self._servers = servers
        self._clients = clients

    def renew(self, servers: ServerContexts | None, clients: ClientContexts | None) -> None:
        """Begin handshakes with these from now on, where there are any; connections that are there stay as they are."""
        self._servers = servers or self._servers
        self._clients = clients or self._clients

    def accepted(self, local: tuple[str, int], peer: tuple[str, int]) -> Layer:
        """That of a client."""
        assert self._servers is not None, "nobody listens without a certificate"
        context = self._servers.by_address.get(local, self._servers.default)
        return TlsLayer(context, self._inner.accepted(local, peer), verifies=True)

    def opened(self, peer: tuple[str, int], callee: Callee) -> Layer | None:
        """That of a server, who has to prove its name, or its address where the URI has one."""
        inner = self._inner.opened(peer, callee)
        if inner is None or self._clients is None:
            return None
        context = self._clients.choose(peer, callee)
        verifies = context.verify_mode is not ssl.CERT_NONE
        try:
            return TlsLayer(
                context, inner, callee if callee.name else callee._replace(name=peer[0]), verifies=verifies
            )
        except ValueError:  # no certificate can name that
            return None
