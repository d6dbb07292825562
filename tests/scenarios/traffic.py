"""A publisher and watcher with many requests outstanding, which remembers what the server has promised.

Rules:
1. What was acknowledged, and nothing is outstanding for it, is known: kept or ended.
2. What had a request outstanding when the server was killed may be as before or as asked for, and nothing else.
3. A NOTIFY that is no retransmission has a higher CSeq than all before it in its dialog.
4. Whoever watches is told the whole state within `PROMPT` seconds of the next change after a restart.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.scenarios.message import SipMessage, parse, pidf
from tests.scenarios.outstanding import Outstanding
from tests.scenarios.wire import Phone

RETRANSMIT_AFTER = 0.5

PROMPT = 5.0
"""Seconds within which a change reaches every watcher."""

LOADED = 10.0
"""Seconds after which a server that was started anew has read its rows."""

CHANGED = 16
"""Presentities that are changed in each look at rule 4."""


@dataclass(eq=False)
class Publication:
    """One publication of a presentity of its own."""

    uri: str
    etag: str = ""
    note: str = ""
    asked: str = ""  # what the outstanding request asks for: initial, refresh, modify, remove, or nothing
    asked_note: str = ""
    ended: bool = False


@dataclass(eq=False)
class Watch:
    """One subscription in a dialog of its own."""

    uri: str
    call_id: str
    from_tag: str
    to_tag: str = ""
    target: str = ""
    cseq: int = 0
    asked: str = ""  # initial, refresh, end, or nothing
    ended: bool = False
    highest: int = 0
    branches: set[str] = field(default_factory=set)
    notes: set[str] | None = None  # of a fetch: what it may see; with none of them, a closed state


Answered = Callable[[SipMessage], None]

Request = tuple[bytes, float, Answered]
"""What was sent, when, and who takes the answer."""


class Traffic(Outstanding[Request]):
    """Publications and subscriptions of one phone."""

    def __init__(self, phone: Phone, seed: int) -> None:
        super().__init__(phone, seed)
        self.publications: list[Publication] = []
        self.watches: dict[str, Watch] = {}
        self._touched: dict[Publication | Watch, None] = {}
        self._untold: set[Watch] = set()
        self._awaited: dict[Watch, str] = {}
        self._number = 0

    # --- making promises ------------------------------------------------------------------------------------

    def _ask(self) -> None:
        choice = self.random.random()
        idle = self.random.choice(self.publications) if self.publications else None
        usable = idle is not None and not (idle.asked or idle.ended)
        if choice < 0.4 or idle is None or not usable:
            self._publish(self._new_publication(), "initial")
        elif choice < 0.7:
            self._publish(idle, self.random.choice(("modify", "modify", "refresh", "remove")))
        else:
            watch = self.random.choice(list(self.watches.values())) if self.watches else None
            if choice < 0.85 or watch is None or watch.asked or watch.ended:
                self._subscribe(self._new_watch(idle.uri), "initial")
            else:
                self._subscribe(watch, self.random.choice(("refresh", "refresh", "end")))

    def _new_publication(self) -> Publication:
        self._number += 1
        publication = Publication(f"sip:user{self._number}@example.org")
        self.publications.append(publication)
        return publication

    def _new_watch(self, uri: str) -> Watch:
        watch = Watch(uri, self.phone.token("s"), self.phone.token("w"))
        self.watches[watch.call_id] = watch
        return watch

    def _publish(self, publication: Publication, asked: str, answered: Answered | None = None) -> None:
        self._touched[publication] = None
        publication.asked = asked
        body = b""
        if asked in ("initial", "modify"):
            publication.asked_note = self.phone.token("note-")
            body = pidf(publication.uri, note=publication.asked_note)
        expires = 0 if asked == "remove" else 3600
        data = self.phone.publication(publication.uri, body, etag=publication.etag, expires=expires)
        self._send(data, answered or (lambda reply: self._published(publication, reply)))

    def _published(self, publication: Publication, reply: SipMessage) -> None:
        if reply.status != 200:
            self.broken.append(f"{publication.asked} of {publication.uri}: {reply.start}")
            publication.ended = True
        elif publication.asked == "remove":
            publication.ended = True
        else:
            publication.etag = reply.get("SIP-ETag")
            if publication.asked != "refresh":
                publication.note = publication.asked_note
        publication.asked = ""

    def _subscribe(self, watch: Watch, asked: str, answered: Answered | None = None) -> None:
        self._touched[watch] = None
        watch.asked = asked
        watch.cseq += 1
        data = self.phone.build(
            "SUBSCRIBE",
            watch.target or watch.uri,
            to=f"<{watch.uri}>" + (f";tag={watch.to_tag}" if watch.to_tag else ""),
            from_uri=f"sip:{watch.from_tag}@example.org",
            from_tag=watch.from_tag,
            call_id=watch.call_id,
            cseq=watch.cseq,
            headers=[
                f"Contact: <{self.phone.contact}>",
                "Event: presence",
                f"Expires: {0 if asked == 'end' else 3600}",
            ],
        )
        self._send(data, answered or (lambda reply: self._subscribed(watch, reply)))

    def _subscribed(self, watch: Watch, reply: SipMessage) -> None:
        if reply.status != 200:
            self.broken.append(f"{watch.asked} of {watch.call_id}: {reply.start}")
        watch.to_tag = reply.to_tag
        watch.target = reply.get("Contact").strip("<>")
        watch.ended = watch.asked == "end" or reply.status != 200
        watch.asked = ""

    # --- looking whether they are kept ----------------------------------------------------------------------

    def await_service(self) -> None:
        """Wait until a server that was started anew has read its rows: until then it refuses with 503."""
        deadline = time.monotonic() + LOADED
        while self.phone.publish("sip:nobody@example.org", etag="unknown").status == 503:
            assert time.monotonic() < deadline, f"the rows are not read after {LOADED} s"
            time.sleep(0.05)

    def check(self, *, everything: bool = False, window: int = 48) -> None:
        """Hold the server to what it has promised since the last check, or ever."""
        subjects = list(self._touched)
        if everything:
            subjects = [*self.publications, *self.watches.values()]
        self._touched.clear()
        checks: Iterator[Publication | Watch] = iter(subjects)
        deadline = time.monotonic() + 30
        while True:
            while self.outstanding < window and (subject := next(checks, None)) is not None:
                self._check(subject)
            if not self.outstanding and not self._untold:
                break
            assert time.monotonic() < deadline, f"no answer to {self._unanswered()}"
            self._read(0.05)
            self._retransmit()
        self._touched.clear()

    def _unanswered(self) -> list[str]:
        requests = [parse(data).start for data, _, _ in self._outstanding.values()]
        return requests + [f"{watch.call_id}: the state of {watch.uri}" for watch in self._untold]

    def check_change(self) -> None:
        """Change what some watch: each of them hears of it in time."""
        watches = [each for each in self.watches.values() if _is_live(each) and each.notes is None]
        watched = {each.uri for each in watches}
        living = [each for each in self.publications if _is_live(each) and each.uri in watched]
        changed = {each.uri: each for each in self.random.sample(living, min(CHANGED, len(living)))}
        for publication in changed.values():
            self._publish(publication, "modify")
        for watch in watches:
            if watch.uri in changed:
                self._awaited[watch] = changed[watch.uri].asked_note
        deadline = time.monotonic() + PROMPT
        while (self.outstanding or self._awaited) and time.monotonic() < deadline:
            self._read(0.05)
            self._retransmit()
        for watch, note in self._awaited.items():
            self._expect(False, f"{watch.call_id} was not told of {note} of {watch.uri} within {PROMPT} s")
        self._awaited.clear()
        self._touched.clear()

    def _check(self, subject: Publication | Watch) -> None:
        if isinstance(subject, Publication):
            if subject.etag:
                self._check_publication(subject, subject.asked)
            else:
                subject.ended, subject.asked = True, ""  # it was never acknowledged
        elif subject.to_tag:
            asked, ended = subject.asked, subject.ended
            self._subscribe(subject, "refresh", lambda reply: self._check_watch(subject, asked, ended, reply))
        else:
            subject.ended, subject.asked = True, ""

    def _check_publication(self, publication: Publication, asked: str) -> None:
        notes = {publication.note}
        if asked == "modify":
            notes.add(publication.asked_note)
        ended = publication.ended

        def answered(reply: SipMessage) -> None:
            publication.asked = ""
            if ended:
                self._expect(reply.status == 412, f"{publication.uri} was removed and is back: {reply.start}")
                self._fetch(publication.uri, set())
            elif reply.status == 200:
                publication.etag = reply.get("SIP-ETag")
            elif reply.status == 412 and asked:
                self._fetch(publication.uri, set() if asked == "remove" else notes)
                publication.ended, publication.etag = True, ""  # nobody knows its new tag
            else:
                self._expect(False, f"{publication.uri} was acknowledged and is gone: {reply.start}")
                publication.ended = True

        self._publish(publication, "refresh", answered)

    def _fetch(self, uri: str, notes: set[str]) -> None:
        """Look at a state: it has one of these notes, or with none of them it is closed."""
        watch = self._new_watch(uri)
        watch.notes = notes
        self._untold.add(watch)
        self._subscribe(watch, "end")

    def _check_watch(self, watch: Watch, asked: str, ended: bool, reply: SipMessage) -> None:
        watch.asked = ""
        if ended:
            self._expect(reply.status == 481, f"{watch.call_id} was ended and is back: {reply.start}")
        elif reply.status != 200:
            self._expect(asked == "end", f"{watch.call_id} was acknowledged and is gone: {reply.start}")
            watch.ended = True

    def _expect(self, kept: bool, otherwise: str) -> None:
        if not kept:
            self.broken.append(otherwise)

    # --- the wire -------------------------------------------------------------------------------------------

    def _send(self, data: bytes, answered: Answered) -> None:
        self._outstanding[parse(data).branch] = data, time.monotonic(), answered
        self.phone.send(data)

    def _retransmit(self) -> None:
        now = time.monotonic()
        for branch, (data, sent, answered) in list(self._outstanding.items()):
            if now - sent > RETRANSMIT_AFTER:
                self._outstanding[branch] = data, now, answered
                self.phone.send(data)

    def _read(self, patience: float) -> bool:
        message = self.phone.receive(patience)
        if message is None:
            return False
        while message is not None:
            if message.method == "NOTIFY":
                self._told(message)
            elif message.status >= 200 and message.branch in self._outstanding:
                self._outstanding.pop(message.branch)[2](message)
            message = self.phone.receive(0)
        return True

    def _told(self, notify: SipMessage) -> None:
        self.phone.answer(notify)
        watch = self.watches.get(notify.get("Call-ID"))
        if watch is None or notify.branch in watch.branches:
            return
        watch.branches.add(notify.branch)
        self._expect(
            notify.cseq > watch.highest,
            f"{watch.call_id}: NOTIFY {notify.cseq} after {watch.highest}",
        )
        watch.highest = max(watch.highest, notify.cseq)
        note = self._awaited.get(watch)
        if note is not None and f">{note}<".encode() in notify.body:
            del self._awaited[watch]
        if watch in self._untold:
            self._untold.remove(watch)
            seen = notify.body.decode()
            kept = any(note in seen for note in watch.notes) if watch.notes else ">closed<" in seen
            self._expect(kept, f"{watch.uri} should show {watch.notes or 'closed'} and shows {seen!r}")


def _is_live(subject: Publication | Watch) -> bool:
    """Whether it was acknowledged, has not ended, and nothing is asked of it."""
    acknowledged = subject.etag if isinstance(subject, Publication) else subject.to_tag
    return bool(acknowledged) and not subject.ended and not subject.asked
