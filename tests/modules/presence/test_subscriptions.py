"""The rules for SUBSCRIBE, as tables."""

import pytest

from openpy.modules.presence.dialog import Dialog
from openpy.modules.presence.subscriptions import Action, check_in_dialog, decide, usage
from openpy.sip.errors import RemoteError
from tests.modules.presence.kit import START, House


@pytest.fixture
def dialog() -> Dialog:
    house = House()
    first = house.subscribe(call_id="c", cseq=5)
    house.resubscribe(first, event="presence;id=7", cseq=6)
    (dialog,) = house.agent.dialogs.values()
    return dialog


def test_what_a_subscribe_does(dialog: Dialog) -> None:
    current = dialog.usages[0]
    assert decide(None, 10) is Action.CREATE
    assert decide(None, 0) is Action.FETCH
    assert decide(current, 10) is Action.REFRESH
    assert decide(current, 0) is Action.END


@pytest.mark.parametrize(
    ("call_id", "from_tag", "cseq", "status"),
    [("c", "b1", 7, 0), ("c", "b1", 6, 500), ("c", "b1", 1, 500), ("d", "b1", 7, 481), ("c", "b2", 7, 481)],
)
def test_who_may_speak_in_a_dialog(
    dialog: Dialog, call_id: str, from_tag: str, cseq: int, status: int
) -> None:
    found = 0
    try:
        assert check_in_dialog(dialog, call_id, from_tag, cseq) is dialog
    except RemoteError as error:
        found = error.status
    assert found == status
    with pytest.raises(RemoteError, match="481"):
        check_in_dialog(None, call_id, from_tag, cseq)


def test_event_and_id_name_the_subscription(dialog: Dialog) -> None:
    plain, seven = dialog.usages
    package = plain.state.package
    assert usage(dialog, package, None, START) is plain
    assert usage(dialog, package, "7", START) is seven
    assert usage(dialog, package, "8", START) is None
    assert usage(dialog, package, "7", START + 600) is None
    seven.ending = True
    assert usage(dialog, package, "7", START) is None
