"""The rules of RFC 3903, as a table."""

import pytest

from openpy.modules.presence.publications import Action, Publication, Revision, decide, next_place
from openpy.sip.errors import RemoteError
from tests.modules.presence.kit import ALICE, House


def publication(expires: float = 100.0) -> Publication:
    house = House()
    state = house.agent.presentity(ALICE).event(house.agent.registry.named("presence"))  # type: ignore[arg-type]
    return Publication(state, 1, "e", expires, 0, b"body", None)


@pytest.mark.parametrize(
    ("conditional", "expires", "has_body", "expected"),
    [
        (False, 10, True, Action.CREATE),
        (False, 0, True, Action.NOTHING),
        (False, 10, False, 400),
        (False, 0, False, 400),
        (True, 10, True, Action.MODIFY),
        (True, 10, False, Action.REFRESH),
        (True, 0, True, Action.REMOVE),
        (True, 0, False, Action.REMOVE),
    ],
)
def test_every_case(conditional: bool, expires: int, has_body: bool, expected: Action | int) -> None:
    current = publication() if conditional else None
    try:
        found: Action | int = decide(current, expires, has_body, conditional=conditional, now=50.0)
    except RemoteError as error:
        found = error.status
    assert found == expected


@pytest.mark.parametrize("current", [None, publication(expires=50.0)])
def test_a_tag_that_names_nothing(current: Publication | None) -> None:
    with pytest.raises(RemoteError) as caught:
        decide(current, 10, True, conditional=True, now=50.0)
    assert caught.value.status == 412


def test_a_revision_stands_for_its_publication() -> None:
    current = publication()
    revision = Revision(current, "f", 100.0, 0, b"", None)
    assert revision.state is current.state
    assert decide(revision, 10, False, conditional=True, now=99.0) is Action.REFRESH


def test_each_change_is_the_newest() -> None:
    assert next_place(0, None, 7.9) == 7
    assert next_place(7, None, 7.9) == 8
    assert next_place(3, None, 7.9) == 7
    assert next_place(8, 3, 7.9) == 9
    assert next_place(8, 8, 7.9) == 8
