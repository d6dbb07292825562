"""The addresses of this machine and what `listen` names."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from array import array
from pathlib import Path

_SIOCGIFCONF = 0x8912
_IFCONF = struct.Struct("iP")  # of Linux: octets, and where they are
_IFREQ = struct.Struct(f"16s4x4s{struct.calcsize('P') * 2}x")
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
    if _is_old_spelling(host):
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is neither a name nor an address")
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    found = dict.fromkeys(str(answer[4][0]) for answer in answers)
    return sorted(found, key=lambda address: ":" in address)


def _is_old_spelling(host: str) -> bool:
    """Whether it is what the system takes for an IPv4 address and SIP does not, as `127.1` (RFC 3261 25.1)."""
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return not _is_address(host)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


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
    found = [address for label, address in _ipv4_addresses() if label.partition(":")[0] == name]
    if _IF_INET6.exists():
        for line in _IF_INET6.read_text().splitlines():
            words = line.split()
            if words[5] == name and words[3] != "20":
                found.append(str(ipaddress.IPv6Address(bytes.fromhex(words[0]))))
    return found


def _ipv4_addresses() -> list[tuple[str, str]]:
    """All IPv4 addresses, with the labels of their interfaces (`eth0`, or `eth0:1` of a further one)."""
    room = _IFREQ.size
    length = room
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        while length >= room:  # there may be more
            room *= 4
            table = array("B", bytes(room))
            answer = fcntl.ioctl(probe, _SIOCGIFCONF, _IFCONF.pack(room, table.buffer_info()[0]))
            length = _IFCONF.unpack(answer)[0]
    return [
        (label.rstrip(b"\0").decode(), socket.inet_ntoa(address))
        for label, address in _IFREQ.iter_unpack(table[:length])
    ]
