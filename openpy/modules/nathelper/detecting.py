"""Signs that who sent a message is behind a NAT (`nat_uac_test`).

1: the host of its first Contact is private. 2: the host of its top Via is not where it came from. 4: the host of its
top Via is private. 8: an address in its SDP is private. 16: the port of its top Via is not the one that it came from.
"""

from __future__ import annotations

from openpy.engine.run import Run
from openpy.modules.nathelper.sdp import addresses_of
from openpy.modules.nathelper.sources import is_private, is_same_address, source_of
from openpy.sip.headers import Star
from openpy.sip.transports import SIP_PORT


def is_behind_nat(run: Run, mask: int) -> bool:
    """Whether one of the signs in a mask is there. Via and Contact were read before a route sees a message."""
    return any(mask & bit and sign(run) for bit, sign in _SIGNS.items())


def _private_contact(run: Run) -> bool:
    contacts = run.message.contacts
    return not isinstance(contacts, Star) and bool(contacts) and is_private(contacts[0].uri.host)


def _other_via(run: Run) -> bool:
    return not is_same_address(run.message.via.host, source_of(run).host)


def _private_via(run: Run) -> bool:
    return is_private(run.message.via.host)


def _private_sdp(run: Run) -> bool:
    return any(map(is_private, addresses_of(run.message)))


def _other_port(run: Run) -> bool:
    return (run.message.via.port or SIP_PORT) != source_of(run).port


_SIGNS = {1: _private_contact, 2: _other_via, 4: _private_via, 8: _private_sdp, 16: _other_port}
