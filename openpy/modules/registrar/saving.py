"""How a REGISTER is handled (RFC 3261 section 10.3, RFC 3327; openser 1.3 `save`).

Rules:
1. A 2xx follows the commit where `db_mode` of usrloc promises one; meanwhile retransmissions are absorbed.
2. What could not be committed is answered 500, and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from openpy.db.errors import DatabaseError
from openpy.engine.module import ArgumentError
from openpy.engine.named import NamedAvp
from openpy.engine.run import Run
from openpy.engine.socketids import read_socket
from openpy.engine.sockets import bracketed
from openpy.modules.registrar.addresses import AorRules, aor_of
from openpy.modules.registrar.failures import Failure, Reason
from openpy.modules.registrar.registering import (
    LONGEST,
    Circumstances,
    Lifetimes,
    Registration,
    decide,
    read,
)
from openpy.modules.registrar.replies import contact_line, date_line, failure_lines, tells_date
from openpy.modules.usrloc.api import Contacts, Domain, Misfit, Undone, alive
from openpy.sip.errors import RemoteError
from openpy.sip.headers import parse_name_addr_list
from openpy.sip.uri import parse_uri, unescape

MEMORY, NO_REPLY = 0x1, 0x2
"""Flags of `save`."""

DECISIONS = range(8)
"""How often a REGISTER is decided at most, each time but the last behind another one that came to nothing."""

NO_USER_AGENT = "n/a"

MISFITS = {
    "username": Reason.AOR_LENGTH,
    "domain": Reason.AOR_LENGTH,
    "contact": Reason.CONTACT_LENGTH,
    "received": Reason.CONTACT_LENGTH,
    "path": Reason.PATH,
    "callid": Reason.CALL_ID_LENGTH,
}
"""What is told of a value that no row takes, by its column."""


class PathRules(NamedTuple):
    """What is done with Path (`use_path`, `path_mode`, `path_use_received`); `nat_flag` is a mask."""

    used: bool = False
    mode: int = 2
    received: bool = False
    nat_flag: int = 0


class Settings(NamedTuple):
    """How REGISTERs are handled. Flags are masks, 0 for none; `retry_after` is in seconds."""

    lifetimes: Lifetimes = Lifetimes()
    path: PathRules = PathRules()
    aor: AorRules = AorRules()
    received_param: str = "received"
    received_avp: NamedAvp | None = None
    aor_avp: NamedAvp | None = None
    max_contacts: int = 0
    retry_after: int = 0
    persistent_flag: int = 0
    socket_flag: int = 0
    socket_header: str = ""


NOTHING = Registration("", 0, ())


class Saving:
    """One REGISTER that is being handled."""

    __slots__ = ("_aor", "_domain", "_now", "_path", "_registration", "_run", "_settings")

    def __init__(self, run: Run, settings: Settings, domain: Domain) -> None:
        self._run = run
        self._settings = settings
        self._domain = domain
        self._registration = NOTHING
        self._aor = ""
        self._path = ""
        self._now = 0

    async def save(self, flags: int) -> Contacts:
        """Do what it asks for; the contacts that there are then. Raises Failure, or Overloaded."""
        run, settings, domain = self._run, self._settings, self._domain
        if run.request.has("Require") and self._unknown_extensions():
            raise Failure(Reason.EXTENSION)
        registration = self._registration = read(run.request, settings.lifetimes)
        self._aor = aor = self._whose()
        if not (registration.wanted or registration.removes_all):
            return await self._read()
        circumstances = self._circumstances(flags)
        if domain.mode.waits:
            run.hold()
        if not domain.is_remote:
            return await self._decide(circumstances)
        try:
            await domain.hold(aor)
        except DatabaseError:
            raise Failure(Reason.RECORD_GET) from None
        try:
            return await self._decide(circumstances)
        finally:
            domain.release(aor)

    async def _decide(self, circumstances: Circumstances) -> Contacts:
        domain, aor, most = self._domain, self._aor, self._settings.max_contacts
        new_id, rules = domain.mode.new_id, domain.rules
        before: Contacts = ()
        for _ in DECISIONS:
            before = domain.standing(aor)
            now = self._now = domain.now()
            try:
                after = decide(before, self._registration, circumstances, rules, now, new_id, most)
                committed = domain.change(aor, after)
            except DatabaseError:
                break
            except Misfit as error:
                raise Failure(MISFITS.get(error.column, Reason.CONTACT)) from None
            refused = None if committed is None else await committed
            if refused is None:
                return after
            if not isinstance(refused, Undone):
                break
        raise Failure(self._kind_of_change(before))

    def _kind_of_change(self, before: Contacts) -> Reason:
        if self._registration.removes_all:
            return Reason.RECORD_DELETE
        if not any(wanted.lifetime for wanted in self._registration.wanted):
            return Reason.CONTACT_DELETE
        return Reason.CONTACT_UPDATE if before else Reason.CONTACT_INSERT

    async def _read(self) -> Contacts:
        if not self._domain.ready:
            raise Failure(Reason.RECORD_GET)
        try:
            contacts = await self._domain.read(self._aor)
            self._now = self._domain.now()
            return alive(contacts, self._now)
        except DatabaseError:
            raise Failure(Reason.RECORD_GET) from None

    # --- what the request says ------------------------------------------------------------------------------------

    def _unknown_extensions(self) -> list[str]:
        """What the request requires and is not done here."""
        known = {"path"} if self._settings.path.used else set()
        return [item for item in self._run.request.values("Require") if item.lower() not in known]

    def _whose(self) -> str:
        settings, run = self._settings, self._run
        uri = "" if settings.aor_avp is None else _text_of(run, settings.aor_avp)
        return aor_of(uri or run.request.to.uri_text, settings.aor)

    def _circumstances(self, flags: int) -> Circumstances:
        run, settings = self._run, self._settings
        request = run.request
        branch_flags, received = run.branch_flags, ""
        if settings.received_avp is not None:
            received = _text_of(run, settings.received_avp)
        if settings.path.used and request.has("Path"):
            self._path = ",".join(request.all("Path"))
            hop = self._checked_path()
            if settings.path.received and (address := hop):
                received = address
                branch_flags |= settings.path.nat_flag
        if len(received) > LONGEST:
            raise Failure(Reason.CONTACT_LENGTH)
        agent = NO_USER_AGENT
        if request.has("User-Agent"):
            agent = intern(_readable(request.get("User-Agent") or agent))  # many phones have the same
        if len(agent) > LONGEST:
            agent = NO_USER_AGENT
        memory = flags & MEMORY
        return Circumstances(memory, branch_flags, agent, received, self._path, self._socket(run.flags))

    def _checked_path(self) -> str:
        """The `received` parameter of the first URI of the Path; raises Failure for a Path that cannot be taken."""
        path = self._settings.path
        if len(self._path) > LONGEST:
            raise Failure(Reason.PATH)
        try:
            uris = [hop.uri for hop in parse_name_addr_list(self._path)]
            received = unescape(uris[0].param("received") or "")
            if path.received and received:
                uris.append(parse_uri(received))  # it was escaped: anything may stand in it
        except RemoteError:
            raise Failure(Reason.PATH) from None
        if not all(uri.is_sip for uri in uris):
            raise Failure(Reason.PATH)
        if path.mode == 2 and not self._supports_path():
            raise Failure(Reason.PATH_UNSUPPORTED)
        return received

    def _supports_path(self) -> bool:
        return "path" in (item.lower() for item in self._run.request.values("Supported"))

    def _socket(self, flags: int) -> str:
        """The socket by which the contact is to be reached: that of the request, or the one that a header names."""
        settings, run = self._settings, self._run
        if settings.socket_flag & flags:
            named = self._named_socket(run.request.get(settings.socket_header) or "")
            if named:
                return named
        flow = run.flow
        return _socket_text(flow.transport, flow.local_host, flow.local_port)

    def _named_socket(self, text: str) -> str:
        try:
            endpoint = self._run.server.sockets.listening(read_socket(text.strip()))
        except ArgumentError:
            endpoint = None
        if endpoint is None:
            self._run.warn(f'{self._settings.socket_header} names no socket of this server: "{text}"')
        return str(endpoint or "")

    # --- answering --------------------------------------------------------------------------------------------------

    def accept(self, contacts: Contacts) -> bool:
        """Answer 200 with the contacts that there are."""
        settings, run, now = self._settings, self._run, self._now
        if contacts and settings.persistent_flag & run.flags:
            longest = max(contact.expires for contact in contacts) - now
            run.server.sockets.keep(run.flow, longest + 10)
        headers = contact_line(contacts, now, settings.received_param)
        told = run.reply_headers
        if not (told and tells_date(told)):
            headers += date_line(now)
        if self._path and settings.path.mode and self._supports_path():
            headers += f"Path: {self._path}\r\n"
        return run.reply(200, "OK", headers)

    def refuse(self, failure: Failure, random_delay: Callable[[], int]) -> None:
        """Answer with what went wrong."""
        settings, domain = self._settings, self._domain
        headers = failure_lines(
            failure, settings.retry_after or (random_delay() if failure.is_passing else 0)
        )
        if self._aor and not domain.is_remote:
            now = domain.now()
            headers = contact_line(alive(domain.of(self._aor), now), now, settings.received_param) + headers
        if failure.reason is Reason.EXTENSION:
            headers += f"Unsupported: {', '.join(self._unknown_extensions())}\r\n"
        if failure.reason is Reason.PATH_UNSUPPORTED:
            headers += f"Unsupported: path\r\nPath: {self._path}\r\n"
        self._run.reply(failure.status, failure.phrase, headers)


@lru_cache(maxsize=256)
def _socket_text(transport: str, host: str, port: int) -> str:
    """A socket as contacts have it: one text for all of them."""
    return f"{transport}:{bracketed(host)}:{port}"


def _readable(text: str) -> str:
    """A text as rows take it: octets that are no UTF-8 are replaced."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _text_of(run: Run, avp: NamedAvp) -> str:
    """The text that an AVP holds; "" where it holds none."""
    value = avp.read(run)
    return value if isinstance(value, str) else ""
