"""What a change of rules does to live subscriptions."""

from typing import Any

import pytest

from openpy.db.errors import DatabaseError, RowRefused, Unavailable
from openpy.engine.waiting import Stepper
from openpy.modules.presence import deciding, mi
from openpy.modules.presence.authorization import DECISION_LIFETIME, Decision
from openpy.modules.presence.eventstate import EventState
from openpy.modules.presence.presentity import Change
from openpy.sip.errors import RemoteError
from tests.modules.presence.kit import ALICE, House, Memory, presence, ruleset

BOB = "sip:bob@example.org"
CAROL = "<sip:carol@example.org>;tag=c"


def house_with(*rules: str) -> House:
    memory = Memory()
    memory.document(ruleset(*rules) if rules else None)
    house = House(memory, xml={})
    house.publish()
    return house


def change(house: House, *rules: str) -> Any:
    house.memory.document(ruleset(*rules) if rules else None)
    return house.refresh()


async def reread(state: EventState) -> None:
    """What was written to the rules of alice is known."""
    assert state.package.reread is not None
    await state.package.reread("alice", "example.org")


def told(house: House) -> list[tuple[str, bool]]:
    return [(item.get("Subscription-State") or "", bool(item.body)) for item in house.take()]


def test_evt_30_xc_25_pending_becomes_active() -> None:
    house = house_with()
    house.subscribe()
    house.take()
    assert change(house, f"{BOB} allow").code == 200
    assert told(house) == [("active;expires=600", True)]
    assert [row["status"] for row in house.memory.named("active_watchers")] == [1]
    assert [row["status"] for row in house.memory.named("watchers")] == [1]
    house = house.restart(xml={})
    house.publish(presence("closed"))
    assert told(house) == [("active;expires=600", True)]


def test_d16_pres_14_active_becomes_rejected_in_one_transaction() -> None:
    house = house_with("* allow")
    house.subscribe()
    house.subscribe(from_=CAROL)
    house.take()
    commits = house.writer.commits
    change(house, "* block")
    assert house.writer.commits == commits + 1
    assert told(house) == [("terminated;reason=rejected", False)] * 2
    assert house.memory.named("active_watchers") == []
    assert not house.agent.dialogs


def test_xc_26_rules_that_are_removed_leave_everybody_pending() -> None:
    house = house_with("* allow")
    house.subscribe()
    house.take()
    change(house)
    assert told(house) == [("pending;expires=600", False)]
    house.publish(presence("closed"))
    assert told(house) == []


def test_who_is_shown_something_else_is_told_although_his_status_stays() -> None:
    house = house_with("* allow")
    house.subscribe()
    house.subscribe(from_=CAROL)
    house.take()
    change(house, "* allow", f"{BOB} allow <p:provide-services>FALSE</p:provide-services>")
    found = house.take()
    assert [item.to.uri_text for item in found] == [BOB]
    assert b"tuple" not in found[0].body
    change(house, "* allow", f"{BOB} allow <p:provide-services>FALSE</p:provide-services>")
    assert house.take() == []


def test_rejected_and_back_again() -> None:
    house = house_with("* block")
    house.subscribe()
    assert told(house) == [("terminated;reason=rejected", False)]
    change(house, "* allow")
    assert told(house) == []
    house.subscribe()
    assert told(house) == [("active;expires=600", True)]


def test_who_is_rejected_is_told_so_although_he_asked_to_be_left_alone() -> None:
    house = house_with("* allow")
    house.answer, house.answer_headers = 503, "Retry-After: 200\r\n"
    house.subscribe()
    house.answer, house.answer_headers = 200, ""
    house.take()
    change(house, "* block")
    assert told(house) == [("terminated;reason=rejected", False)]


def test_a_watcher_who_subscribes_while_the_rules_change_is_judged_by_the_new_ones() -> None:
    house = house_with()
    house.writer.hold = True
    house.subscribe()
    house.memory.document(ruleset("* allow"))
    package = house.agent.registry.named("presence")
    assert package is not None
    assert package.reread is not None
    with pytest.raises(StopIteration):
        package.reread("alice", "example.org").__await__().send(None)
    house.writer.hold = False
    house.turn()
    assert told(house)[-1] == ("active;expires=600", True)


def test_what_cannot_be_committed_is_not_decided() -> None:
    house = house_with("* allow")
    house.subscribe()
    house.take()
    house.writer.failing = DatabaseError("disk full")
    assert change(house, "* block") is None
    assert [row["status"] for row in house.memory.named("active_watchers")] == [1]
    house.writer.failing = None
    house.wait(2)
    house.publish(presence("closed"))
    assert told(house) == [("active;expires=598", False), ("terminated;reason=rejected", False)]


@pytest.mark.parametrize("by_command", [True, False])
def test_what_was_decided_behind_a_refused_row_is_decided_again(by_command: bool) -> None:
    house = house_with("* allow")
    house.subscribe()
    house.take()
    house.memory.document(ruleset("* block"))
    house.writer.hold = True
    refused = house.publish()
    answered: list[Any] = []
    state = next(iter(house.agent.presentities.values())).events["presence"]
    Stepper(reread(state), lambda *_: None).step()
    if by_command:
        judged = mi.rules_changed(house.agent, ALICE, state.package)
        Stepper(judged, lambda *answer: answered.append(answer)).step()
    else:
        house.agent.decide_anew(state)
        house.laters.pop(0)()
    house.writer.failing = RowRefused("not this row")
    house.writer.commit(1)
    house.writer.failing = None
    house.writer.hold = False
    house.turn()
    assert refused.status == 503
    assert house.memory.named("active_watchers") == []
    assert answered == ([(1, None)] if by_command else [])


def test_a_decision_that_replaces_another_is_undone_to_it() -> None:
    house = house_with()
    house.subscribe(expires=0)
    state = house.agent.presentity("sip:alice@example.org").events["presence"]
    access = state.access
    assert access is not None
    before = access.decisions[BOB]
    newer = Decision(state, BOB, before.id, 1, "", 0)
    made: Change = deciding.Decide(house.agent, access, newer)
    assert access.decisions[BOB] is newer
    made.undo()
    assert access.decisions[BOB] is before
    deciding.displace(state, newer, None)
    assert access.decisions[BOB] is before


def test_a_decision_that_is_forgotten_takes_none_with_it_that_replaced_it_meanwhile() -> None:
    house = house_with()
    house.subscribe(expires=0)
    state = house.agent.presentity(ALICE).events["presence"]
    house.wait(DECISION_LIFETIME - 0.5)
    house.writer.hold = True
    house.wait(1.5)
    assert len(house.writer.queue) == 1
    house.memory.document(ruleset("* allow"))
    Stepper(reread(state), lambda *_: None).step()
    house.subscribe(expires=900)
    house.writer.hold = False
    house.turn()
    assert state.access is not None
    assert [decision.status for decision in state.access.decisions.values()] == [1]
    assert [row["status"] for row in house.memory.named("watchers")] == [1]


def test_events_without_rules_have_nothing_to_decide() -> None:
    house = House()
    house.subscribe()
    state = house.agent.presentity("sip:alice@example.org").events["presence"]
    assert deciding.decide_anew(house.agent, state, anew=True) is None
    house.agent.decide_anew(state)
    assert house.laters == []


def test_xc_14_a_rule_that_begins_to_be_valid_is_noticed_in_time() -> None:
    memory = Memory()
    memory.document(
        b'<ruleset xmlns="urn:ietf:params:xml:ns:common-policy"><rule id="a"><conditions><validity>'
        b"<from>2023-11-14T22:14:20Z</from><until>2033-01-01T00:00:00Z</until></validity></conditions>"
        b"<actions><sub-handling>allow</sub-handling></actions></rule></ruleset>"
    )
    house = House(memory, xml={})
    house.publish()
    house.subscribe()
    assert told(house) == [("pending;expires=600", False)]
    house.wait(62)
    assert [body for _, body in told(house)] == [True]


def test_a_rule_that_begins_to_be_valid_while_the_database_is_away_counts_when_it_is_back() -> None:
    memory = Memory()
    memory.document(
        b'<ruleset xmlns="urn:ietf:params:xml:ns:common-policy"><rule id="a"><conditions><validity>'
        b"<from>2023-11-14T22:14:20Z</from><until>2033-01-01T00:00:00Z</until></validity></conditions>"
        b"<actions><sub-handling>allow</sub-handling></actions></rule></ruleset>"
    )
    house = House(memory, xml={})
    house.publish()
    house.subscribe()
    house.take()
    house.writer.failing = Unavailable("away")
    house.wait(65)
    assert told(house) == []
    house.writer.failing = None
    house.wait(2)
    assert told(house) == [("active;expires=534", True)]


def test_who_only_asked_is_told_to_the_presentity() -> None:
    house = house_with("sip:carol@example.org block")
    house.subscribe(event="presence.winfo", from_="<sip:alice@example.org>;tag=a")
    house.subscribe(expires=0)
    house.subscribe(from_=CAROL)
    found = [item.body for item in house.take() if item.get("Event") == "presence.winfo"]
    assert [b"waiting" in found[1], b"rejected" in found[2]] == [True, True]
    change(house, "* allow")
    (last,) = [item.body for item in house.take() if item.get("Event") == "presence.winfo"]
    assert b"approved" in last


def test_the_rules_may_become_unknown_while_a_watcher_is_checked() -> None:
    def unknown(user: str, domain: str) -> None:
        raise RemoteError(503, "Later")

    house = house_with("* allow")
    house.subscribe()
    (subscription,) = (
        house.agent.presentities["sip:alice@example.org"].events["presence"].subscriptions.values()
    )
    subscription.state.package.get_rules_doc = unknown
    deciding.check(house.agent, subscription)
    assert house.laters == []
