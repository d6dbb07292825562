"""The way to those who registered (openser 1.3 `lookup`, `registered`; RFC 3327 section 5.3)."""

from __future__ import annotations

from openpy.db.errors import DatabaseError
from openpy.engine.corebranches import add_branch
from openpy.engine.module import ArgumentError
from openpy.engine.requesturi import rewrite
from openpy.engine.run import Run
from openpy.engine.socketids import read_socket
from openpy.engine.sockets import Endpoint
from openpy.engine.state import Branch
from openpy.modules.registrar.addresses import aor_of
from openpy.modules.registrar.failures import Failure
from openpy.modules.registrar.methods import bit_of
from openpy.modules.registrar.saving import Settings
from openpy.modules.usrloc.api import Contact, Contacts, Domain, alive
from openpy.sip.errors import RemoteError
from openpy.sip.headers import parse_name_addr, split_first

FOUND, NOBODY, NOT_BY_THIS_METHOD, FAILED = 1, -1, -2, -3


async def lookup(run: Run, domain: Domain, settings: Settings, *, by_method: bool, branches: bool) -> int:
    """Make the contacts of whom the Request-URI means the destination set; FOUND or why not."""
    try:
        contacts = await registered(run, domain, settings)
    except (Failure, DatabaseError) as error:
        run.warn(f"lookup: {error}")
        return FAILED
    if not contacts:
        return NOBODY
    if by_method:
        method = bit_of(run.request.method)
        contacts = tuple(contact for contact in contacts if contact.methods & method)
        if not contacts:
            return NOT_BY_THIS_METHOD
    first, *others = contacts
    try:
        _take(run, _branch(run, first))
    except RemoteError as error:
        run.warn(f"lookup: the Path of {first.uri} cannot be read: {error}")
        return FAILED
    for contact in others if branches else ():
        try:
            added = add_branch(run, _branch(run, contact))
        except RemoteError:
            added = False
        if not added:
            run.warn(f"lookup: no branch for {contact.uri}")
    return FOUND


async def registered(run: Run, domain: Domain, settings: Settings) -> Contacts:
    """The contacts of whom the Request-URI means; raises Failure or DatabaseError."""
    aor = aor_of(run.uri, settings.aor)
    if not domain.ready:
        raise DatabaseError(f"the contacts of {domain.name} are not loaded yet")
    return alive(await domain.read(aor) if domain.is_remote else domain.of(aor), domain.now())


def _branch(run: Run, contact: Contact) -> Branch:
    """The way to a contact; raises RemoteError for a Path that cannot be read."""
    destination = contact.received
    if contact.path:
        destination = parse_name_addr(split_first(contact.path)[0]).uri_text
    return Branch(
        contact.uri, destination, contact.q, contact.branch_flags, _socket(run, contact.socket), contact.path
    )


def _take(run: Run, branch: Branch) -> None:
    """Make a contact the first of the destination set. A next hop or socket that the script has set may stay."""
    state = run.state
    if not rewrite(run, branch.uri):
        raise RemoteError(400, "The Contact URI cannot be used")
    state.q, state.branch_flags, state.path = branch.q, branch.flags, branch.path
    state.destination_uri = branch.destination_uri or state.destination_uri
    state.send_socket = branch.send_socket or state.send_socket


def _socket(run: Run, text: str) -> Endpoint | None:
    """The socket that a contact registered by; None where the server does not listen there any more."""
    if not text:
        return None
    try:
        return run.server.sockets.listening(read_socket(text))
    except ArgumentError:
        return None
