"""Whole scenarios on every database, each with a kill in its middle: the same replies, NOTIFYs and rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from openpy.modules.presence.tables import ActiveWatchers, LastStates, Presentity, Watchers
from openpy.modules.presence_xml.tables import PIDF_MANIPULATION
from tests.modules.presence.kit import ruleset
from tests.scenarios.conftest import launcher
from tests.scenarios.message import parse
from tests.scenarios.shared import with_tables
from tests.scenarios.site import Site
from tests.scenarios.transcript import Transcript, Witness
from tests.scenarios.wire import ALICE, pidf
from tests.servers import DIALECTS, Databases

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(120)]

SEIZED = (
    b'<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="partial" '
    b'entity="sip:alice@example.org"><dialog id="d"><state>trying</state></dialog></dialog-info>'
)

STATE = (Presentity, ActiveWatchers, Watchers, LastStates)


class Stage:
    """A server on some database, its phones, and what they and the database have seen."""

    def __init__(self, site: Site, stack: ExitStack) -> None:
        self.site = site
        self.transcript = Transcript()
        self._stack = stack

    def phone(self, user: str) -> Witness:
        return self._stack.enter_context(Witness(self.site.server.address, user, self.transcript))

    def look(self) -> None:
        """Take down the rows as they are."""
        for table in STATE:
            meta = table._meta
            names = [field.column_name for field in meta.sorted_fields]
            statement = f"SELECT {', '.join(names)} FROM {meta.table_name} ORDER BY id"
            for row in self.site.rows(statement):
                self.transcript.row(meta.table_name, dict(zip(names, row, strict=True)))


def a_publication_from_first_to_last(stage: Stage) -> None:
    stage.site.set_rules(ALICE, ruleset("* allow"))
    alice, bob = stage.phone("alice"), stage.phone("bob")
    dialog, _ = bob.watch()
    first = alice.publish(body=pidf(note="initial")).get("SIP-ETag")
    bob.notify(dialog)
    stage.look()
    second = alice.publish(etag=first, expires=1800).get("SIP-ETag")
    stage.look()
    assert alice.publish(body=pidf(note="stale"), etag=first).status == 412
    stage.site.restart()
    third = alice.publish(body=pidf(note="modified \u00e9\u6f22\U0001f600"), etag=second).get("SIP-ETag")
    bob.notify(dialog)
    stage.look()
    assert alice.publish(etag=third, expires=0).status == 200
    bob.notify(dialog)
    stage.look()
    assert alice.publish(etag=third).status == 412
    brief = alice.publish(body=pidf(note="brief"), expires=1).get("SIP-ETag")
    bob.notify(dialog)
    stage.site.restart()
    bob.notify(dialog)
    stage.look()
    assert alice.publish(etag=brief).status == 412
    assert alice.publish(body=b"<broken").status == 400


def a_subscription_from_first_to_last(stage: Stage) -> None:
    stage.site.set_rules(ALICE, ruleset("* allow"))
    alice, bob = stage.phone("alice"), stage.phone("bob")
    alice.publish(body=pidf(note="here"))
    dialog, _ = bob.watch(event="presence;id=7", headers=[f"Record-Route: <sip:127.0.0.1:{bob.port};lr>"])
    stage.look()
    bob.subscribe(dialog=dialog, event="presence;id=7", expires=1800)
    bob.notify(dialog)
    stage.look()
    stage.site.restart()
    bob.watch(expires=0)
    brief, _ = bob.watch(expires=1)
    bob.notify(brief)
    bob.subscribe(dialog=brief)
    bob.subscribe(dialog=dialog, event="presence;id=7", expires=0)
    bob.notify(dialog)
    bob.subscribe(dialog=dialog, event="presence;id=7")
    stage.look()


def two_publications_of_one_user(stage: Stage) -> None:
    stage.site.set_rules(ALICE, ruleset("* allow"))
    desk, mobile, bob = stage.phone("desk"), stage.phone("mobile"), stage.phone("bob")
    dialog, _ = bob.watch()
    one = desk.publish(body=pidf(tuple_id="desk", note="at the desk")).get("SIP-ETag")
    bob.notify(dialog)
    two = mobile.publish(body=pidf(tuple_id="mobile", note="on the road")).get("SIP-ETag")
    bob.notify(dialog)
    stage.look()
    stage.site.restart()
    desk.publish(etag=one, expires=0)
    bob.notify(dialog)
    mobile.publish(ALICE.replace("alice", "Alice"), etag=two)
    mobile.publish(body=pidf(basic="closed"), etag=two)
    bob.notify(dialog)
    stage.look()


def a_kill_in_the_middle(stage: Stage) -> None:
    stage.site.set_rules(ALICE, ruleset("* allow"))
    alice, bob = stage.phone("alice"), stage.phone("bob")
    etag = alice.publish(body=pidf(note="before")).get("SIP-ETag")
    dialog, _ = bob.watch()
    gone, _ = bob.watch()
    bob.subscribe(dialog=gone, expires=0)
    bob.notify(gone)
    stage.look()
    stage.site.restart()
    etag = alice.publish(body=pidf(note="after"), etag=etag).get("SIP-ETag")
    bob.notify(dialog)
    bob.subscribe(dialog=gone)
    stage.look()
    stage.site.restart()
    alice.publish(etag=etag, expires=0)
    bob.notify(dialog)
    stage.look()
    stage.site.restart()
    bob.subscribe(dialog=dialog)
    bob.notify(dialog)
    alice.publish(etag=etag)
    stage.look()


def rules_that_change(stage: Stage) -> None:
    alice, bob, carol = stage.phone("alice"), stage.phone("bob"), stage.phone("carol")
    own, _ = alice.watch(event="presence.winfo")
    alice.publish(body=pidf(note="here"))
    dialog, _ = bob.watch()
    alice.notify(own)
    other, _ = carol.watch()
    alice.notify(own)
    stage.look()
    stage.site.set_rules(ALICE, ruleset("sip:bob@example.org allow", "sip:carol@example.org polite-block"))
    bob.notify(dialog)
    carol.notify(other)
    alice.notify(own)
    stage.look()
    stage.site.restart()
    stage.site.set_rules(ALICE, ruleset("sip:bob@example.org block"))
    bob.notify(dialog)
    carol.notify(other)
    alice.notify(own)
    stage.look()
    stage.site.write_document(ALICE, pidf(tuple_id="hard", note="kept by XCAP"), PIDF_MANIPULATION)
    stage.site.refresh_watchers(ALICE, refresh_type=1)
    stage.site.set_rules(ALICE, ruleset("* allow"))
    carol.told(other, b"kept by XCAP")
    alice.notify(own)
    stage.look()


def a_mailbox_and_a_line(stage: Stage) -> None:
    alice, desk = stage.phone("alice"), stage.phone("desk")
    mailbox, _ = alice.watch(event="message-summary")
    line, _ = alice.watch(event="dialog;sla")
    summary: dict[str, Any] = {
        "event": "message-summary",
        "content_type": "application/simple-message-summary",
    }
    call: dict[str, Any] = {"event": "dialog;sla", "content_type": "application/dialog-info+xml"}
    waiting = desk.publish(body=b"Messages-Waiting: yes\r\nVoice-Message: 2/8\r\n", **summary).get("SIP-ETag")
    alice.notify(mailbox)
    seized = desk.publish(body=SEIZED, headers=["Sender: <sip:desk@192.0.2.1>"], **call).get("SIP-ETag")
    alice.notify(line)
    stage.look()
    stage.site.restart()
    desk.publish(body=b"Messages-Waiting: no\r\n", etag=waiting, **summary)
    alice.notify(mailbox)
    desk.publish(etag=seized, expires=0, **call)
    alice.notify(line)
    assert desk.publish(body=b"Messages-Waiting: perhaps\r\n", **summary).status == 400
    stage.look()


PLAYS: tuple[Callable[[Stage], None], ...] = (
    a_publication_from_first_to_last,
    a_subscription_from_first_to_last,
    two_publications_of_one_user,
    a_kill_in_the_middle,
    rules_that_change,
    a_mailbox_and_a_line,
)


def perform(play: Callable[[Stage], None], kind: str, databases: Databases, folder: Path) -> list[str]:
    folder.mkdir()
    with ExitStack() as stack:
        site = Site(kind, with_tables(databases, kind, folder), folder, launcher(folder, stack))
        stage = Stage(site, stack)
        play(stage)
        return stage.transcript.lines


@pytest.mark.parametrize("play", PLAYS)
def test_every_database_gives_the_same_answers(
    play: Callable[[Stage], None], databases: Databases, tmp_path: Path
) -> None:
    seen = {kind: perform(play, kind, databases, tmp_path / kind) for kind in DIALECTS}
    assert any(line.startswith("presentity.etag = text '<etag ") for line in seen["sqlite"])
    assert any("< NOTIFY" in line for line in seen["sqlite"])
    for kind, lines in seen.items():
        assert lines == seen["sqlite"], kind


def test_a_difference_is_seen() -> None:
    def told(text: str) -> list[str]:
        transcript = Transcript()
        transcript.message("bob", parse(text.encode()))
        return transcript.lines

    one = told("SIP/2.0 200 OK\r\nFrom: <a>;tag=1\r\nTo: <a>;tag=2\r\nExpires: 599\r\n\r\n")
    assert one == told("SIP/2.0 200 OK\r\nFrom: <a>;tag=8\r\nTo: <a>;tag=9\r\nExpires: 600\r\n\r\n")
    assert one != told("SIP/2.0 200 OK\r\nFrom: <a>;tag=8\r\nTo: <a>;tag=8\r\nExpires: 600\r\n\r\n")
    assert one != told("SIP/2.0 200 OK\r\nFrom: <a>;tag=8\r\nTo: <a>;tag=9\r\nExpires: 300\r\n\r\n")
