"""What watchers are shown."""

from openpy.modules.presence.events import EventPackage
from openpy.modules.presence.eventstate import NO_BODY, EventState, LastState
from openpy.modules.presence.presentity import Presentity
from openpy.modules.presence.publications import Publication, Revision
from tests.modules.presence.kit import ALICE, House


def event_state(package: EventPackage) -> EventState:
    house = House()
    return Presentity(ALICE, house.agent.store, lambda presentity: None).event(package)


def publication(state: EventState, number: int, expires: float = 100.0) -> Publication:
    made = Publication(state, number, f"e{number}", expires, number, b"%d" % number, number)
    state.publications[made.etag] = made
    return made


def test_an_event_without_aggregation_shows_the_newest_body() -> None:
    state = event_state(EventPackage("message-summary", "application/simple-message-summary"))
    assert state.tail(0.0) == NO_BODY
    publication(state, 2)
    publication(state, 1, 50.0)
    state.changed()
    assert state.tail(0.0).endswith(b"\r\n\r\n2")
    publication(state, 3, 10.0)
    state.changed()
    assert state.tail(5.0).endswith(b"3")
    assert state.tail(10.0).endswith(b"2")
    state.last = LastState(state, 1, 0.0, b"last")
    assert state.tail(100.0).endswith(b"last")


def test_what_ended_is_shown_closed_until_it_is_taken_away() -> None:
    package = EventPackage("x", "x/y", offline_nbody=lambda uri, documents: b"off %d" % len(documents))
    state = event_state(package)
    publication(state, 1)
    publication(state, 2)
    assert state.tail(200.0).endswith(b"\r\nContent-Type: x/y\r\nContent-Length: 5\r\n\r\noff 2")


def test_the_body_is_made_once() -> None:
    made: list[int] = []

    def aggregate(uri: str, documents: object) -> bytes:
        made.append(1)
        return b"body"

    state = event_state(EventPackage("x", "x/y", agg_nbody=aggregate))
    publication(state, 1)
    assert state.tail(0.0) is state.tail(1.0)
    assert made == [1]


def test_the_tentative_state_lies_over_the_committed_one() -> None:
    state = event_state(EventPackage("x", "x/y"))
    one, two = publication(state, 1), publication(state, 2)
    assert list(state.tentative()) == [one, two]
    revision = Revision(one, "new", 100.0, 1, b"", None)
    state.presentity.tentative = {"e1": None, "new": revision}
    assert list(state.tentative()) == [two, revision]
