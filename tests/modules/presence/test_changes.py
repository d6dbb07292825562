"""Changes: applied in order, announced after the reply, undone without a trace."""

from openpy.db.errors import Unavailable
from openpy.modules.presence.changes import End, Publish, Reserve, Subscribe
from openpy.modules.presence.dialog import CSEQ_BLOCK, TIMEOUT, Dialog, Subscription
from openpy.modules.presence.eventstate import EventState
from openpy.modules.presence.presentity import Change
from openpy.modules.presence.publications import Publication, Revision
from openpy.modules.presence_xml.module import read_presence
from tests.modules.presence.kit import ALICE, START, House, presence

DOCUMENT = read_presence(presence())


def refuse(house: House, change: Change) -> None:
    """Submit a change to a database that is away."""
    house.writer.failing = Unavailable("away")
    house.agent.presentity(ALICE).submit(change)
    house.turn()
    house.writer.failing = None


def watched(house: House) -> tuple[EventState, Dialog, Subscription]:
    house.subscribe()
    house.take()
    (dialog,) = house.agent.dialogs.values()
    (subscription,) = dialog.usages
    return subscription.state, dialog, subscription


def test_publish() -> None:
    house = House()
    state, _, _ = watched(house)
    made = Publication(state, 1, "one", START + 9, 0, b"", DOCUMENT)
    first = Revision(made, "one", START + 9, 0, b"", DOCUMENT)
    operation = house.agent.store.insert_publication(ALICE, "presence", 1, first)
    refuse(house, Publish(house.agent, state, first, (operation,)))
    assert (state.publications, state.presentity.tentative) == ({}, {})
    state.presentity.submit(Publish(house.agent, state, first, (operation,)))
    second = Revision(made, "two", START + 99, 5, b"b", DOCUMENT)
    update = house.agent.store.refresh_publication(1, second, first.etag)
    state.presentity.submit(Publish(house.agent, state, second, (update,), old_etag="one", visible=False))
    assert state.presentity.tentative == {"one": None, "two": second}
    house.turn()
    assert state.presentity.tentative == {}
    assert state.publications == {"two": made}
    assert (made.etag, made.expires, made.received, made.body) == ("two", START + 99, 5, b"b")
    assert len(house.take()) == 1


def test_publish_with_one_tag_for_life() -> None:
    house = House()
    state, _, _ = watched(house)
    made = Publication(state, 1, "e", START + 9, 0, b"", DOCUMENT)
    revisions = [Revision(made, "e", START + 9 * number, number, b"", DOCUMENT) for number in (1, 2, 3)]
    operation = house.agent.store.insert_publication(ALICE, "presence", 1, made)
    for revision in revisions:
        old = "" if revision is revisions[0] else "e"
        state.presentity.submit(Publish(house.agent, state, revision, (operation,), old_etag=old))
    house.turn()
    assert (state.publications, state.presentity.tentative) == ({"e": made}, {})
    assert made.received == 3


def test_end() -> None:
    house = House()
    house.publish(presence("open"))
    state, dialog, subscription = watched(house)
    (publication,) = state.publications.values()
    refuse(house, End(house.agent, (publication,), (subscription,), remote_cseq=9))
    assert (subscription.ending, subscription.final, dialog.remote_cseq) == (False, "", 1)
    assert (len(state.publications), len(state.subscriptions), state.last) == (1, 1, None)
    state.presentity.submit(End(house.agent, (publication,), (subscription,), remote_cseq=9))
    house.turn()
    assert state.last is not None
    assert (publication.state, state.publications, dialog.usages) == (None, {}, ())
    assert house.take_one().get("Subscription-State") == TIMEOUT
    last = state.last
    refuse(house, End(house.agent, (), (), (last,)))
    assert state.last is last
    state.presentity.submit(End(house.agent, (), (), (last,)))
    house.turn()
    assert [state.last, len(house.agent.deadlines)] == [None, 0]


def test_subscribe() -> None:
    house = House()
    state, dialog, first = watched(house)
    second = Subscription(dialog, state, "2", 50, START + 60)

    def change() -> Subscribe:
        return Subscribe(
            house.agent,
            second,
            expires=START + 60,
            remote_cseq=7,
            target="sip:new@192.0.2.8",
            connection=None,
        )

    refuse(house, change())
    assert (dialog.usages, dialog.remote_cseq, second.refreshing) == ((first,), 1, 0)
    state.presentity.submit(change())
    house.turn()
    assert (dialog.usages, dialog.remote_cseq, dialog.target) == ((first, second), 7, "sip:new@192.0.2.8")
    assert {row["contact"] for row in house.memory.named("active_watchers")} == {"sip:new@192.0.2.8"}
    state.presentity.submit(change())
    house.turn()
    assert [notify.get("Event") for notify in house.take()] == ["presence;id=2"] * 2


def test_reserve() -> None:
    house = House()
    state, dialog, _ = watched(house)
    refuse(house, Reserve(house.agent, dialog))
    assert (dialog.reserving, dialog.limit) == (False, CSEQ_BLOCK)
    state.presentity.submit(Reserve(house.agent, dialog))
    assert dialog.reserving
    house.turn()
    assert (dialog.reserving, dialog.limit) == (False, 2 * CSEQ_BLOCK)
    assert house.memory.named("active_watchers")[0]["local_cseq"] == 2 * CSEQ_BLOCK


def test_rows_that_are_about_to_go_are_not_changed_any_more() -> None:
    house = House()
    state, dialog, first = watched(house)
    second = Subscription(dialog, state, "2", 50, START + 60)
    house.agent.subscribed(second)
    house.memory.write([house.agent.store.insert_subscription(second, 1, dialog.target, 1)])
    house.writer.hold = True
    state.presentity.submit(End(house.agent, (), (first,), remote_cseq=2))
    house.writer.flush()
    state.presentity.submit(Reserve(house.agent, dialog))
    state.presentity.submit(
        Subscribe(
            house.agent, second, expires=START + 60, remote_cseq=3, target=dialog.target, connection=None
        )
    )
    house.writer.hold = False
    house.turn()
    assert (dialog.usages, dialog.remote_cseq, state.presentity.wounded) == ((second,), 3, False)
    assert [row["id"] for row in house.memory.named("active_watchers")] == [50]
