"""Which dialogs there are, and how they go on: what tm and rr tell, and what time does (openser 1.3 module dialog).

Rules:
1. An INVITE that begins a call and carries the flag makes a dialog when its transaction begins. Its name is put into
   our Record-Route, and is found again in the Routes of what follows.
2. The first 2xx answers it. Where a second callee has accepted too, the caller's ACK to that one makes a dialog of its
   own, with the same name.
3. An INVITE that comes through here twice makes two dialogs: each follows its own Record-Route.
4. What a request of the dialog says counts when loose_route takes our Route off, whatever becomes of the request.
5. A dialog that has ended can still be asked about for `LINGER`, in which requests that crossed its BYE arrive.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple
from zlib import crc32

from openpy.engine.module import Count
from openpy.engine.named import NamedAvp
from openpy.engine.run import Run
from openpy.engine.services import Services
from openpy.engine.waiting import Wait
from openpy.modules.dialog import cookies, legs
from openpy.modules.dialog.directory import Directory
from openpy.modules.dialog.keeping import Keeper
from openpy.modules.dialog.record import Dialog, Leg, Name
from openpy.modules.dialog.states import LIVE, Event, State, after
from openpy.modules.rr.module import Rr
from openpy.modules.tm.api import Happening, Outcome, context_of
from openpy.modules.tm.arguments import seconds_in
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, Response
from openpy.transaction.flow import Flow

BEGUN, FOUND = "dialog begun", "dialog found"
"""What is noted with a message: the dialog that it began, and the one that loose_route found for it."""

LINGER = 5.0
"""Seconds; 1.3 lists an ended dialog until the transaction of its BYE is gone, by default as long."""

MOST_ANSWERS = 12
"""Dialogs of one name: as many as tm makes branches."""

BY_COOKIE, BY_COOKIE_OR_TAGS, BY_TAGS = range(3)


class Settings(NamedTuple):
    """`flag` is a mask, `table_size` a power of two, `lifetime` in seconds."""

    flag: int
    table_size: int
    rr_param: str
    match_mode: int
    lifetime: int
    timeout_avp: NamedAvp | None


class Counts(NamedTuple):
    """Statistics that only grow."""

    processed: Count
    expired: Count
    failed: Count


class Tracking:
    """Follows dialogs."""

    def __init__(self, services: Services, settings: Settings, rr: Rr, counts: Counts) -> None:
        self.settings = settings
        self.dialogs = Directory()
        self.keeper: Keeper
        self.early = 0
        """Dialogs that ring."""
        self.active = 0
        """Dialogs that were answered, and have not ended."""
        self._services = services
        self._rr = rr
        self._counts = counts

    # --- what tm tells --------------------------------------------------------------------------------------------

    def hear(self, what: Happening, run: Run, outcome: Outcome) -> None:
        """Take what tm tells."""
        if what is Happening.BEGUN:
            self._begin(run)
        elif what is Happening.REPLIED:
            notes = run.state.notes
            dialog = notes.get(BEGUN)
            if dialog is not None:
                self._replied(dialog, run, outcome)
            elif outcome.response is not None and 200 <= outcome.status < 300 and FOUND in notes:
                self._refresh(notes[FOUND], run.request, outcome.response)

    def delay(self, run: Run, response: Response, flow: Flow) -> Wait[None] | None:
        """A 2xx is about to go up: what it has to wait for."""
        dialog = run.state.notes.get(BEGUN)
        if dialog is None or dialog.state not in (State.UNCONFIRMED, State.EARLY):
            return None
        self._answer(dialog, self._callee(dialog, run, response, flow), run)
        return self.keeper.kept(dialog)

    def _begin(self, run: Run) -> None:
        request, notes = run.request, run.state.notes
        if request.method != "INVITE" or not run.flags & self.settings.flag or BEGUN in notes:
            return
        try:
            if request.to.tag:
                return
            caller, to_uri = legs.caller_of(request, run.flow), request.to.uri_text
        except RemoteError:
            return
        call_id = request.call_id
        dialog = notes[BEGUN] = Dialog(self._new_name(call_id), call_id, caller, Leg("", to_uri))
        self.dialogs.add(dialog)
        self._counts.processed.value += 1
        settings = self.settings
        if settings.match_mode != BY_TAGS:
            cookie = f";{settings.rr_param}={cookies.written(dialog.name)}"
            if self._rr.add_params(run, cookie) < 0:
                run.warn(f"{settings.rr_param} does not fit into Record-Route: the dialog cannot be followed")
        assert run.transaction is not None
        run.transaction.at_end(lambda _: self._move(dialog, Event.REFUSED))  # where nobody has answered

    def _new_name(self, call_id: str) -> Name:
        entry = crc32(call_id.encode("utf-8", "surrogateescape")) & (self.settings.table_size - 1)
        while True:
            name = Name(entry, self._services.random.getrandbits(31))
            if not self.dialogs.named(name):
                return name

    def _replied(self, dialog: Dialog, run: Run, outcome: Outcome) -> None:
        status = outcome.status
        if status == 100:
            return
        if status < 200:
            self._move(dialog, Event.PROVISIONAL)
        elif status >= 300:
            self._move(dialog, Event.REFUSED)
        elif dialog.state in (State.UNCONFIRMED, State.EARLY):
            context = context_of(run)
            branch = context.relayed if context is not None else None
            if outcome.response is None or branch is None or branch.client is None:
                own = legs.socket_of(run.flow)
                callee = Leg(outcome.to_tag, dialog.callee.uri, dialog.caller.cseq, socket=own)
            else:
                callee = self._callee(dialog, run, outcome.response, branch.client.flow)
            self._answer(dialog, callee, run)

    def _callee(self, dialog: Dialog, run: Run, response: Response, flow: Flow) -> Leg:
        return legs.callee_of(run.request, response, flow, self._is_ours(dialog))

    def _is_ours(self, dialog: Dialog) -> legs.IsOurs:
        return legs.ours(self.settings.rr_param.lower(), cookies.written(dialog.name))

    def _answer(self, dialog: Dialog, callee: Leg, run: Run) -> None:
        callee.cseq = max(callee.cseq, dialog.callee.cseq)  # it may have asked for something already
        dialog.callee = callee
        self.dialogs.tagged(dialog)
        self._begin_time(dialog, run)
        self._move(dialog, Event.ACCEPTED)

    def _refresh(self, dialog: Dialog, request: Request, response: Response) -> None:
        """Each side is reached where the last INVITE or UPDATE that was accepted says (RFC 3261 12.2).

        Where the callee is, the 2xx to the INVITE says anew.
        """
        if request.method not in ("INVITE", "UPDATE") or dialog.state is State.ENDED:
            return
        here, there = dialog.caller, dialog.callee
        if not dialog.goes_down(request.from_.tag):
            here, there = there, here
        before = here.contact, there.contact
        here.contact = legs.contact_of(request) or here.contact
        there.contact = legs.contact_of(response) or there.contact
        if dialog.state in LIVE and (here.contact, there.contact) != before:
            self.keeper.changed(dialog)

    # --- what rr tells --------------------------------------------------------------------------------------------

    def routed(self, run: Run) -> None:
        """Our Route was taken off a request."""
        request = run.request
        try:
            call_id, from_tag, to_tag = request.call_id, request.from_.tag, request.to.tag
        except RemoteError:
            return
        if not to_tag or request.method == "CANCEL":
            return
        dialog = self._found(run, call_id, from_tag, to_tag)
        if dialog is None:
            return
        run.state.notes[FOUND] = dialog
        is_down = dialog.goes_down(from_tag)
        if request.method == "ACK":
            if is_down:
                self._move(dialog, Event.ACKNOWLEDGED)
        elif request.method == "BYE":
            self._move(dialog, Event.BYE)
        elif dialog.state is not State.ENDED:
            leg = dialog.caller if is_down else dialog.callee
            leg.cseq = max(leg.cseq, request.cseq.number)
            if dialog.state not in LIVE:
                return
            if self._lifetime(run) is not None:
                self._begin_time(dialog, run)
            self.keeper.changed(dialog)

    def _found(self, run: Run, call_id: str, from_tag: str, to_tag: str) -> Dialog | None:
        mode = self.settings.match_mode
        if mode != BY_TAGS:
            text = self._rr.route_param(run, self.settings.rr_param.lower())
            name = cookies.read(text) if text else None
            if name is not None:
                found = self.dialogs.find(name, call_id, from_tag, to_tag)
                found = found or self._other_answer(name, run, call_id, from_tag)
                if found is not None:
                    return found
        return self.dialogs.find_tagged(call_id, from_tag, to_tag) if mode != BY_COOKIE else None

    def _other_answer(self, name: Name, run: Run, call_id: str, from_tag: str) -> Dialog | None:
        """The dialog with another callee, which the caller's ACK makes (rule 2)."""
        siblings = self.dialogs.named(name)
        request = run.request
        if request.method != "ACK" or not 0 < len(siblings) < MOST_ANSWERS:
            return None
        first = siblings[0]
        if first.call_id != call_id or first.caller.tag != from_tag or not first.started:
            return None
        dialog = Dialog(
            name,
            call_id,
            replace(first.caller),
            legs.other_callee(request, run.uri, self._is_ours(first)),
            State.ANSWERED,
        )
        self.active += 1
        self._counts.processed.value += 1
        self.dialogs.add(dialog)
        self._begin_time(dialog, run)
        return dialog

    # --- time -----------------------------------------------------------------------------------------------------

    def resume(self, dialog: Dialog) -> None:
        """Follow a dialog that was kept."""
        self.active += 1
        self.dialogs.add(dialog)
        self._wait(dialog)

    def _begin_time(self, dialog: Dialog, run: Run) -> None:
        now = int(self._services.clock.wall())
        dialog.started = dialog.started or now
        dialog.ends = now + (self._lifetime(run) or self.settings.lifetime)
        self._wait(dialog)

    def _wait(self, dialog: Dialog) -> None:
        if dialog.timer is not None:
            dialog.timer.cancel()
        left = max(0.0, dialog.ends - self._services.clock.wall())
        dialog.timer = self._services.wheel.add(left, self._time_over, dialog)

    def _lifetime(self, run: Run) -> int | None:
        avp = self.settings.timeout_avp
        seconds = None if avp is None else seconds_in(run, avp)
        return None if seconds is None else int(seconds)

    def _time_over(self, dialog: Dialog) -> None:
        dialog.timer = None
        self._move(dialog, Event.TIMEOUT)

    # --- how dialogs go on ----------------------------------------------------------------------------------------

    def end(self, dialog: Dialog) -> None:
        """It was ended from here."""
        self._move(dialog, Event.BYE)

    def _move(self, dialog: Dialog, event: Event) -> None:
        before, state = dialog.state, after(dialog.state, event)
        if state is None:
            return
        dialog.state = state
        self.early += (state is State.EARLY) - (before is State.EARLY)
        self.active += (state in LIVE) - (before in LIVE)
        if before in LIVE or state in LIVE:
            self.keeper.changed(dialog)
        if state is State.ENDED:
            self._ended(dialog, event)

    def _ended(self, dialog: Dialog, event: Event) -> None:
        if dialog.timer is not None:
            dialog.timer.cancel()
            dialog.timer = None
        if event is Event.REFUSED:
            self._counts.failed.value += 1
            self.dialogs.remove(dialog)
            return
        if event is Event.TIMEOUT:
            self._counts.expired.value += 1
        self._services.wheel.add(LINGER, self.dialogs.remove, dialog)
