"""What presence_xml and its like get."""

from openpy.modules.presence.api import EventPackage, PresenceApi
from openpy.modules.presence.events import EventRegistry
from openpy.sip.headers import parse_event


def test_events_are_registered_and_found() -> None:
    api = PresenceApi(EventRegistry())
    presence = EventPackage("presence", "application/pidf+xml")
    sla = EventPackage("dialog;sla", "application/dialog-info+xml")
    api.add_event(presence)
    api.add_event(sla)
    assert api.get_event_list() == "presence, dialog;sla"
    assert api.contains_event("presence;id=7") is presence
    assert api.contains_event("dialog") is None
    assert api.contains_event('"') is None
    assert api.search_event(parse_event("dialog ; SLA")) is sla
