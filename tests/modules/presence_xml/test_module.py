"""presence_xml: what it needs, and what it serves."""

from typing import Any, cast

import pytest

from openpy.engine.module import ArgumentError, ModuleError
from openpy.modules.presence_xml.module import PresenceXml, presence_event, read_presence
from openpy.sip.errors import RemoteError
from tests.modules.presence.kit import House, presence


def test_the_parameters() -> None:
    declared = {name: (item.type, item.default) for name, item in PresenceXml.parameters().items()}
    assert declared == {
        "db_url": (str, ""),
        "xcap_table": (str, "xcap"),
        "force_active": (int, 0),
        "pidf_manipulation": (int, 0),
        "integrated_xcap_server": (int, 0),
        "xcap_server": (str, []),
    }
    assert PresenceXml.needs == ("presence",)


def test_without_force_active_the_start_stops_and_names_the_line() -> None:
    with pytest.raises(ModuleError) as caught:
        PresenceXml(House()).check()
    assert caught.value.hint == 'add: modparam("presence_xml", "force_active", 1)'


def test_switches_are_0_or_1() -> None:
    module = PresenceXml(House())
    with pytest.raises(ArgumentError):
        PresenceXml.parameters()["force_active"].set(module, 2)


@pytest.mark.parametrize("other", [None, House])
def test_without_presence_the_start_stops(other: Any) -> None:
    house = House()
    house.modules = {} if other is None else {"presence": cast(Any, PresenceXml(house))}
    module = PresenceXml(house)
    PresenceXml.parameters()["force_active"].set(module, 1)
    with pytest.raises(ModuleError, match="presence"):
        module.check()


def test_pres_01_pres_02_the_event() -> None:
    house = House()
    package = house.presence.bind().contains_event("presence")
    assert package is not None
    assert (package.content_type, package.default_expires) == ("application/pidf+xml", 3600)
    assert presence_event().agg_nbody is not None


def test_a_body_that_is_no_presence_document() -> None:
    assert read_presence(presence()).parts[0].kind == 0
    with pytest.raises(RemoteError) as caught:
        read_presence(b"<a>\r\n<b></a>")
    assert caught.value.status == 400
    assert "\n" not in caught.value.reason


def test_pres_08_every_watcher_is_told() -> None:
    house = House()
    for number in range(5):
        house.subscribe(contact=f"<sip:w{number}@192.0.2.7>", from_=f"<sip:w{number}@example.org>;tag=t")
    house.take()
    house.publish()
    assert {notify.uri for notify in house.take()} == {f"sip:w{number}@192.0.2.7" for number in range(5)}
