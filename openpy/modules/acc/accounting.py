"""What is accounted, and when (openser 1.3 module acc).

Rules:
1. A request is accounted when its reply goes up: a 2xx, a failure only with `failed_transaction_flag`, and a 183 with
   `early_media`. A CANCEL only with `report_cancels`. What nobody answered has failed with 408, also where nobody
   is told of it: a BYE is the end of its call.
2. A missed call is an INVITE that failed: at the first failure, before anything is tried anew. Its flags are cleared
   then, so it is missed once.
3. The flags are those of the request when that happens, wherever the script has set them.
4. An ACK is accounted, with `report_ack`, like the INVITE that it belongs to: that is remembered for `REMEMBERED`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from openpy.engine.run import Run
from openpy.modules.acc.records import ACKNOWLEDGED, ANSWERED, MISSED, REQUEST, Comment, Record
from openpy.modules.tm.api import Happening, Outcome

REMEMBERED = 32.0
"""Seconds: as long as a 2xx may be repeated, and its ACK be on the way."""

CONCLUDED = (Happening.REPLIED, Happening.GIVEN_UP)

IsUpstream = Callable[[Run], bool]


class Flags(NamedTuple):
    """The flags that ask for accounting, as masks; 0 is none."""

    log: int
    log_missed: int
    rows: int
    rows_missed: int
    failed: int


class Switches(NamedTuple):
    """What else is accounted."""

    early_media: bool
    ack: bool
    cancels: bool


class Sink(NamedTuple):
    """Where records go: to the log with a prefix, and, if there is a database, to a table of it."""

    log: Callable[[str, Record, Run], None]
    row: Callable[[str, Record, Run], None] | None
    table: str
    missed_table: str


Call = tuple[str, int, str]


class Accounting:
    """Listens to tm and makes records. `is_upstream` tells whether a request goes to who began the dialog."""

    def __init__(
        self, flags: Flags, switches: Switches, sink: Sink, is_upstream: IsUpstream | None = None
    ) -> None:
        self._flags = flags
        self._switches = switches
        self._sink = sink
        self._is_upstream = is_upstream
        self._answered: dict[Call, tuple[int, Outcome]] = {}

    def hear(self, what: Happening, run: Run, outcome: Outcome) -> None:
        """Take what tm tells."""
        request, status = run.request, outcome.status
        if what is Happening.ACKNOWLEDGED:
            self._acknowledged(run, outcome)
            return
        if request.method == "CANCEL" and not self._switches.cancels:
            return
        if request.method == "INVITE" and status >= 300:
            self._missed(run, outcome)
        if what in CONCLUDED and self._counts(run, status):
            record = self._record(run, str(status), outcome.reason, outcome.to_tag)
            self._account(ANSWERED, run, record, run.state.flags)
            if self._switches.ack and request.method == "INVITE" and status < 300:
                self._remember(run, outcome)

    def request(self, run: Run, comment: Comment, table: str | None) -> bool:
        """Account a request for the script, to the log or to a table; False where there is no database."""
        record = self._record(run, comment.code, comment.reason, run.request.to.tag)
        if table is None:
            self._sink.log(REQUEST, record, run)
        elif self._sink.row is None:
            return False
        else:
            self._sink.row(table, record, run)
        return True

    def _counts(self, run: Run, status: int) -> bool:
        if status < 200:
            return status == 183 and self._switches.early_media
        return status < 300 or bool(run.state.flags & self._flags.failed)

    def _account(self, prefix: str, run: Run, record: Record, flags: int) -> None:
        if flags & self._flags.log:
            self._sink.log(prefix, record, run)
        if flags & self._flags.rows and self._sink.row is not None:
            self._sink.row(self._sink.table, record, run)

    def _missed(self, run: Run, outcome: Outcome) -> None:
        flags, state = self._flags, run.state
        wanted = state.flags & (flags.log_missed | flags.rows_missed)
        if not wanted:
            return
        record = self._record(run, str(outcome.status), outcome.reason, outcome.to_tag)
        if wanted & flags.log_missed:
            self._sink.log(MISSED, record, run)
        if wanted & flags.rows_missed and self._sink.row is not None:
            self._sink.row(self._sink.missed_table, record, run)
        state.flags &= ~wanted

    def _record(self, run: Run, code: str, reason: str, to_tag: str) -> Record:
        request = run.request
        from_tag = request.from_.tag
        if self._is_upstream is not None and self._is_upstream(run):
            from_tag, to_tag = to_tag, from_tag
        wall = int(run.server.clock.wall())
        return Record(request.cseq.method, from_tag, to_tag, request.call_id, code, reason, wall)

    # --- ACKs -----------------------------------------------------------------------------------------------------

    def _remember(self, run: Run, outcome: Outcome) -> None:
        call = _call(run)
        self._answered[call] = run.state.flags, outcome
        run.server.wheel.add(REMEMBERED, self._forget, call)

    def _forget(self, call: Call) -> None:
        self._answered.pop(call, None)

    def _acknowledged(self, run: Run, outcome: Outcome) -> None:
        known = self._answered.pop(_call(run), None) if self._switches.ack else None
        if known is not None:
            flags, answer = known
            record = self._record(run, str(answer.status), answer.reason, outcome.to_tag)
            self._account(ACKNOWLEDGED, run, record, flags)


def _call(run: Run) -> Call:
    request = run.request
    return request.call_id, request.cseq.number, request.from_.tag
