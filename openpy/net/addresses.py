"""The addresses of this machine and what `listen` names."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from pathlib import Path

_SIOCGIFADDR = 0x8915
_IF_INET6 = Path("/proc/net/if_inet6")


def resolve_listen(host: str) -> list[str]:
    """The addresses that a `listen` entry means: an address, an interface (all its addresses) or a host name.

    Raises OSError where it is none of these.
    """
    text = host.strip("[]")
    try:
        return [str(ipaddress.ip_address(text))]
    except ValueError:
        pass
    if text in {name for _, name in socket.if_nameindex()}:
        found = interface_addresses(text)
        if not found:
            raise OSError(f"interface {text} has no address")
        return found
    return resolve_host(text)[:1]


def resolve_host(host: str) -> list[str]:
    """The addresses of a host name, IPv4 first; raises OSError."""
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    found = dict.fromkeys(str(answer[4][0]) for answer in answers)
    return sorted(found, key=lambda address: ":" in address)


def all_addresses() -> list[str]:
    """Every IPv4 address of this machine, interface by interface: where 1.3 listens without `listen`."""
    return [
        address
        for _, name in socket.if_nameindex()
        for address in interface_addresses(name)
        if ":" not in address
    ]


def interface_addresses(name: str) -> list[str]:
    """The addresses of one interface; link-local IPv6 ones are left out."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            found.append(socket.inet_ntoa(answer[20:24]))
        except OSError:
            pass  # the interface has no IPv4 address
    if _IF_INET6.exists():
        for line in _IF_INET6.read_text().splitlines():
            words = line.split()
            if words[5] == name and words[3] != "20":
                found.append(str(ipaddress.IPv6Address(bytes.fromhex(words[0]))))
    return found
