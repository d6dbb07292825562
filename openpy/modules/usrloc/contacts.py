"""Contacts, and the rules by which they are found, compared and ordered (RFC 3261 section 10.3). Pure.

Rules:
1. A contact never changes: what a REGISTER makes of it is another one with the same `id`. So the contacts of an AoR are
   a tuple, and what was before a change is kept by keeping the tuple.
2. Times are whole seconds of Unix time, as rows hold them.
3. Contacts are in the order in which `lookup` takes them: by q, the highest first, those of equal q as they came; or
   the newest first.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from openpy.sip.errors import RemoteError
from openpy.sip.uri import Uri, cached_uri

MEMORY_ONLY = 1
"""The flag of a contact that no row is made of."""

ALL_METHODS = 0xFFFFFFFF
UNSET_Q = -1
PERMANENT = 0
"""The expiry of a contact that never runs out."""


class Contact:
    """One binding of an AoR.

    `expires` and `modified` are Unix times in seconds, `q` is in thousandths or UNSET_Q, `methods` a bit mask, `socket`
    the text of the socket that the REGISTER came by, or "". `id` is that of its row.
    """

    __slots__ = (
        "branch_flags",
        "call_id",
        "cseq",
        "expires",
        "flags",
        "id",
        "methods",
        "modified",
        "path",
        "q",
        "received",
        "socket",
        "uri",
        "user_agent",
    )

    def __init__(
        self,
        id_: int,
        uri: str,
        expires: int,
        q: int,
        call_id: str,
        cseq: int,
        modified: int,
        *,
        flags: int = 0,
        branch_flags: int = 0,
        user_agent: str = "",
        received: str = "",
        path: str = "",
        socket: str = "",
        methods: int = ALL_METHODS,
    ) -> None:
        self.id = id_
        self.uri = uri
        self.expires = expires
        self.q = q
        self.call_id = call_id
        self.cseq = cseq
        self.modified = modified
        self.flags = flags
        self.branch_flags = branch_flags
        self.user_agent = user_agent
        self.received = received
        self.path = path
        self.socket = socket
        self.methods = methods

    def is_valid(self, now: float) -> bool:
        """Whether it can be used."""
        return self.expires > now or self.expires == PERMANENT

    def is_refresh_of(self, other: Contact) -> bool:
        """Whether it differs from an earlier one in nothing but times and CSeq."""
        return (
            self.uri == other.uri
            and self.call_id == other.call_id
            and self.q == other.q
            and self.received == other.received
            and self.path == other.path
            and self.socket == other.socket
            and self.user_agent == other.user_agent
            and self.methods == other.methods
            and self.flags == other.flags
            and self.branch_flags == other.branch_flags
        )

    def __repr__(self) -> str:
        return f"<Contact {self.uri} until {self.expires}>"


Contacts = tuple[Contact, ...]
"""All contacts of one AoR, in order."""


class Rules(NamedTuple):
    """How contacts are found and ordered; `cseq_delay` is in seconds."""

    newest_first: bool = False
    by_call_id: bool = False
    cseq_delay: int = 20


class Age(Enum):
    """How a REGISTER stands to the contact that it names."""

    NEWER = auto()
    AGAIN = auto()
    """It was done already: this is a retransmission."""
    OLDER = auto()


def readable_uri(text: str) -> Uri | None:
    """The URI that a contact has; None for what a row of somebody else has instead."""
    try:
        return cached_uri(text)
    except RemoteError:
        return None


def find(
    contacts: Contacts,
    uri: str,
    call_id: str,
    rules: Rules,
    read: Callable[[str], Uri | None] = readable_uri,
) -> Contact | None:
    """The contact that a URI means: one that is written so, else an equal one (RFC 3261 19.1.4).

    Whoever looks for many gives a `read` that knows all that it has read.
    """
    for contact in contacts:
        if contact.uri == uri and (not rules.by_call_id or contact.call_id == call_id):
            return contact
    return _equal(contacts, uri, call_id, rules, read) if contacts else None


def _equal(
    contacts: Contacts, uri: str, call_id: str, rules: Rules, read: Callable[[str], Uri | None]
) -> Contact | None:
    wanted = read(uri)
    if wanted is None:
        return None
    for contact in contacts:
        known = read(contact.uri)
        if known is None or (rules.by_call_id and contact.call_id != call_id):
            continue
        if known.equals(wanted):
            return contact
    return None


def age(contact: Contact, call_id: str, cseq: int, now: float, rules: Rules) -> Age:
    """How a request with this Call-ID and CSeq stands to a contact (RFC 3261 10.3 step 7)."""
    if call_id != contact.call_id or cseq > contact.cseq:
        return Age.NEWER
    if cseq == contact.cseq and contact.modified + rules.cseq_delay > now:
        return Age.AGAIN
    return Age.OLDER


def placed(contacts: Contacts, contact: Contact, rules: Rules) -> Contacts:
    """The contacts with a new one, or with one that takes the place of that with its id."""
    if not contacts or (len(contacts) == 1 and contacts[0].id == contact.id):
        return (contact,)
    others = tuple([other for other in contacts if other.id != contact.id])
    if rules.newest_first:
        return (contact, *others)
    if len(others) < len(contacts):
        place = next(number for number, other in enumerate(contacts) if other.id == contact.id)
        if contacts[place].q == contact.q:
            return (*contacts[:place], contact, *contacts[place + 1 :])
    place = next((number for number, other in enumerate(others) if other.q < contact.q), len(others))
    return (*others[:place], contact, *others[place:])


def in_order(contacts: Contacts, rules: Rules) -> Contacts:
    """Contacts as they were read, in the order in which they are taken."""
    if len(contacts) < 2:
        return contacts
    if rules.newest_first:
        return tuple(sorted(contacts, key=lambda contact: -contact.modified))
    return tuple(sorted(contacts, key=lambda contact: -contact.q))


def alive(contacts: Contacts, now: float) -> Contacts:
    """Those that can be used; the same tuple where all can."""
    for contact in contacts:
        if not contact.is_valid(now):
            return tuple(each for each in contacts if each.is_valid(now))
    return contacts
