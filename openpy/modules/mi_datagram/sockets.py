"""The socket that requests come to: a UDP port, or a file.

Rules:
1. What stands in the place of the file is removed first, as 1.3 does. The file is ours alone until owner and
   permissions are set, and is removed at the end if it is still the one that we made.
2. Nothing here blocks: a reply that cannot leave at once is lost.
"""

from __future__ import annotations

import os
import socket
from typing import Any, NamedTuple

from openpy.engine.fileaccess import Access, remove_old, remove_own
from openpy.engine.module import ArgumentError, ModuleError

__all__ = ["LONGEST", "DatagramSocket", "Peer", "UdpAddress", "UnixPath", "socket_address"]

LONGEST = 65_457
"""Octets of a request, and of a reply, as in 1.3."""

LONGEST_PATH = 107
"""Octets of the path of a socket: what Linux has room for."""

PORTS = range(1024, 65536)

Peer = Any
"""Where a request came from, in the form of the socket's family; None: nobody can be answered."""


class UdpAddress(NamedTuple):
    """A host, which may be a name, and a port."""

    host: str
    port: int


class UnixPath(NamedTuple):
    """The path of a socket in the file system."""

    path: str


def socket_address(text: str) -> UdpAddress | UnixPath:
    """Read `/path` or `udp:host:port`; raises ArgumentError."""
    if text.startswith("/"):
        if len(os.fsencode(text)) > LONGEST_PATH or "\0" in text:
            raise ArgumentError(f'"{text}" is no path of a socket: {LONGEST_PATH} octets at most')
        return UnixPath(text)
    protocol, _, rest = text.partition(":")
    if protocol.lower() != "udp":
        raise ArgumentError(f'"{text}" is no socket', "write /path or udp:host:port")
    host, colon, port = rest.rpartition(":")
    if not rest or (colon and not host):
        raise ArgumentError(f'"{text}" names no address', "write udp:host:port")
    if not colon or not port or port.endswith("]"):
        raise ArgumentError(f'no port specified in "{text}"', "write udp:host:port")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) in PORTS):
        raise ArgumentError(f"the port {port} is not between {PORTS[0]} and {PORTS[-1]}")
    return UdpAddress(host.strip("[]"), int(port))


class DatagramSocket:
    """One socket, open from `open` to `close`."""

    def __init__(self, address: UdpAddress | UnixPath) -> None:
        self.address = address
        self._socket: socket.socket | None = None
        self._made: os.stat_result | None = None

    @property
    def descriptor(self) -> int:
        """To be watched for what comes."""
        return self._open.fileno()

    @property
    def _open(self) -> socket.socket:
        assert self._socket is not None
        return self._socket

    @property
    def is_for_others(self) -> bool:
        """Whether other machines may reach it."""
        if isinstance(self.address, UnixPath):
            return False
        host: str = self._open.getsockname()[0]
        return not host.startswith("127.") and host != "::1"

    def open(self, access: Access) -> None:
        """Open it; raises ModuleError. `access` is for a file."""
        if isinstance(self.address, UnixPath):
            self._make_file(self.address.path, access)
        else:
            self._bind(self.address)

    def _bind(self, address: UdpAddress) -> None:
        name = f"udp:{address.host}:{address.port}"
        try:
            family, _, _, _, place = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
        except (OSError, UnicodeError) as error:
            raise ModuleError(f"cannot resolve the host of {name}: {error}") from None
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.bind(place)
        except OSError as error:
            self.close()
            raise ModuleError(f"cannot listen on {name}: {error.strerror}") from None

    def _make_file(self, path: str, access: Access) -> None:
        remove_old(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            os.fchmod(self._socket.fileno(), 0o600)  # the file is made with these
            self._socket.bind(path)
            self._made = os.lstat(path)
            if (access.user, access.group) != (-1, -1):
                os.chown(path, access.user, access.group, follow_symlinks=False)
            os.chmod(path, access.mode)
        except OSError as error:
            self.close()
            raise ModuleError(f"cannot make the socket {path}: {error.strerror}") from None

    def receive(self) -> tuple[bytes, Peer] | None:
        """What came, cut behind LONGEST + 1 octets, and from whom; None where nothing more is there."""
        try:
            return self._open.recvfrom(LONGEST + 1)
        except BlockingIOError:
            return None
        except OSError:
            return b"", None  # an earlier reply was refused by who asked; it is not said which

    def send(self, data: bytes, peer: Peer) -> bool:
        """Send to whom a request came from; False if it cannot leave now."""
        try:
            self._open.sendto(data, peer)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close it and remove its file."""
        if self._socket is None:
            return
        self._socket.close()
        self._socket = None
        if self._made is not None and isinstance(self.address, UnixPath):
            remove_own(self.address.path, self._made)
            self._made = None
