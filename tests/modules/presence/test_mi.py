"""refreshWatchers: section 1.5.1 of the module's documentation."""

from typing import Any

import pytest

from openpy.db.errors import DatabaseError
from openpy.modules.presence import mi
from tests.modules.presence.kit import ALICE, House, Memory, presence, ruleset

ROW = ("alice", "example.org", "presence")


def answer(house: House, *arguments: Any) -> tuple[int, str] | None:
    reply = house.refresh(*arguments)
    return None if reply is None else (reply.code, reply.reason)


def test_the_answers() -> None:
    house = House(xml={})
    assert answer(house, 0) == (200, "OK")
    assert answer(house, 1) == (200, "OK")
    assert answer(house, 0, "") == (404, "Empty presentity URI")
    assert answer(house, 0, ALICE, "") == (400, "Empty event parameter")
    assert answer(house, "") == (400, "Empty event parameter")
    assert answer(house, "x") is None
    assert answer(house, 0, ALICE, "weather") is None
    assert answer(house, 0, "nonsense") is None
    assert answer(house, 0, ALICE, "dialog;sla") is None
    assert answer(House(), 0) is None, "force_active: there are no rules"
    house.presence._agent = None
    assert answer(house, 0) is None


def test_the_number_of_parameters() -> None:
    command = next(House().presence.commands())
    declared = [parameter.name for parameter in command.parameters]
    assert declared == ["presentity_uri", "event", "refresh_type"]
    assert command.declaration.too_many == (400, "Too many parameters")
    assert command.declaration.too_few is None


def test_rows_that_another_hand_changed_are_told_to_every_active_watcher() -> None:
    house = House()
    house.publish()
    tag = house.publish(presence(id_="gone"))["SIP-ETag"]
    house.subscribe()
    house.take()
    rows = house.memory.kept[house.memory.tables["presentity"]]
    rows[1] = (*rows[1][:6], presence("closed"))
    del rows[2]
    rows[77] = (*ROW, "by-hand", int(house.agent.now()) + 50, 1, presence(id_="hand"))
    rows[78] = (*ROW, "broken", int(house.agent.now()) + 50, 1, b"<nonsense")
    assert answer(house, 1, "sip:alice@EXAMPLE.org") == (200, "OK")
    body = house.take_one().body
    assert (b"closed" in body, b"gone" in body, b"hand" in body) == (True, False, True)
    assert house.presence.publications.value == 2
    assert house.publish(None, etag=tag).status == 412
    assert house.publish(presence(id_="mine"), etag="by-hand").status == 200
    assert house.take_one().body.count(b"<tuple") == 2
    house.wait(60)
    house.refresh(1)
    assert house.take()[-1].body.count(b"<tuple") == 2


def test_a_row_that_became_unreadable_is_no_publication_any_more() -> None:
    house = House()
    house.publish()
    house.subscribe()
    house.take()
    rows = house.memory.kept[house.memory.tables["presentity"]]
    rows[1] = (*rows[1][:6], b"<nonsense")
    house.refresh(1)
    assert house.take_one().body == b""
    assert house.presence.publications.value == 0


def test_the_id_of_a_row_that_another_hand_made_is_not_given_out_again() -> None:
    house = House()
    house.publish()
    rows = house.memory.kept[house.memory.tables["presentity"]]
    rows[2] = (*ROW, "by-hand", int(house.agent.now()) + 50, 1, presence(id_="hand").decode())
    house.refresh(1)
    house.publish(presence(id_="mine"))
    assert (len(rows), rows[2][3]) == (3, "by-hand")
    house.subscribe()
    assert house.take_one().body.count(b"<tuple") == 3


def test_a_presentity_that_is_forgotten_while_its_rows_are_read() -> None:
    house = House()
    rows = house.memory.kept[house.memory.tables["presentity"]]
    rows[1] = (*ROW, "by-hand", int(house.agent.now()) + 50, 1, presence(id_="hand"))
    slow = house.memory.slow = []

    def refuse_and_answer() -> None:
        assert house.subscribe(event="presence.winfo").status == 403
        while slow:
            slow.pop(0)()

    house.wheel.add(0.2, refuse_and_answer)
    house.wheel.add(0.4, refuse_and_answer)
    assert answer(house, 1) == (200, "OK")
    house.memory.slow = None
    assert house.publish(None, etag="by-hand").status == 200


def test_everybody_active_is_told_even_if_nothing_changed_and_the_pending_are_not() -> None:
    memory = Memory()
    memory.document(ruleset("sip:bob@example.org allow"))
    house = House(memory, xml={})
    house.publish()
    house.subscribe()
    house.subscribe(from_="<sip:carol@example.org>;tag=c")
    house.take()
    house.refresh(1)
    assert house.take_one().to.uri_text == "sip:bob@example.org"


def test_the_hard_state_is_read_again() -> None:
    house = House(xml={"pidf_manipulation": 1})
    house.memory.document(ruleset("* allow"))
    house.refresh(0)
    house.subscribe()
    assert house.take_one().body == b""
    house.memory.document(presence(id_="hard"), 16)
    house.refresh(1)
    assert b"hard" in house.take_one().body


def test_a_presentity_that_is_being_changed_is_read_when_it_is_not() -> None:
    house = House()
    house.subscribe()
    house.take()
    house.writer.hold = True
    house.publish()

    def let_go() -> None:
        house.writer.hold = False

    house.wheel.add(0.5, let_go)
    assert answer(house, 1) == (200, "OK")
    assert b"open" in house.take()[-1].body


def test_one_that_never_rests_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mi, "ATTEMPTS", 2)
    house = House()
    house.writer.hold = True
    house.publish()
    assert answer(house, 1) is None


def test_a_database_that_cannot_be_read() -> None:
    house = House(xml={})
    house.memory.unreadable = DatabaseError("gone")
    assert answer(house, 0) is None
    assert answer(house, 1) is None
    assert answer(house, 1, ALICE, "dialog;sla") is None
    assert house.agent.presentities == {}
