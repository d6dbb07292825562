"""Makes the state of an event, with what its package needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpy.modules.presence.authorization import Access
from openpy.modules.presence.eventstate import EventState
from openpy.modules.presence.views import Views
from openpy.modules.presence.winfo import WatcherInformation

if TYPE_CHECKING:
    from openpy.modules.presence.events import EventPackage
    from openpy.modules.presence.presentity import Presentity


def event_state(presentity: Presentity, package: EventPackage) -> EventState:
    """The state of an event of which nothing is known yet.

    Where everybody is shown the same there is nobody to ask what the single watcher is shown.
    """
    state = EventState(presentity, package)
    if package.type == "winfo":
        state.shown = WatcherInformation()
    elif package.req_auth or package.aux_body_processing is not None:
        if package.req_auth:
            state.access = Access(state)
        state.shown = Views()
    return state
