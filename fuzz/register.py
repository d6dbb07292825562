"""Whatever stands in the Contact of a REGISTER is refused as a whole, or kept; and what is kept can be told again.

The first octets of an input say what the Expires is.
"""

from __future__ import annotations

from itertools import count

from openpy.modules.registrar.failures import Failure
from openpy.modules.registrar.registering import Circumstances, Lifetimes, decide, read
from openpy.modules.registrar.replies import contact_line
from openpy.modules.usrloc.api import Contacts, Rules
from openpy.sip.errors import RemoteError
from openpy.sip.headers import Star, parse_contacts
from openpy.sip.message import Request, parse_message
from openpy.sip.validity import check_request

NOW = 1_600_000_000
EXPIRES = (b"", b"Expires: 0\r\n", b"Expires: 60\r\n", b"Expires: never\r\n")
HEAD = (
    b"REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
    b"From: <sip:bob@example.org>;tag=1\r\nTo: <sip:bob@example.org>\r\nCall-ID: x\r\n"
)
LIFETIMES = Lifetimes(longest=7200)
NUMBERS = count(1)


def check(data: bytes) -> None:
    """Register a text, refresh it, and take it away."""
    expires = EXPIRES[data[0] % len(EXPIRES) if data else 0]
    value = data[1:].replace(b"\r", b"").replace(b"\n", b" ")
    contacts = _after((), value, expires, 1)
    if not contacts:
        return
    _check_told(contacts)
    again = _after(contacts, value, expires, 2)
    assert again is not None
    # What one REGISTER takes away and adds again comes last.
    assert sorted(contact.uri for contact in again) == sorted(contact.uri for contact in contacts)
    assert _after(again, b"*", EXPIRES[1], 1) is None, "an older request"
    assert _after(again, b"*", EXPIRES[1], 3) == ()


def _after(before: Contacts, value: bytes, expires: bytes, cseq: int) -> Contacts | None:
    """The contacts after a REGISTER; None where it was refused."""
    request = parse_message(b"%bCSeq: %d REGISTER\r\n%bContact: %b\r\n\r\n" % (HEAD, cseq, expires, value))
    assert isinstance(request, Request)
    try:
        check_request(request)
        registration = read(request, LIFETIMES)
        return decide(before, registration, Circumstances(), Rules(), NOW, lambda: next(NUMBERS))
    except (RemoteError, Failure):
        return None


def _check_told(contacts: Contacts) -> None:
    line = contact_line(contacts, NOW, "received")
    assert line.count("\n") == 1
    told = parse_contacts([line.partition(":")[2].strip()])
    assert not isinstance(told, Star)
    assert [address.uri_text for address in told] == [contact.uri for contact in contacts]
    for address, contact in zip(told, contacts, strict=True):
        assert 0 < int(address.param("expires") or 0) <= 7200
        assert -1 <= contact.q <= 1000
