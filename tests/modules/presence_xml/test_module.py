"""presence_xml: what it needs, and what it serves."""

from typing import Any, cast

import pytest

from openpy.db.errors import WrongTable
from openpy.engine.module import ArgumentError, ModuleError
from openpy.modules.presence_xml.module import PresenceXml, presence_event, read_presence
from openpy.sip.errors import RemoteError
from tests.modules.presence.kit import House, Memory, presence, ruleset


def configured(house: House, **parameters: Any) -> PresenceXml:
    module = PresenceXml(house)
    for name, value in parameters.items():
        PresenceXml.parameters()[name].set(module, value)
    return module


def test_the_parameters() -> None:
    declared = {name: (item.type, item.default) for name, item in PresenceXml.parameters().items()}
    assert declared == {
        "db_url": (str, ""),
        "xcap_table": (str, "xcap"),
        "force_active": (int, 0),
        "pidf_manipulation": (int, 0),
        "integrated_xcap_server": (int, 0),
        "xcap_server": (str, []),
        "rules_default": (str, "1.3"),
        "max_xml_depth": (int, 64),
        "max_xml_nodes": (int, 5000),
        "max_xml_attributes": (int, 5000),
    }
    assert PresenceXml.needs == ("presence",)


@pytest.mark.parametrize(
    ("parameters", "message", "line"),
    [
        ({}, "does not know where the rules", '"integrated_xcap_server", 1)'),
        ({"xcap_server": "x.org"}, "xcap_client is not part", '"integrated_xcap_server", 1)'),
        ({"integrated_xcap_server": 1}, "no database", '"db_url", '),
        ({"force_active": 1, "pidf_manipulation": 1}, "no database", '"db_url", '),
    ],
)
def test_what_is_missing_stops_the_start_and_names_the_line(
    parameters: dict[str, Any], message: str, line: str
) -> None:
    with pytest.raises(ModuleError, match=message) as caught:
        configured(House(), **parameters).check()
    assert line in caught.value.hint


def test_values_that_cannot_be_meant() -> None:
    module = PresenceXml(House())
    for name, value in (
        ("force_active", 2),
        ("rules_default", "2.0"),
        ("max_xml_depth", 251),
        ("max_xml_nodes", 0),
    ):
        with pytest.raises(ArgumentError):
            PresenceXml.parameters()[name].set(module, value)


@pytest.mark.parametrize("other", [None, House])
def test_without_presence_the_start_stops(other: Any) -> None:
    house = House()
    house.modules = {} if other is None else {"presence": cast(Any, PresenceXml(house))}
    with pytest.raises(ModuleError, match="presence"):
        configured(house, force_active=1).check()


def test_pres_01_pres_02_the_events() -> None:
    api = House().presence.bind()
    package = api.contains_event("presence")
    winfo = api.contains_event("presence.winfo")
    assert package is not None
    assert winfo is not None
    assert (package.content_type, package.default_expires) == ("application/pidf+xml", 3600)
    assert (winfo.content_type, winfo.type) == ("application/watcherinfo+xml", "winfo")
    assert package.wipeer is winfo
    assert not package.req_auth
    assert api.get_event_list() == "presence, presence.winfo, dialog;sla"
    assert presence_event().agg_nbody is not None


def test_a_body_that_is_no_presence_document() -> None:
    assert read_presence(presence()).parts[0].kind == 0
    with pytest.raises(RemoteError) as caught:
        read_presence(b"<a>\r\n<b></a>")
    assert caught.value.status == 400
    assert "\n" not in caught.value.reason


@pytest.mark.parametrize(
    ("event", "document"),
    [
        ("presence", b'<presence xmlns="urn:ietf:params:xml:ns:pidf">%b</presence>'),
        ("dialog;sla", b'<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info">%b</dialog-info>'),
    ],
)
def test_a_document_beyond_the_limits_is_refused(event: str, document: bytes) -> None:
    house = House(xml={"force_active": 1, "max_xml_nodes": 5, "max_xml_depth": 3})
    package = house.agent.registry.named(event)
    assert package is not None
    assert package.read_body is not None
    package.read_body(document % (b"<a/>" * 4))
    for content in (b"<a/>" * 5, b"<a><b><c></c></b></a>"):
        with pytest.raises(RemoteError, match="document: "):
            package.read_body(document % content)


def test_pres_08_every_watcher_is_told() -> None:
    house = House()
    for number in range(5):
        house.subscribe(contact=f"<sip:w{number}@192.0.2.7>", from_=f"<sip:w{number}@example.org>;tag=t")
    house.take()
    house.publish()
    assert {notify.uri for notify in house.take()} == {f"sip:w{number}@192.0.2.7" for number in range(5)}


def test_with_force_active_the_table_of_documents_is_not_asked_for() -> None:
    assert "xcap" not in House().memory.tables


def test_rules_are_read_at_the_start_from_the_table_of_that_name() -> None:
    memory = Memory()
    memory.document(ruleset("* allow"))
    house = House(memory, xml={"xcap_table": "documents"})
    house.subscribe()
    assert house.take_one().get("Subscription-State") == "pending;expires=600"
    house = House(memory, xml={})
    house.subscribe(from_="<sip:carol@example.org>;tag=c")
    assert house.take()[-1].get("Subscription-State") == "active;expires=600"


def test_while_the_database_is_away_nobody_is_judged() -> None:
    memory = Memory()
    memory.document(ruleset("* allow"))
    memory.ready = False
    house = House(memory, xml={})
    assert house.subscribe().status == 503
    memory.come()
    assert house.subscribe().status == 200
    assert house.take_one().get("Subscription-State") == "active;expires=600"


def test_rules_that_come_later_than_the_subscriptions() -> None:
    memory = Memory()
    memory.document(ruleset("* allow"))
    house = House(memory, xml={})
    house.publish()
    first = house.subscribe()
    house.take()
    package = house.agent.registry.named("presence")
    assert package is not None
    memory.ready = False
    again = configured(house, db_url="sqlite:///memory", integrated_xcap_server=1)
    again.check()
    again._presence = package
    with pytest.raises(StopIteration):
        again.start().send(None)
    memory.document(ruleset("* block"))
    memory.come()
    house.turn()
    assert house.take_one().get("Subscription-State") == "terminated;reason=rejected"
    assert house.resubscribe(first).status == 481


def test_a_wrong_table_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    module = configured(house, db_url="sqlite:///memory", integrated_xcap_server=1)
    module.check()

    def refuse(*arguments: Any) -> None:
        raise WrongTable("xcap has version 4, not 3")

    monkeypatch.setattr(house.memory, "use", refuse)
    with pytest.raises(ModuleError, match="version 4"):
        module.start().send(None)


def test_rfc5025_hides_what_is_not_granted() -> None:
    memory = Memory()
    memory.document(ruleset("* allow"))
    house = House(memory, xml={"rules_default": "rfc5025"})
    house.publish(presence(more="<note>in the bath</note>"))
    house.subscribe()
    body = house.take_one().body
    assert body
    assert b"tuple" not in body
    assert b"bath" not in body


def test_the_hard_state_is_joined_as_the_oldest_also_where_nothing_is_published() -> None:
    memory = Memory()
    memory.document(presence("closed", "hard", "<note>on holiday</note>"), 16)
    house = House(memory, xml={"pidf_manipulation": 1, "force_active": 1})
    house.subscribe()
    body = house.take_one().body
    assert (b"holiday" in body, b"hard" in body) == (True, True)
    tag = house.publish(presence(id_="desk"))["SIP-ETag"]
    body = house.take_one().body
    assert body.index(b'id="desk"') < body.index(b'id="hard"')
    same = house.publish(presence("open", "hard"))["SIP-ETag"]
    assert house.take_one().body.count(b'id="hard"') == 1, "what is published is newer"
    house.publish(None, etag=same, expires=0)
    house.publish(None, etag=tag, expires=0)
    body = house.take()[-1].body
    assert (b"holiday" in body, b'id="desk"' in body, b"open" in body) == (True, True, False)
