from __future__ import annotations

from typing import Any

import pytest

from openpy.modules.msilo import delivery
from openpy.modules.msilo.module import Msilo
from openpy.testing.script import Script
from tests.modules.msilo.kit import BOB, ROUTE, arriving, bodies, come_back, silo, write


def figures(script: Script) -> dict[str, int]:
    names = ("stored_messages", "dumped_messages", "failed_messages", "dumped_reminders", "failed_reminders")
    return {name: script.statistic(f"msilo:{name}") for name in names if script.statistic(f"msilo:{name}")}


def test_a_message_is_deleted_when_it_has_arrived() -> None:
    with silo(add_date=0) as script:
        write(script)
        come_back(script)
        (sent,) = arriving(script)
        assert (sent.body, sent.target) == (b"hello", "udp:192.0.2.9:5060")
        assert len(script.rows("silo")) == 1
        sent.answer(100)
        assert len(script.rows("silo")) == 1
        sent.answer(200)
        assert script.rows("silo") == []
        come_back(script)
        assert len(arriving(script)) == 1
        assert figures(script) == {"stored_messages": 1, "dumped_messages": 1}


def told(script: Script) -> list[str]:
    return [line.text for line in script.log if line.origin == "msilo"]


def test_a_message_that_stays_is_told() -> None:
    with silo('setdebug("3");' + ROUTE) as script:
        write(script)
        come_back(script)
        arriving(script)[0].answer(407)
        assert told(script) == ["a message to sip:bob@example.com stays: it was answered 407"]


def test_a_message_that_cannot_be_sent_is_told() -> None:
    with silo(outbound_proxy="") as script:
        write(script, to="sip:bob@nowhere.invalid")
        come_back(script, "sip:bob@nowhere.invalid")
        script.run_for(1)
        assert told(script) == ["a message to sip:bob@nowhere.invalid stays: Unresolvable destination (-476)"]
        assert figures(script) == {"stored_messages": 1, "failed_messages": 1}


def test_one_after_the_other() -> None:
    with silo(add_date=0) as script:
        for text in ("one", "two", "three"):
            write(script, text)
        come_back(script)
        assert bodies(script) == [b"one"]
        arriving(script)[0].answer(202)
        arriving(script)[1].answer(200)
        assert bodies(script) == [b"one", b"two", b"three"]


@pytest.mark.parametrize("status", [404, 408, 410, 480, 500, 503])
def test_nobody_is_there(status: int) -> None:
    with silo(add_date=0) as script:
        write(script, "one")
        write(script, "two")
        come_back(script)
        arriving(script)[0].answer(status)
        assert bodies(script) == [b"one"]
        assert len(script.rows("silo")) == 2
        come_back(script)
        arriving(script)[1].answer(200)
        arriving(script)[2].answer(200)
        assert bodies(script) == [b"one", b"one", b"two"]
        assert figures(script) == {"stored_messages": 2, "failed_messages": 1, "dumped_messages": 2}


@pytest.mark.parametrize("status", [302, 415, 488, 600])
def test_a_message_that_is_refused_holds_up_no_other(status: int) -> None:
    with silo(add_date=0) as script:
        write(script, "one")
        write(script, "two")
        come_back(script)
        arriving(script)[0].answer(status)
        arriving(script)[1].answer(200)
        assert [row["body"] for row in script.rows("silo")] == [b"one"]


def test_no_answer() -> None:
    with silo() as script:
        write(script)
        come_back(script)
        script.run_for(40)
        assert len(arriving(script)) == 1
        assert len(script.rows("silo")) == 1
        assert figures(script) == {"stored_messages": 1, "failed_messages": 1}
        come_back(script)
        assert len(arriving(script)) == 2


def test_what_cannot_be_sent() -> None:
    with silo(outbound_proxy="sip:nobody.invalid") as script:
        write(script)
        come_back(script)
        script.run_for(1)
        assert arriving(script) == []
        assert figures(script) == {"stored_messages": 1, "failed_messages": 1}


def test_what_others_wrote_and_no_message_can_hold() -> None:
    with silo(add_date=0) as script:
        write(script, "one")
        write(script, "two")
        script.sql("UPDATE silo SET dst_addr = 'sip:x' || char(13, 10) || 'Evil: 1' WHERE id = 1")
        come_back(script)
        assert bodies(script) == [b"two"]
        assert figures(script)["failed_messages"] == 1


def test_who_registers_often_gets_each_message_once() -> None:
    with silo(add_date=0) as script:
        write(script, "one")
        come_back(script)
        come_back(script)
        come_back(script)
        assert bodies(script) == [b"one"]
        write(script, "two")  # while the first is under way
        come_back(script)
        arriving(script)[0].answer(200)
        arriving(script)[1].answer(200)
        assert bodies(script) == [b"one", b"two"]
        assert script.rows("silo") == []


def test_others_are_somebody_else() -> None:
    with silo(add_date=0) as script:
        write(script, "for carol", to="sip:carol@example.com")
        write(script, "for bob elsewhere", to="sip:bob@example.org")
        write(script, "for bob")
        come_back(script)
        assert bodies(script) == [b"for bob"]


def test_a_message_that_comes_back_is_not_kept_twice() -> None:
    with silo() as script:
        write(script)
        come_back(script)
        (sent,) = arriving(script)
        assert script.send(sent.data, source="udp:192.0.2.9:5060").status == 503
        assert len(script.rows("silo")) == 1
        assert "m_store: it is kept already: it was sent from here" in script.printed


def test_a_row_that_cannot_be_deleted_is_not_sent_again() -> None:
    with silo() as script:
        write(script)
        come_back(script)
        script.sql("CREATE TRIGGER keep BEFORE DELETE ON silo BEGIN SELECT RAISE(ABORT, 'kept'); END")
        arriving(script)[0].answer(200)
        assert len(script.rows("silo")) == 1
        come_back(script)
        script.run_for(31)
        come_back(script)
        assert len(arriving(script)) == 1
        script.sql("DROP TRIGGER keep")
        script.run_for(30)
        assert script.rows("silo") == []
        assert any("kept" in line.text for line in script.log if line.origin == "msilo")
        write(script)
        come_back(script)
        assert len(arriving(script)) == 2


def test_no_more_than_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "MOST", 1)
    with silo() as script:
        write(script)
        come_back(script)
        come_back(script, "sip:carol@example.com")
        assert script.printed[-2:] == ["1", "-1"]
        arriving(script)[0].answer(200)
        come_back(script, "sip:carol@example.com")
        assert script.printed[-1] == "1"


def test_no_database() -> None:
    with silo() as script:
        write(script)
        script.sql("ALTER TABLE silo RENAME TO gone")
        come_back(script)
        assert arriving(script) == []
        assert any("silo" in line.text for line in script.log if line.origin == "msilo")
        script.sql("ALTER TABLE gone RENAME TO silo")
        come_back(script)
        assert len(arriving(script)) == 1


def test_nothing_begins_any_more() -> None:
    with silo(add_date=0) as script:
        write(script, "one")
        write(script, "two")
        come_back(script)
        module = script.server.modules["msilo"]
        assert isinstance(module, Msilo)
        module._delivery.halt()
        arriving(script)[0].answer(200)
        assert bodies(script) == [b"one"]
        assert [row["body"] for row in script.rows("silo")] == [b"two"]
        come_back(script)
        assert script.printed[-1] == "-1"


# --- what has expired ------------------------------------------------------------------------------------


def test_what_has_expired_is_neither_sent_nor_kept() -> None:
    with silo(expire_time=100, check_time=10, clean_period=3) as script:
        write(script)
        write(script, Expires="300")
        write(script, Expires="50")
        script.run_for(51)
        come_back(script)
        (sent,) = arriving(script)
        sent.answer(480)
        script.run_for(30)
        assert len(script.rows("silo")) == 2
        script.run_for(40)
        come_back(script)
        assert len(arriving(script)) == 1
        assert script.rows("silo") == []


# --- reminders -------------------------------------------------------------------------------------------

WITH_AVP = "$avp(s:when) = $hdr(X-When); " + ROUTE
REMIND: dict[str, Any] = {
    "snd_time_avp": "$avp(s:when)",
    "reminder": "sip:clock@example.com",
    "send_time": 10,
    "add_date": 0,
}


def test_a_reminder_comes_when_it_is_due() -> None:
    with silo(WITH_AVP, **REMIND) as script:
        write(script, "then", **{"X-When": "20231114223500"})
        write(script, "now")
        come_back(script)
        assert bodies(script) == [b"now"]
        arriving(script)[0].answer(200)
        (row,) = script.rows("silo")
        script.run_for(row["snd_time"] - script.server.clock.wall() - 12)
        assert len(arriving(script)) == 1
        script.run_for(23)
        reminder = arriving(script)[1]
        assert (reminder.body, reminder.uri) == (b"then", BOB)
        assert (reminder.get("From") or "").startswith("<sip:clock@example.com>;tag=")
        assert reminder.get("Contact") == "<sip:clock@example.com>;msilo=yes"
        reminder.answer(480)
        script.run_for(11)
        arriving(script)[2].answer(200)
        assert script.rows("silo") == []
        assert figures(script) == {
            "stored_messages": 2,
            "dumped_messages": 1,
            "dumped_reminders": 1,
            "failed_reminders": 1,
        }


def test_a_reminder_is_dated_too() -> None:
    with silo(WITH_AVP, **{**REMIND, "add_date": 1}) as script:
        write(script, "then", **{"X-When": "20200101000000"})
        script.run_for(11)
        assert arriving(script)[0].body.startswith(b"[Reminder message - ")


def test_reminders_do_not_wait_for_each_other() -> None:
    with silo(WITH_AVP, **REMIND) as script:
        for number in range(10):
            write(script, str(number), **{"X-When": "20200101000000"})
        script.run_for(11)
        assert len(arriving(script)) == 8  # a slice
        for sent in reversed(arriving(script)):
            sent.answer(200)
        assert len(arriving(script)) == 10
        script.run_for(25)  # still under way
        assert len(arriving(script)) == 10
