"""After kill -9: everything acknowledged goes on."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.db.errors import OutcomeUnknown, Unavailable
from openpy.engine.waiting import Wait
from openpy.modules.presence.recovery import SLICE, is_local, load_decision
from tests.modules.presence.kit import ALICE, House, presence


def test_publications_and_their_tags_go_on() -> None:
    house = House()
    tag = house.publish(expires=100)["SIP-ETag"]
    house = house.restart()
    assert house.presence.publications.value == 1
    assert house.publish(None, etag=tag).status == 200
    house.wait(700)
    assert house.memory.named("presentity") == []


def test_d22_d41_subscriptions_go_on_and_no_row_is_consumed() -> None:
    house = House()
    first = house.subscribe("Record-Route: <sip:p1@192.0.2.30;lr>", event="presence;id=9")
    house.take()
    house = house.restart()
    assert len(house.memory.named("active_watchers")) == 1
    house.publish()
    notify = house.take_one()
    assert notify.cseq.number == 129
    assert notify.get("Event") == "presence;id=9"
    assert notify.all("Route") == ["<sip:p1@192.0.2.30;lr>"]
    assert notify.from_.tag == first.reply.to.tag
    assert house.resubscribe(first, event="presence;id=9", cseq=2).status == 200
    assert house.resubscribe(first, event="presence;id=9", cseq=2).status == 500


def test_d44_cseqs_never_repeat_over_many_restarts() -> None:
    house = House(max_expires=10**6)
    house.subscribe(expires=10**6)
    seen = [notify.cseq.number for notify in house.take()]
    tag = None
    for number in range(6):
        house = house.restart(max_expires=10**6)
        for step in range(30 * number):
            tag = house.publish(presence(f"v{number}.{step}"), etag=tag, expires=10**6)["SIP-ETag"]
        seen += [notify.cseq.number for notify in house.take()]
    assert seen == sorted(set(seen))


def test_a_new_block_is_written_before_it_is_used() -> None:
    house = House()
    house.subscribe()
    house = house.restart()
    house.writer.hold = True
    house.publish()
    house.writer.commit(1)
    assert house.take() == []
    house.writer.commit(1)
    assert house.memory.named("active_watchers")[0]["local_cseq"] == 256
    assert house.take_one().cseq.number == 129


def test_what_expired_meanwhile_is_told() -> None:
    house = House()
    house.publish(expires=10)
    house.subscribe()
    house.subscribe(expires=20)
    house.take()
    house.clock.time += 60
    house = house.restart()
    house.wait(1)
    told = {notify.get("Subscription-State") or "": notify for notify in house.take()}
    assert set(told) == {"active;expires=540", "terminated;reason=timeout"}
    assert b"closed" in told["active;expires=540"].body
    assert all(notify.cseq.number == 129 for notify in told.values())
    assert house.memory.named("presentity") == []
    assert len(house.memory.named("active_watchers")) == 1


def test_the_last_state_goes_on() -> None:
    house = House()
    house.publish(None, etag=house.publish()["SIP-ETag"], expires=0)
    house = house.restart()
    house.subscribe(expires=0)
    assert b"closed" in house.take_one().body


def test_the_order_of_publications_goes_on() -> None:
    house = House()
    tag = house.publish(presence("one"))["SIP-ETag"]
    house.publish(presence("two"))
    house.publish(presence("three"), etag=tag)
    house = house.restart()
    house.subscribe()
    assert b"three" in house.take_one().body


def test_two_subscriptions_of_one_dialog() -> None:
    house = House()
    first = house.subscribe()
    house.resubscribe(first, event="presence;id=2", cseq=2, contact="<sip:new@192.0.2.8>")
    house = house.restart()
    house.publish()
    notifies = house.take()
    assert [notify.cseq.number for notify in notifies] == [130, 131]
    assert all(notify.uri == "sip:new@192.0.2.8" for notify in notifies)
    assert len(house.agent.dialogs) == 1


def test_the_highest_cseq_of_a_dialog_counts() -> None:
    house = House()
    first = house.subscribe()
    house.resubscribe(first, event="presence;id=2", cseq=2)
    sql = house.memory.tables["active_watchers"]
    place = sql.columns.index("local_cseq")
    for id_, cseq in ((1, 500), (2, 128)):
        row = house.memory.kept[sql][id_]
        house.memory.kept[sql][id_] = (*row[:place], cseq, *row[place + 1 :])
    house = house.restart()
    house.publish()
    assert [notify.cseq.number for notify in house.take()] == [501, 502]


def test_rows_that_cannot_be_understood_are_left_alone() -> None:
    house = House()
    house.publish()
    house.subscribe()
    house.publish(
        None, etag=house.publish(uri="sip:c@example.org")["SIP-ETag"], uri="sip:c@example.org", expires=0
    )
    for table, column in (
        ("presentity", "event"),
        ("active_watchers", "event"),
        ("openpy_last_state", "event"),
    ):
        edit(house, table, column, "unknown")
    again = house.restart()
    assert (again.presence.publications.value, again.presence.subscriptions.value) == (0, 0)
    assert any("3 rows" in line for line in again.logged)
    edit(house, "presentity", "event", "presence")
    edit(house, "presentity", "body", b"nonsense")
    again = house.restart()
    assert again.presence.publications.value == 0
    assert len(again.memory.named("presentity")) == 1


def test_bodies_that_another_hand_wrote_as_texts() -> None:
    house = House()
    tag = house.publish()["SIP-ETag"]
    house.publish(
        None,
        etag=house.publish(event="presence", uri="sip:c@example.org")["SIP-ETag"],
        uri="sip:c@example.org",
        expires=0,
    )
    edit(house, "presentity", "body", presence("closed").decode())
    edit(house, "openpy_last_state", "body", presence("closed").decode())
    again = house.restart()
    again.subscribe()
    again.subscribe(uri="sip:c@example.org")
    assert [b"closed" in notify.body for notify in again.take()] == [True, True]
    assert again.publish(None, etag=tag).status == 200


def test_rows_in_which_openser_kept_a_host_as_it_was_sent() -> None:
    house = House(xml={})
    tag = house.publish()["SIP-ETag"]
    first = house.subscribe()
    edit(house, "presentity", "domain", "Example.ORG")
    edit(house, "watchers", "watcher_domain", "Example.ORG")
    for table in ("active_watchers", "watchers"):
        edit(house, table, "presentity_uri", "sip:alice@Example.ORG")
        edit(house, table, "status", 1)
    again = house.restart(xml={})
    again.take()
    assert list(again.agent.presentities) == [ALICE]
    assert again.publish(presence("closed"), etag=tag).status == 200
    assert again.take_one().call_id == first.request.call_id
    again.subscribe()
    assert again.take_one().get("Subscription-State") == "active;expires=600"
    again.wait(700)
    assert (again.memory.named("presentity"), again.memory.named("active_watchers")) == ([], [])


def test_who_was_rejected_by_openser_hears_no_more() -> None:
    house = House(xml={})
    house.subscribe()
    house.take()
    edit(house, "active_watchers", "status", 3)
    house = house.restart(xml={})
    house.wait(1)
    assert (house.take(), house.memory.named("active_watchers")) == ([], [])


def test_a_watcher_whom_opensers_descendants_call_waiting_is_pending() -> None:
    house = House(xml={})
    house.subscribe(expires=0)
    house.take()
    edit(house, "watchers", "status", 4)
    house = house.restart(xml={})
    owner = "<sip:alice@example.org>;tag=a"
    house.subscribe(event="presence.winfo", from_=owner)
    assert b'status="waiting"' in house.take_one().body
    house.subscribe()
    assert [notify.get("Subscription-State") for notify in house.take()][-1] == "pending;expires=600"


def test_two_dialogs_with_one_tag() -> None:
    house = House()
    house.subscribe()
    house.subscribe()
    edit(house, "active_watchers", "to_tag", "same")
    house = house.restart()
    assert (house.presence.subscriptions.value, len(house.memory.named("active_watchers"))) == (1, 2)


@pytest.mark.parametrize(
    ("column", "value"), [("record_route", "<sip:>"), ("record_route", "x"), ("contact", "x")]
)
def test_a_way_that_cannot_be_read_ends_the_subscription(column: str, value: str) -> None:
    house = House()
    house.subscribe()
    house.take()
    edit(house, "active_watchers", column, value)
    house = house.restart()
    house.wait(1)
    assert house.memory.named("active_watchers") == []
    assert house.take() == []


def edit(house: House, table: str, column: str, value: object) -> None:
    """What somebody else did to every row of a table."""
    sql = house.memory.tables[table]
    place = sql.columns.index(column)
    for id_, row in house.memory.kept[sql].items():
        house.memory.kept[sql][id_] = (*row[:place], value, *row[place + 1 :])


REQUESTS = ["publish", "modify", "refresh", "remove", "subscribe"]
EVENTS = ["restart", "outage", "unknown", "written", "repair", "wait"]
STEPS = st.lists(st.sampled_from(REQUESTS + EVENTS), max_size=30)


@settings(max_examples=60)
@given(STEPS)
def test_no_acknowledged_publication_is_lost_and_none_comes_back(steps: list[str]) -> None:
    house = House()
    tags: dict[str, str] = {}  # by the id of the tuple
    for number, step in enumerate(steps):
        id_ = f"t{number}"
        if step == "publish":
            exchange = house.publish(presence(id_=id_))
            if exchange.status == 200:
                tags[id_] = exchange["SIP-ETag"]
        elif step in ("modify", "refresh", "remove") and tags:
            id_, tag = next(iter(tags.items()))
            body = presence(f"v{number}", id_) if step == "modify" else None
            exchange = house.publish(body, etag=tag, expires=0 if step == "remove" else 600)
            if exchange.status == 200:
                tags[id_] = exchange["SIP-ETag"]
                if step == "remove":
                    del tags[id_]
            else:
                assert exchange.status == 503
        elif step == "subscribe":
            house.subscribe()
        elif step == "restart" and not any(item.wounded for item in house.agent.presentities.values()):
            house = house.restart()
        elif step == "outage":
            house.writer.failing = Unavailable("away")
            house.writer.writes_anyway = False
        elif step in ("unknown", "written"):
            house.writer.failing = OutcomeUnknown("lost")
            house.writer.writes_anyway = step == "written"
        elif step == "repair":
            house.writer.failing = None
        elif step == "wait":
            house.wait(2)
    house.writer.failing = None
    house.wait(2)
    assert {row["etag"] for row in house.memory.named("presentity")} == set(tags.values())
    house.take()
    house.subscribe()
    body = house.take()[-1].body
    assert all(f'"{id_}"'.encode() in body for id_ in tags)
    presentity = house.agent.presentities[ALICE]
    assert (presentity.outstanding, presentity.tentative) == (0, {})


def test_d22_a_server_that_shares_the_database_takes_its_own_subscriptions() -> None:
    house = House(fallback2db=1)
    house.publish()
    house.subscribe()
    house.take()
    other = House(house.memory, clock=house.clock, us=("192.0.2.2", 5060), fallback2db=1)
    assert (other.presence.publications.value, other.presence.subscriptions.value) == (1, 0)
    again = House(house.memory, clock=house.clock, fallback2db=1)
    assert (again.presence.publications.value, again.presence.subscriptions.value) == (1, 1)
    assert len(house.memory.named("active_watchers")) == 1
    assert is_local(again.agent, "udp:192.0.2.1:5060")
    assert not is_local(again.agent, "udp:192.0.2.1:5061")
    assert not is_local(again.agent, "what is this")


def test_decisions_about_watchers_are_known_after_a_restart() -> None:
    house = House(xml={})
    house.subscribe()
    house = house.restart(xml={})
    state = house.agent.presentities[ALICE].events["presence"]
    assert state.access is not None
    (decision,) = state.access.decisions.values()
    assert (decision.watcher_uri, decision.status, decision.kept) == ("sip:bob@example.org", 2, True)
    (row,) = house.memory.named("watchers")
    load_decision(house.agent, {**row, "status": 1, "reason": None})
    assert list(state.access.decisions.values()) == [decision]
    assert (decision.status, decision.reason) == (1, "")


def test_with_force_active_decisions_are_left_alone() -> None:
    house = House(xml={})
    house.subscribe()
    house = house.restart()
    state = house.agent.presentities[ALICE].events["presence"]
    assert state.access is None
    assert len(house.memory.named("watchers")) == 1
    (subscription,) = state.subscriptions.values()
    assert subscription.status == 1


class Slow(House):
    """What blocks is done one piece at a time, when the test says so."""

    pieces: list[Callable[[], None]]

    def run_blocking(self, function: Callable[..., Any], *arguments: Any) -> Wait[Any]:
        self.pieces = getattr(self, "pieces", [])
        wait: Wait[Any] = Wait()
        self.pieces.append(lambda: wait.resolve(function(*arguments)))
        return wait


def test_rows_are_taken_in_slices_and_requests_refused_until_all_are() -> None:
    house = House()
    for number in range(2 * SLICE + 1):
        house.publish(uri=f"sip:u{number}@example.org")
    slow = Slow(house.memory, clock=house.clock)
    taken = []
    while slow.pieces:
        assert slow.presence.loading
        assert slow.publish().status == 503
        slow.pieces.pop(0)()
        taken.append(slow.presence.publications.value)
    assert taken[:3] == [SLICE, 2 * SLICE, 2 * SLICE + 1]
    assert not slow.presence.loading
    assert slow.publish().status == 200


def test_a_stop_ends_the_load() -> None:
    house = House()
    house.publish()
    slow = Slow(house.memory, clock=house.clock)
    with pytest.raises(StopIteration):
        slow.presence.drain().send(None)
    slow.pieces.pop(0)()
    assert not slow.pieces
    assert slow.publish().status == 503
