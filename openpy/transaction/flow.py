"""The way to a peer, as the transaction layer sees it."""

from __future__ import annotations

from typing import Protocol


class Flow(Protocol):
    """Where a message came from, and so where answers go: a socket and a remote address, or a connection.

    `send` never raises: a datagram that cannot leave now is queued,
    one that cannot leave at all is dropped and counted.
    """

    @property
    def transport(self) -> str:
        """`udp`, `tcp` ..."""
        ...

    @property
    def reliable(self) -> bool:
        """Whether the transport retransmits by itself."""
        ...

    @property
    def host(self) -> str:
        """The peer's address."""
        ...

    @property
    def port(self) -> int:
        """The peer's port."""
        ...

    @property
    def local_host(self) -> str:
        """Our address."""
        ...

    @property
    def local_port(self) -> int:
        """Our port."""
        ...

    def send(self, data: bytes) -> None:
        """Send one whole message."""
        ...
