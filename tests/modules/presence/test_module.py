"""The declaration: parameters, life, and one reply for each request."""

from typing import Any, cast

import pytest

from openpy.db.errors import WrongTable
from openpy.engine.module import ModuleError, RouteKind
from openpy.modules.presence.api import PresenceApi
from openpy.modules.presence.module import Presence
from tests.modules.presence.kit import House, Memory


def test_the_parameters_of_the_seed() -> None:
    declared = {name: (item.type, item.default) for name, item in Presence.parameters().items()}
    assert declared == {
        "db_url": (str, ""),
        "presentity_table": (str, "presentity"),
        "active_watchers_table": (str, "active_watchers"),
        "watchers_table": (str, "watchers"),
        "clean_period": (int, 100),
        "to_tag_pref": (str, "10"),
        "totag_avpid": (int, 25),
        "expires_offset": (int, 0),
        "max_expires": (int, 3600),
        "min_expires": (int, 0),
        "max_body": (int, 65_535),
        "server_address": (str, ""),
        "subs_respond_200": (int, 1),
        "notify_ending_codes": (str, "404,405,408,410,416,480-485,489,501,604"),
        "fallback2db": (int, 0),
        "subs_htable_size": (int, 9),
        "pres_htable_size": (int, 9),
    }
    assert all(item.doc for item in Presence.parameters().values())


def test_values_of_1_3() -> None:
    house = House(
        clean_period=50,
        to_tag_pref="pres",
        totag_avpid=30,
        expires_offset=-3,
        max_expires=-1,
        server_address="sip:10.10.10.10:5060",
        fallback2db=1,
        subs_htable_size=11,
        pres_htable_size=0,
    )
    presence = house.presence
    assert (presence.expires_offset, presence.max_expires) == (0, 3600)
    assert (presence.subs_htable_size, presence.pres_htable_size) == (11, 9)
    assert house.publish().status == 200


def test_the_functions() -> None:
    functions = {function.name: function for function in House().presence.functions()}
    assert set(functions) == {"handle_publish", "handle_subscribe"}
    assert all(function.routes == {RouteKind.REQUEST} for function in functions.values())
    assert all(function.is_async for function in functions.values())
    assert [parameter.optional for parameter in functions["handle_publish"].parameters] == [True]
    assert functions["handle_subscribe"].parameters == ()


def test_d12_without_a_database_the_start_stops() -> None:
    with pytest.raises(ModuleError, match="no database") as caught:
        House(db_url="")
    assert "modparam" in caught.value.hint


def test_a_table_that_is_not_what_it_should_be() -> None:
    memory = Memory()

    def use(*arguments: Any) -> Any:
        raise WrongTable("presentity has version 1, 2 is needed")

    memory.use = use  # type: ignore[method-assign,assignment]
    with pytest.raises(ModuleError, match="version 1"):
        House(memory)


def test_needs_and_counters() -> None:
    assert Presence.needs == ("database", "sl", "tm")
    assert set(Presence.counters()) == {"publications", "subscriptions", "notifies_sent", "notifies_failed"}
    assert isinstance(House().presence.bind(), PresenceApi)


def test_d36_functions_return_1_or_minus_1() -> None:
    house = House()
    assert (house.publish().code, house.subscribe().code) == (1, 1)
    assert (house.publish(event="x").code, house.subscribe(event="x").code) == (-1, -1)
    house.writer.full = True
    assert (house.publish().code, house.subscribe().code) == (-1, -1)
    house.transactions.capacity = 0
    assert (house.publish().code, house.subscribe().code) == (-1, -1)
    assert all(len(exchange.replies) == 1 for exchange in house.exchanges)
    assert [exchange.status for exchange in house.exchanges[-4:]] == [503] * 4


def test_a_drain_before_the_start() -> None:
    presence = Presence(cast(Any, House()))
    with pytest.raises(StopIteration):
        presence.drain().send(None)
