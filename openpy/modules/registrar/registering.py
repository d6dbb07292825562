"""What a REGISTER asks for, and what becomes of the contacts of an AoR (RFC 3261 section 10.3). Pure.

Rules:
1. All or nothing: every refusal comes before anything is changed.
2. A contact that was registered by the same Call-ID is changed or removed by a higher CSeq only, by `*` too. The same
   CSeq again, within `cseq_delay`, is a retransmission and changes nothing.
3. What cannot be read as a lifetime means the default (RFC 3261 10.2.1.1); one that is too short is made longer, one
   that is too long shorter. 0 removes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from openpy.modules.registrar.failures import Failure, Reason
from openpy.modules.registrar.methods import mask_of
from openpy.modules.usrloc.api import (
    ALL_METHODS,
    UNSET_Q,
    Age,
    Contact,
    Contacts,
    Rules,
    age,
    alive,
    find,
    placed,
    readable_uri,
)
from openpy.sip.errors import RemoteError
from openpy.sip.headers import NameAddr, Star
from openpy.sip.message import Request

LONGEST = 255
"""Characters of a Contact URI, Call-ID, Path or received URI."""


class Lifetimes(NamedTuple):
    """What lifetimes are granted, in seconds; 0 for no limit. `q` is that of contacts without one."""

    default: int = 3600
    shortest: int = 60
    longest: int = 0
    q: int = UNSET_Q

    def granted(self, seconds: int) -> int:
        """The lifetime that is granted to who asks for one."""
        if 0 < seconds < self.shortest:
            seconds = self.shortest
        return self.longest if 0 < self.longest < seconds else seconds


class Wanted(NamedTuple):
    """A contact that is to be: `lifetime` in seconds, 0 to remove it."""

    uri: str
    lifetime: int
    q: int
    methods: int


class Registration(NamedTuple):
    """What a REGISTER asks for. `wanted` is empty for a question, and where all are to be removed."""

    call_id: str
    cseq: int
    wanted: tuple[Wanted, ...]
    removes_all: bool = False


class Circumstances(NamedTuple):
    """How a REGISTER came: what its contacts have in common."""

    flags: int = 0
    branch_flags: int = 0
    user_agent: str = ""
    received: str = ""
    path: str = ""
    socket: str = ""


def read(request: Request, lifetimes: Lifetimes) -> Registration:
    """Read a REGISTER; raises Failure."""
    call_id = request.call_id
    if len(call_id) > LONGEST:
        raise Failure(Reason.CALL_ID_LENGTH)
    try:
        cseq = request.cseq.number
        contacts = request.contacts
    except RemoteError:
        raise Failure(Reason.MESSAGE) from None
    if isinstance(contacts, Star):
        if _expires(request) != 0:
            raise Failure(Reason.STAR_EXPIRES)
        return Registration(call_id, cseq, (), removes_all=True)
    if not contacts:
        return Registration(call_id, cseq, ())
    lifetime = _expires(request)
    if lifetime is None:
        lifetime = lifetimes.default
    methods = mask_of(",".join(request.all("Allow"))) if request.has("Allow") else ALL_METHODS
    wanted = tuple([_wanted(contact, lifetime, methods, lifetimes) for contact in contacts])
    return Registration(call_id, cseq, wanted)


def _expires(request: Request) -> int | None:
    """The Expires header; None where there is none, or it is no number."""
    try:
        return request.expires
    except RemoteError:
        return None


def _wanted(contact: NameAddr, lifetime: int, methods: int, lifetimes: Lifetimes) -> Wanted:
    uri = contact.uri_text
    if len(uri) > LONGEST:
        raise Failure(Reason.CONTACT_LENGTH)
    params = contact.params
    if "expires" in params:
        lifetime = _seconds(params["expires"] or "", lifetimes.default)
    q = lifetimes.q
    if "q" in params:
        q = quality(params["q"] or "")
    if "methods" in params:
        methods = mask_of(params["methods"] or "")
    return Wanted(uri, lifetimes.granted(lifetime), q, methods)


def _seconds(text: str, default: int) -> int:
    text = text.strip('"')
    if not (text.isascii() and text.isdigit()):
        return default
    return int(text) if len(text) < 10 else min(int(text[:12]), 2**31 - 1)


def quality(text: str) -> int:
    """A q value in thousandths: 0 to 1 with at most three decimals; raises Failure."""
    whole, point, decimals = text.partition(".")
    if whole in ("0", "1", "") and len(decimals) <= 3 and (whole or decimals):
        digits = decimals.ljust(3, "0") if point else "000"
        if digits.isascii() and digits.isdigit():
            value = int(whole or "0") * 1000 + int(digits)
            if value <= 1000:
                return value
    raise Failure(Reason.Q)


def decide(
    contacts: Contacts,
    registration: Registration,
    circumstances: Circumstances,
    rules: Rules,
    now: int,
    new_id: Callable[[], int],
    most: int = 0,
) -> Contacts:
    """The contacts that an AoR has after a REGISTER; the same tuple where nothing changes. Raises Failure.

    `most` bounds their number, 0 does not.
    """
    found = alive(contacts, now)
    read = cache(readable_uri) if len(registration.wanted) > 1 else readable_uri
    if registration.removes_all:
        for contact in found:
            if age(contact, registration.call_id, registration.cseq, now, rules) is not Age.NEWER:
                raise Failure(Reason.CSEQ)
        return ()
    has_grown = False
    for wanted in registration.wanted:
        known = find(found, wanted.uri, registration.call_id, rules, read)
        if known is not None:
            if known not in contacts:
                continue  # named twice: it is the first one
            how = age(known, registration.call_id, registration.cseq, now, rules)
            if how is Age.OLDER:
                raise Failure(Reason.CSEQ)
            if how is Age.AGAIN:
                continue
        if not wanted.lifetime:
            if known is not None:
                found = tuple([contact for contact in found if contact is not known])
            continue
        has_grown = has_grown or known is None
        contact = _contact(new_id() if known is None else known.id, wanted, registration, circumstances, now)
        found = placed(found, contact, rules)
    if 0 < most < len(found) and has_grown:
        raise Failure(Reason.TOO_MANY)
    return found


def _contact(
    id_: int, wanted: Wanted, registration: Registration, circumstances: Circumstances, now: int
) -> Contact:
    flags, branch_flags, user_agent, received, path, socket = circumstances
    return Contact(
        id_,
        wanted.uri,
        now + wanted.lifetime,
        wanted.q,
        registration.call_id,
        registration.cseq,
        now,
        flags=flags,
        branch_flags=branch_flags,
        user_agent=user_agent,
        received=received,
        path=path,
        socket=socket,
        methods=wanted.methods,
    )
