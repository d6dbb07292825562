"""The declaration: parameters, life, and one reply for each request."""

from typing import Any, cast

import pytest

from openpy.db.errors import Unavailable, WrongTable
from openpy.engine.module import ModuleError, RouteKind
from openpy.modules.presence.api import EventPackage, PresenceApi
from openpy.modules.presence.module import Presence
from openpy.testing.script import Script
from tests.modules.accounts import URL, script_of, setting
from tests.modules.presence.kit import PIDF, House, Memory, presence


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
        "max_notify_refusals": (int, 10),
        "winfo_watchers": (str, "owner"),
        "max_watcher_subscriptions": (int, 1000),
        "max_watcher_rate": (int, 100),
        "max_presentity_subscriptions": (int, 10_000),
        "max_presentity_publications": (int, 50),
        "max_last_states": (int, 100_000),
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


def test_d12_without_a_database_it_is_a_library() -> None:
    house = House(db_url="")
    package = EventPackage("weather", "text/plain")
    api = house.presence.bind()
    api.add_event(package)
    assert api.contains_event("weather;id=1") is package
    assert api.get_event_list() == "presence, presence.winfo, dialog;sla, weather"
    assert house.presence.requirements() == ()
    assert not house.memory.tables
    house.wait(200)
    assert not house.wire
    with pytest.raises(StopIteration):
        house.presence.drain().send(None)


def test_d12_a_library_refuses_its_functions_and_names_the_line() -> None:
    refusals = [function.refusal for function in House(db_url="").presence.functions()]
    assert len(refusals) == 2
    for refusal in refusals:
        assert refusal is not None
        assert refusal.reason == "presence has no database"
        assert refusal.hint.startswith('add: modparam("presence", "db_url", ')
    assert all(function.refusal is None for function in House().presence.functions())
    assert House().presence.requirements() == Presence.needs


def test_while_the_database_is_away_everything_is_answered_503() -> None:
    memory = Memory()
    memory.ready = False
    house = House(memory)
    for exchange in (house.publish(), house.subscribe()):
        assert (exchange.status, exchange.code) == (503, -1)
        assert 1 <= int(exchange["Retry-After"]) <= 5
    memory.come()
    assert house.publish().status == 200
    house.subscribe()
    assert house.take_one().body


def test_what_the_database_brings_is_served_when_it_comes() -> None:
    house = House()
    etag = house.publish()["SIP-ETag"]
    house.subscribe()
    house.memory.ready = False
    later = house.restart()
    assert later.publish(None, etag=etag).status == 503
    house.memory.come()
    assert later.publish(None, etag=etag).status == 200
    assert (later.presence.publications.value, later.presence.subscriptions.value) == (1, 1)


def test_a_load_that_fails_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    etag = house.publish()["SIP-ETag"]
    house.subscribe()
    memory = house.memory
    memory.ready = False
    later = house.restart()
    rows = memory.rows
    subscriptions = memory.tables["active_watchers"]

    def fail(table: Any) -> Any:
        if table is subscriptions:
            raise Unavailable("gone again")
        return rows(table)

    with monkeypatch.context() as patched:
        patched.setattr(memory, "rows", fail)
        memory.come()
        assert later.publish(None, etag=etag).status == 503
        later.wait(2)
    assert later.presence.publications.value == 0
    assert any("trying again: gone again" in line for line in later.logged)
    later.wait(1.2)
    assert later.presence.publications.value == 1
    assert later.publish(None, etag=etag).status == 200


def test_a_database_that_comes_after_the_drain_is_not_loaded() -> None:
    memory = Memory()
    memory.ready = False
    house = House(memory)
    with pytest.raises(StopIteration):
        house.presence.drain().send(None)
    memory.come()
    assert house.publish().status == 503


def test_a_table_that_is_not_what_it_should_be() -> None:
    memory = Memory()

    def use(*arguments: Any) -> Any:
        raise WrongTable("presentity has version 1, 2 is needed")

    memory.use = use  # type: ignore[method-assign,assignment]
    with pytest.raises(ModuleError, match="version 1"):
        House(memory)


def test_needs_and_counters() -> None:
    assert Presence.needs == ("database", "sl", "tm")
    assert set(Presence.counters()) == {
        "publications",
        "subscriptions",
        "notifies_sent",
        "notifies_failed",
        "over_budget",
    }
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


def test_parameters_may_change_while_it_runs() -> None:
    house = House(max_expires=60)
    presence = house.presence
    api = presence.bind()
    vars(presence).update(
        max_expires=30,
        expires_offset=5,
        server_address="sip:proxy.example.org",
        to_tag_pref="new",
        subs_respond_200=0,
    )
    presence.reconfigured(presence)
    assert house.publish(expires=100)["Expires"] == "25"
    subscription = house.subscribe()
    assert (subscription.status, subscription["Contact"]) == (202, "<sip:proxy.example.org>")
    assert subscription.reply.to.tag is not None
    assert subscription.reply.to.tag.startswith("new.")
    assert presence.bind() is api
    assert (api.server_address, api.to_tag_pref) == ("sip:proxy.example.org", "new")
    library = Presence(house)
    library.reconfigured(library)


def test_a_request_that_came_by_two_ways_is_served_once() -> None:
    """RFC 3261 8.2.2.2."""
    house = House()
    first = house.publish(call_id="fork@example.org")
    again = house.publish(call_id="fork@example.org")
    assert (first.status, first.code) == (200, 1)
    assert (again.status, again.reply.reason, again.code) == (482, "Loop Detected", -1)
    assert house.presence.publications.value == 1
    assert house.publish(call_id="fork@example.org", cseq=2, etag=first["SIP-ETag"]).status == 200
    watcher = house.subscribe(call_id="s@example.org")
    assert house.subscribe(call_id="s@example.org").status == 482
    refreshed = house.subscribe(call_id="s@example.org", cseq=2, to_tag=watcher.reply.to.tag)
    assert refreshed.status in (200, 202)


def test_a_script_says_whom_a_request_is_about() -> None:
    settings = setting("presence", "db_url", URL) + setting("presence_xml", "force_active", 1)
    route = """
        $ru = "sip:alice@example.com";
        if (is_method("PUBLISH")) handle_publish(); else handle_subscribe();
    """
    headers = {"Event": "presence", "Content-Type": PIDF, "Contact": "<sip:bob@192.0.2.1>"}
    with Script(script_of(route, "textops", "presence", "presence_xml", settings=settings)) as script:
        script.send("SUBSCRIBE", "sip:100@example.com", headers=headers)
        script.send("PUBLISH", "sip:alias@example.com", headers=headers, body=presence())
        assert [row["username"] for row in script.rows("presentity")] == ["alice"]
        assert [row["presentity_uri"] for row in script.rows("active_watchers")] == ["sip:alice@example.com"]
        assert len(script.requests("NOTIFY")) == 2
