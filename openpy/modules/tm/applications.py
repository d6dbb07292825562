"""Requests that an application outside answers: what is written to it, and how it names them (t_write_fifo, t_reply).

Rules:
1. A transaction is named `hash:label` once it was written, as long as it lasts; no others can be named.
2. The format is 1.3's, version 0.3: a value a line, `.` where there is none. No value has a line end but the body.
3. Who has read a request may answer as long as a branch would be waited for; then 408 goes up.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from zlib import crc32

from openpy.engine.run import Run
from openpy.engine.services import Services
from openpy.modules.tm.appendices import Info
from openpy.modules.tm.relaying import Relaying
from openpy.modules.tm.writing import NotWritten
from openpy.sip.dialog import Dialog
from openpy.sip.errors import RemoteError
from openpy.sip.uri import cached_uri
from openpy.transaction.server import ServerTransaction

VERSION = "0.3"
NOTHING = "."


class Written:
    """The transactions that applications know, by what they are called there."""

    __slots__ = ("_labels", "_names", "_transactions")

    def __init__(self) -> None:
        self._labels = count(1)
        self._names: dict[ServerTransaction, str] = {}
        self._transactions: dict[str, ServerTransaction] = {}

    def name(self, transaction: ServerTransaction) -> str:
        """What a transaction is called: `hash:label`."""
        known = self._names.get(transaction)
        if known is None:
            known = (
                f"{crc32(transaction.key.encode('utf-8', 'surrogateescape')) & 0xFFFF}:{next(self._labels)}"
            )
            self._names[transaction] = known
            self._transactions[known] = transaction
            transaction.at_end(self._forget)
        return known

    def find(self, name: str) -> ServerTransaction | None:
        """The transaction of that name, while it lasts."""
        return self._transactions.get(name)

    def _forget(self, transaction: ServerTransaction) -> None:
        del self._transactions[self._names.pop(transaction)]


class Applications:
    """Hands requests to applications."""

    def __init__(self, services: Services, relaying: Relaying) -> None:
        self._services = services
        self._relaying = relaying
        self.written = Written()

    async def hand(
        self, run: Run, info: Info, write: Callable[[str, str, float], None], path: str, seconds: float
    ) -> int:
        """Write the request of a run to `path` and wait for its answer; -1 where it cannot be, or nobody reads it."""
        transaction = run.transaction
        if transaction is None or transaction.finished:
            return -1
        try:
            text = lines_of(run, info, self.written.name(transaction))
        except RemoteError:
            return -1
        try:
            await self._services.run_blocking(write, path, text, seconds)
        except NotWritten as problem:
            self._services.log.warning("tm", f"a request was not written: {problem}")
            return -1
        if not transaction.finished:  # who reads may have been quick
            self._relaying.wait_for_application(run)
        return 1


def lines_of(run: Run, info: Info, name: str) -> str:
    """What is written for a request; raises RemoteError for a header that cannot be read."""
    request = run.request
    uri = cached_uri(run.uri)
    target, routes, next_hop = _way_back(run)
    port = run.flow.port
    values = [
        VERSION,
        f"sip_request.{info.action}",
        request.method,
        uri.user or "",
        uri.host,
        run.flow.host,
        "" if port == 5060 else str(port),
        run.uri,
        target,
        request.get("From") or "",
        request.get("To") or "",
        request.call_id,
        request.from_.tag,
        request.to.tag,
        str(request.cseq.number),
        name,
        f"Route: {','.join(routes)}" if routes else "",
        next_hop,
    ]
    values += [f"P-MsgFlags: {run.state.flags:x}"]
    for header, variable in info.lines:
        value = variable(run)
        values.append(f"{header}: {'' if value is None else value}")
    text = "".join(f"{_one_line(value) or NOTHING}\n" for value in values) + f"{NOTHING}\n"
    if request.body and (request.method == "INVITE" or info.has_body):
        text += request.body.decode("utf-8", "surrogateescape") + "\n"
    return f"{text}{NOTHING}\n"


def _way_back(run: Run) -> tuple[str, tuple[str, ...], str]:
    """Where requests of ours to the sender go: their URI, their Routes, and the next hop if there are any."""
    request = run.request
    try:
        target, routes, next_hop = Dialog.from_request(request, "").request_parts()
    except RemoteError:
        return request.from_.uri_text, (), ""
    return target, routes, next_hop if routes else ""


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
