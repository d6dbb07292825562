"""Copies for somebody who watches."""

from __future__ import annotations

from tests.modules.siptrace.traced import BOB, Traced

WATCHER = "192.0.2.99"
TO_WATCHER = f'duplicate_uri="sip:{WATCHER}:9060"'


def copies(script: Traced) -> list[bytes]:
    script.run_for(0.35)
    return [sent.data for sent in script.sent if sent.peer[1] == WATCHER]


def test_each_message_as_it_is_once() -> None:
    with Traced(TO_WATCHER) as script:
        invite = script.invite()
        invite.relayed[0].answer(486)
        script.send("ACK", BOB, {"Call-ID": invite.message.get("Call-ID"), "To": invite.get("To")}, "")
        script.run_for(20)
        kept = [row["msg"].encode() for row in script.kept()]
        assert copies(script) == kept
        assert kept[0] == invite.message.raw
        assert script.figures[2] == 0


def test_a_copy_is_not_traced() -> None:
    with Traced(TO_WATCHER) as script:
        script.invite().relayed[0].answer(200)
        before = script.figures
        assert len(copies(script)) == sum(before)
        assert script.figures == before
        assert not [row for row in script.kept() if WATCHER in row["toip"]]


def test_by_tcp() -> None:
    with Traced(f'duplicate_uri="sip:{WATCHER};transport=tcp"') as script:
        script.invite()
        script.run_for(1)
        assert {sent.peer[0] for sent in script.sent if sent.peer[1] == WATCHER} == {"tcp"}


def test_without_a_database() -> None:
    with Traced(TO_WATCHER, 'db_url=""') as script:
        script.invite()
        assert len(copies(script)) == 3
        assert script.server.databases == {}


def test_a_name_that_leads_nowhere() -> None:
    with Traced('duplicate_uri="sip:nowhere.example"') as script:
        script.invite()
        script.invite()
        script.run_for(1)
        script.invite()
        script.run_for(1)
        assert script.figures[2] == sum(script.figures[:2]) > 0
        assert len([line for line in script.log if "no copies are sent" in str(line)]) == 1
        assert {sent.peer[1] for sent in script.sent} == {"192.0.2.1", "192.0.2.9"}
