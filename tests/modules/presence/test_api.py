"""Chapter 2 of the module's documentation: the members of `presence_api_t`, one by one."""

from collections.abc import Coroutine
from typing import Any, cast

import pytest

from openpy.db.database import Database
from openpy.db.errors import DatabaseError
from openpy.engine.module import ModuleError
from openpy.modules.presence.api import (
    ACTIVE,
    LOCAL_TYPE,
    AuthStatus,
    EventPackage,
    PresenceApi,
    Subs,
    key_of,
)
from openpy.modules.presence.tables import ActiveWatchers
from openpy.sip.errors import RemoteError
from openpy.sip.headers import parse_event
from openpy.sip.message import Request, parse_message
from tests.modules.presence.kit import ALICE, WATCHER, House, Wire, ruleset

TEXT = "text/plain"


@pytest.fixture
def house() -> House:
    return House(xml={})


@pytest.fixture
def api(house: House) -> PresenceApi:
    return house.presence.bind()


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of what waits for nothing."""
    with pytest.raises(StopIteration) as ended:
        work.send(None)
    return ended.value.value


def request(*headers: str, to_tag: str = "") -> Request:
    tag = f";tag={to_tag}" if to_tag else ""
    lines = [
        f"SUBSCRIBE {'sip:192.0.2.1' if to_tag else ALICE} SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1",
        "From: <sip:Bob@Example.org>;tag=f",
        f"To: <sip:alice@example.org>{tag}",
        "Call-ID: c1",
        "CSeq: 7 SUBSCRIBE",
        "Event: weather;id=3",
        *headers,
        "Content-Length: 0\r\n\r\n",
    ]
    message = parse_message("\r\n".join(lines).encode())
    assert isinstance(message, Request)
    return message


def test_add_event_contains_event_search_event_get_event_list(api: PresenceApi) -> None:
    package = EventPackage("weather;local", TEXT)
    api.add_event(package)
    api.add_event(EventPackage("weather;local", "text/html"))
    assert api.get_event_list() == "presence, presence.winfo, dialog;sla, weather;local"
    assert api.contains_event("weather;local;id=7") is package
    assert api.contains_event("weather") is None
    assert api.contains_event('"') is None
    assert api.search_event(parse_event("weather ; LOCAL")) is package
    assert package.evp == parse_event("weather;local")


def test_add_event_refuses_what_cannot_work(api: PresenceApi) -> None:
    with pytest.raises(ModuleError, match="req_auth"):
        api.add_event(EventPackage("weather", TEXT, req_auth=True))
    with pytest.raises(ModuleError, match="watchers of watchers"):
        api.add_event(EventPackage("weather.winfo.winfo", TEXT))


def test_update_watchers_status(house: House, api: PresenceApi) -> None:
    package = api.contains_event("presence")
    assert package is not None
    assert run(api.update_watchers_status(ALICE, package)) == 0
    house.subscribe()
    house.subscribe(from_="<sip:carol@example.org>;tag=c")
    assert run(api.update_watchers_status(ALICE, package)) == 0
    assert package.reread is not None
    house.memory.document(ruleset("sip:bob@example.org allow"))
    run(cast(Any, package.reread("alice", "example.org")))
    assert run(api.update_watchers_status("sip:alice@EXAMPLE.org", package, b"rules")) == 1
    house.memory.document(ruleset("* block"))
    run(cast(Any, package.reread("alice", "example.org")))
    house.writer.failing = DatabaseError("away")
    with pytest.raises(DatabaseError):
        api.update_watchers_status(ALICE, package).send(None)
    sla = api.contains_event("dialog;sla")
    assert sla is not None
    house.writer.failing = None
    house.wait(2)
    house.subscribe(event="dialog;sla")
    assert run(api.update_watchers_status(ALICE, sla)) == 0


def test_update_watchers_status_where_rules_are_not_known(house: House, api: PresenceApi) -> None:
    def unknown(user: str, domain: str) -> None:
        raise RemoteError(503, "Later")

    house.subscribe()
    package = api.contains_event("presence")
    assert package is not None
    package.get_rules_doc = unknown
    with pytest.raises(DatabaseError, match="Later"):
        api.update_watchers_status(ALICE, package).send(None)


def test_documents_that_came_later_change_what_everybody_may(house: House, api: PresenceApi) -> None:
    house.subscribe()
    house.take()
    package = api.contains_event("presence")
    assert package is not None
    package.get_rules_doc = lambda user, domain: None
    package.get_auth_status = lambda subs: AuthStatus(ACTIVE)
    package.get_rules_doc = lambda user, domain: ACTIVE
    api.documents_loaded(package)
    house.turn()
    assert house.take_one().get("Subscription-State") == "active;expires=600"


def test_a_library_knows_nobody() -> None:
    api = House(db_url="").presence.bind()
    package = EventPackage("weather", TEXT)
    api.add_event(package)
    assert run(api.update_watchers_status(ALICE, package)) == 0
    api.documents_loaded(package)
    assert api.new_shtable() is not None


def test_the_table_functions(house: House, api: PresenceApi) -> None:
    table = api.new_shtable(512)
    subs = Subs(ALICE, EventPackage("weather", TEXT), callid="c", to_tag="t", from_tag="f", expires=60)
    key = key_of(subs)
    entry = api.insert_shtable(table, key, subs)
    assert entry.expires == house.clock.wall() + 60
    assert api.search_shtable(table, "c", "t", "f", key) is entry
    copy = api.mem_copy_subs(entry)
    assert copy == entry
    assert copy is not entry
    assert api.update_shtable(table, key, copy, LOCAL_TYPE)
    sql = house.memory.use(ActiveWatchers, "rls_watchers")
    database = cast(Database, house.memory)
    run(api.update_db_subs(database, sql, table))
    assert [row["local_cseq"] for row in house.memory.named("rls_watchers")] == [1]
    house.clock.time += 61
    gone: list[Subs] = []
    run(api.update_db_subs(database, sql, table, gone.append))
    assert gone == [entry]
    api.insert_shtable(table, key, subs)
    assert api.delete_shtable(table, key, "c", "t", "f") == 0
    api.insert_shtable(table, key, subs)
    house.writer.failing = DatabaseError("away")
    with pytest.raises(DatabaseError):
        api.update_db_subs(database, sql, table).send(None)
    api.destroy_shtable(table)
    assert len(table) == 0


def test_extract_sdialog_info(house: House, api: PresenceApi) -> None:
    package = EventPackage("weather", TEXT)
    flow = Wire(house, "udp", *WATCHER)
    subs, made = api.extract_sdialog_info(
        request("Contact: <sip:b@192.0.2.7>", "Record-Route: <sip:p;lr>", "Expires: 9000"), flow, package, 600
    )
    assert made
    assert subs.to_tag.startswith("10.")
    assert (subs.pres_uri, subs.from_user, subs.from_domain) == (ALICE, "Bob", "example.org")
    assert (subs.event_id, subs.remote_cseq, subs.expires) == ("3", 7, 600)
    assert (subs.contact, subs.record_route) == ("sip:b@192.0.2.7", "<sip:p;lr>")
    assert (subs.local_contact, subs.sockinfo_str) == (
        "sip:192.0.2.1:5060;transport=udp",
        "udp:192.0.2.1:5060",
    )
    subs, made = api.extract_sdialog_info(
        request("Contact: <sip:b@192.0.2.7>", to_tag="ours"), flow, package, 600
    )
    assert (subs.to_tag, made, subs.pres_uri) == ("ours", False, ALICE)
    with pytest.raises(RemoteError) as refused:
        api.extract_sdialog_info(request("Contact: *"), flow, package, 600)
    assert refused.value.status == 400
    with pytest.raises(RemoteError) as refused:
        api.extract_sdialog_info(
            request("Contact: <sip:b@192.0.2.7>", "Expires: 5"), flow, package, 600, min_expires=60
        )
    assert refused.value.status == 423
