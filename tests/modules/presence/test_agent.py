"""What the agent keeps, and for how long."""

from openpy.modules.presence.eventstate import LastState
from openpy.sip.errors import RemoteError
from tests.modules.presence.kit import ALICE, START, House, presence


def test_a_jump_of_the_wall_clock_ends_nothing() -> None:
    house = House()
    tag = house.publish(expires=100)["SIP-ETag"]
    house.clock.wall = lambda: START + 10**6
    house.wait(50)
    assert house.agent.now() == START + 50
    assert house.publish(None, etag=tag, expires=100).status == 200


def test_tags_are_never_given_out_twice_and_bear_the_prefix() -> None:
    house = House(to_tag_pref="ps")
    agent, request = house.agent, house.publish().request
    made = [agent.new_etag(request) for _ in range(50)] + [agent.new_tag() for _ in range(50)]
    assert len(set(made)) == 100
    assert all(tag.startswith("a.") for tag in made[:50])
    assert all(tag.startswith("ps.") and len(tag) <= 64 for tag in made[50:])


def test_evt_44_our_contact() -> None:
    house = House()
    way = house.flow("udp", "192.0.2.7", 5060)
    assert way is not None
    assert house.agent.contact(way) == "sip:192.0.2.1:5060;transport=udp"
    assert House(server_address="sip:a@b").agent.contact(way) == "sip:a@b"


def test_presentities_come_and_go() -> None:
    house = House()
    agent = house.agent
    made = agent.presentity(ALICE)
    assert agent.presentity(ALICE) is made
    agent.let_go(made)
    assert agent.presentities == {}
    tag = house.publish()["SIP-ETag"]
    agent.let_go(agent.presentities[ALICE])
    assert ALICE in agent.presentities
    house.publish(None, etag=tag, expires=0)
    assert ALICE in agent.presentities  # for its last state


def test_what_is_shown_is_news() -> None:
    house = House()
    house.subscribe()
    house.take()
    tag = house.publish()["SIP-ETag"]
    assert len(house.take()) == 1
    state = house.agent.presentities[ALICE].events["presence"]
    house.agent.show(state)
    assert house.take() == []
    house.publish(presence("closed"), etag=tag)
    assert len(house.take()) == 1


def test_a_publication_that_another_one_hides_ends_unseen() -> None:
    house = House()
    hidden = house.publish()["SIP-ETag"]
    house.publish()
    house.subscribe()
    house.take()
    house.publish(None, etag=hidden, expires=0)
    assert house.take() == []


def test_last_states_replace_each_other() -> None:
    house = House()
    state = house.agent.presentity(ALICE).event(house.agent.registry.named("presence"))  # type: ignore[arg-type]
    one, two = (LastState(state, number, START, b"%d" % number) for number in (1, 2))
    house.agent.keep_last_state(one)
    house.agent.keep_last_state(two)
    assert (state.last, len(house.agent.deadlines)) == (two, 1)
    assert house.agent.last_state(state, ()).id == 2  # type: ignore[union-attr]
    house.agent.forget_last_state(one)
    assert state.last is two
    house.agent.forget_last_state(two)
    assert [state.last, len(house.agent.deadlines)] == [None, 0]


def test_a_watcher_is_given_up_once() -> None:
    house = House()
    house.subscribe()
    house.take()
    (dialog,) = house.agent.dialogs.values()
    (subscription,) = dialog.usages
    house.agent.give_up(subscription)
    house.agent.give_up(subscription)
    house.wait(1)
    house.agent.give_up(subscription)
    assert house.take() == []
    assert house.agent.dialogs == {}


def test_nothing_stays_behind() -> None:
    house = House()
    for number in range(20):
        tag = house.publish(uri=f"sip:u{number}@example.org", expires=5)["SIP-ETag"]
        house.subscribe(uri=f"sip:u{number}@example.org", expires=5)
        if number % 2:
            house.publish(None, etag=tag, uri=f"sip:u{number}@example.org", expires=0)
    house.wait(10)
    house.clock.time += 2 * 86_400
    house.wait(2)
    agent = house.agent
    assert (agent.presentities, agent.dialogs, len(agent.deadlines)) == ({}, {}, 0)
    assert all(house.memory.named(name) == [] for name in house.memory.tables)


def test_watchers_are_judged_again_soon_and_once() -> None:
    house = House(xml={})
    house.subscribe()
    state = house.agent.presentities[ALICE].events["presence"]
    commits = house.writer.commits
    house.agent.decide_anew(state)
    house.agent.decide_anew(state)
    assert len(house.laters) == 1
    house.turn()
    assert house.writer.commits == commits + 1


def test_without_rules_to_go_by_nobody_is_judged() -> None:
    def unknown(user: str, domain: str) -> None:
        raise RemoteError(503, "Later")

    house = House(xml={})
    house.subscribe()
    state = house.agent.presentities[ALICE].events["presence"]
    state.package.get_rules_doc = unknown
    house.agent.decide_anew(state)
    house.turn()
    assert any("nothing is decided" in line for line in house.logged)
    house.agent.look_again(state.package)
    assert house.laters == []


def test_a_decision_that_is_forgotten_is_gone() -> None:
    house = House(xml={})
    house.subscribe(expires=0)
    presentity = house.agent.presentities[ALICE]
    access = presentity.events["presence"].access
    assert access is not None
    (decision,) = access.decisions.values()
    house.agent.forget_decision(decision)
    assert access.decisions == {}
    assert decision.state is None
    assert presentity.idle


def test_many_presentities_are_looked_at_in_slices_after_a_restart() -> None:
    house = House(xml={})
    for number in range(70):
        house.subscribe(uri=f"sip:u{number}@example.org")
    rows = house.memory.kept[house.memory.tables["active_watchers"]]
    place = house.memory.tables["active_watchers"].columns.index("status")
    for id_, row in rows.items():
        rows[id_] = (*row[:place], 1, *row[place + 1 :])
    house.take()
    house = house.restart(xml={})
    assert [row["status"] for row in house.memory.named("active_watchers")] == [2] * 70
    assert {item.get("Subscription-State") for item in house.take()} == {"pending;expires=600"}
