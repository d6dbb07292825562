"""What the management commands of usrloc do (openser 1.3, section `ul_*`).

Rules:
1. An AoR is changed by the same queue as by a REGISTER, and a command is answered when its change holds.
2. A long list is made in slices, between which messages are read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from openpy.db.errors import DatabaseError
from openpy.engine.corebranches import QualityKind
from openpy.engine.mi import MiError, Reply
from openpy.engine.module import ArgumentError
from openpy.engine.waiting import Wait
from openpy.modules.usrloc.contacts import UNSET_Q, Contact, Contacts, alive, find, placed
from openpy.modules.usrloc.domain import Domain
from openpy.modules.usrloc.listing import add_contact, line_of
from openpy.modules.usrloc.record import Undone
from openpy.modules.usrloc.rows import Misfit
from openpy.modules.usrloc.writeback import WriteBack
from openpy.sip.errors import RemoteError
from openpy.sip.uri import cached_uri

if TYPE_CHECKING:
    from openpy.modules.usrloc.module import Usrloc

CALL_ID = "dfjrewr12386fd6-343@openser.mi"
CSEQ = 1
USER_AGENT = "OpenSER MI Server"
"""Of contacts that a command made, as in 1.3."""

SLICE = 500
"""Records that are listed before messages are read again."""

ATTEMPTS = range(8)
"""How often a change is decided that is undone with others."""

NOT_FOUND = MiError(404, "AOR not found")


async def remove(usrloc: Usrloc, table: str, aor: str) -> None:
    """ul_rm: an AoR with all its contacts; raises MiError."""
    domain, aor = _place(usrloc, table, aor)
    await _change(domain, aor, lambda contacts: (), "Failed to delete AOR")


async def remove_contact(usrloc: Usrloc, table: str, aor: str, uri: str) -> None:
    """ul_rm_contact: one contact of an AoR; raises MiError."""
    domain, aor = _place(usrloc, table, aor)

    def without(contacts: Contacts) -> Contacts:
        contacts = alive(contacts, domain.now())
        if not contacts:
            raise MiError(404, "AOR not found")
        found = find(contacts, uri, CALL_ID, domain.rules)
        if found is None:
            raise MiError(404, "Contact not found")
        return tuple(contact for contact in contacts if contact is not found)

    await _change(domain, aor, without, "Failed to delete contact")


async def add(
    usrloc: Usrloc,
    table: str,
    aor: str,
    uri: str,
    lifetime: int,
    q: str,
    flags: int,
    branch_flags: int,
    methods: int,
) -> None:
    """ul_add: a contact, which lives for so many seconds, or for ever (0); raises MiError."""
    domain, aor = _place(usrloc, table, aor)
    quality = _quality(q)
    if lifetime < 0 or not all(aor.split("@")) or not _is_uri(uri):
        raise MiError(400, "Bad parameter")
    now = domain.now()

    def with_it(contacts: Contacts) -> Contacts:
        contacts = alive(contacts, now)
        known = find(contacts, uri, CALL_ID, domain.rules)
        contact = Contact(
            domain.mode.new_id() if known is None else known.id,
            uri,
            now + lifetime if lifetime else 0,
            quality,
            CALL_ID,
            CSEQ,
            now,
            flags=flags & 0xFFFFFFFF,
            branch_flags=branch_flags & 0xFFFFFFFF,
            user_agent=USER_AGENT,
            methods=methods & 0xFFFFFFFF,
        )
        return placed(contacts, contact, domain.rules)

    await _change(domain, aor, with_it, "Server Internal Error")


async def show(usrloc: Usrloc, table: str, aor: str) -> Reply:
    """ul_show_contact: the contacts of an AoR, a line each; raises MiError."""
    domain, aor = _place(usrloc, table, aor)
    try:
        contacts = await domain.read(aor)
    except DatabaseError as error:
        raise MiError(500, "Server Internal Error") from error
    if not contacts:
        raise MiError(404, "AOR not found")
    now = domain.now()
    reply = Reply()
    for contact in alive(contacts, now):
        reply.add("Contact", line_of(contact, now))
    if not reply.nodes:
        raise MiError(404, "AOR has no contacts")
    return reply


async def dump(usrloc: Usrloc, *, brief: bool) -> Reply:
    """ul_dump: everything in memory."""
    reply = Reply()
    for domain in usrloc.domains.values():
        records = [] if domain.is_remote else list(domain.records.values())
        attributes = {
            "table": str(usrloc.slots),
            "records": str(len(records)),
            "max_slot": str(min(len(records), 1)),
        }
        top = reply.add("Domain", domain.name, **attributes)
        mode, now = domain.mode, domain.now()
        for number, record in enumerate(records, 1):
            node = top.add("AOR", record.aor)
            for contact in () if brief else record.contacts:
                if isinstance(mode, WriteBack):
                    state = mode.state_of(contact)
                else:
                    state = "CS_SYNC" if mode.waits else "CS_NEW"
                add_contact(node, contact, now, state)
            if number % SLICE == 0:
                await _turn(usrloc)
    return reply


async def flush(usrloc: Usrloc) -> None:
    """ul_flush: write what is only in memory."""
    for domain in usrloc.domains.values():
        if isinstance(domain.mode, WriteBack):
            await domain.mode.write()


async def _turn(usrloc: Usrloc) -> None:
    turn: Wait[None] = Wait()
    usrloc.services.soon(lambda: turn.resolve(None))
    await turn


async def _change(domain: Domain, aor: str, decide: Callable[[Contacts], Contacts], failure: str) -> None:
    try:
        await domain.hold(aor)
    except DatabaseError as error:
        raise MiError(500, failure) from error
    try:
        for _ in ATTEMPTS:
            committed = domain.change(aor, decide(domain.standing(aor)))
            domain.mode.flush()
            refused = None if committed is None else await committed
            if not isinstance(refused, Undone):
                break
    except (DatabaseError, Misfit) as error:
        raise MiError(500, failure) from error
    finally:
        domain.release(aor)
    if refused is not None:
        raise MiError(500, failure)


def _place(usrloc: Usrloc, table: str, aor: str) -> tuple[Domain, str]:
    """The table and the AoR as it is kept; raises MiError."""
    domain = usrloc.domains.get(table)
    if domain is None:
        raise MiError(404, "Table not found")
    if usrloc.use_domain:
        if "@" not in aor:
            raise MiError(400, "Domain missing in AOR")
        return domain, aor.lower()
    return domain, aor.partition("@")[0].lower()


def _is_uri(text: str) -> bool:
    try:
        cached_uri(text)
    except RemoteError:
        return False
    return True


def _quality(text: str) -> int:
    """A q value; "" is an unset one."""
    if not text:
        return UNSET_Q
    try:
        return int(QualityKind().convert(text, None))  # type: ignore[arg-type]
    except ArgumentError as error:
        raise MiError(400, "Bad parameter") from error
