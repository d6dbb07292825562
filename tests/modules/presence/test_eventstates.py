"""Which state an event gets."""

from openpy.modules.presence.api import AuthStatus, EventPackage
from openpy.modules.presence.authorization import Access
from openpy.modules.presence.eventstates import event_state
from openpy.modules.presence.views import Views
from openpy.modules.presence.winfo import WatcherInformation
from tests.modules.presence.kit import ALICE, House


def test_each_kind_of_event_gets_what_it_needs() -> None:
    presentity = House().agent.presentity(ALICE)
    plain = event_state(presentity, EventPackage("weather", "text/plain"))
    assert (plain.shown, plain.access) == (None, None)
    informing = event_state(presentity, EventPackage("weather.winfo", "text/plain"))
    assert isinstance(informing.shown, WatcherInformation)
    numbered = event_state(presentity, EventPackage("a", "a/b", aux_body_processing=lambda body, subs: body))
    assert isinstance(numbered.shown, Views)
    assert numbered.access is None
    guarded = event_state(
        presentity,
        EventPackage(
            "a",
            "a/b",
            req_auth=True,
            get_rules_doc=lambda user, domain: None,
            get_auth_status=lambda subs: AuthStatus(1),
        ),
    )
    assert isinstance(guarded.shown, Views)
    assert isinstance(guarded.access, Access)
