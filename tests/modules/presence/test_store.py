"""Rows and state."""

from collections.abc import Iterator

import pytest

from openpy.db.statements import Delete, Update, Upsert
from openpy.modules.presence.eventstate import LastState
from openpy.modules.presence.publications import Publication
from openpy.modules.presence.store import join_uri, split_uri
from openpy.sip.errors import RemoteError
from tests.modules.presence.kit import ALICE, House


@pytest.mark.parametrize(
    ("uri", "columns"),
    [
        ("sip:alice@example.org", ("alice", "example.org")),
        ("sip:example.org", ("", "example.org")),
        ("sip:a%40b@example.org", ("a%40b", "example.org")),
        ("tel:+15551234", ("tel:+15551234", "")),
    ],
)
def test_uris_and_columns(uri: str, columns: tuple[str, str]) -> None:
    assert split_uri(uri) == columns
    assert join_uri(*columns) == uri


def test_the_operations_of_a_publication() -> None:
    house = House()
    store = house.agent.store
    state = house.agent.presentity(ALICE).event(house.agent.registry.named("presence"))  # type: ignore[arg-type]
    made = Publication(state, 7, "tag", 100.2, 50, b"body", None)
    whole = store.insert_publication(ALICE, "presence", 7, made)
    assert whole == Upsert(
        store.publications, 7, ("alice", "example.org", "presence", "tag", 101, 50, b"body")
    )
    refresh, modify = store.refresh_publication(7, made, "old"), store.modify_publication(7, made, "old")
    assert (refresh.sql.columns, refresh.values) == (("etag", "expires"), ("tag", 101))
    assert isinstance(modify, Update)
    assert modify.values == ("tag", 101, 50, b"body")
    assert store.delete_publication(7) == Delete(store.publications, 7)
    last = store.keep_last_state(LastState(state, 3, 99.9, b"closed"))
    assert last.values == ("alice", "example.org", "presence", 99, b"closed")
    assert store.delete_last_state(3) == Delete(store.last_states, 3)


def test_widths_are_those_of_the_database() -> None:
    house = House()
    store = house.agent.store
    assert store.publications.widths["username"] == 255
    house.memory.tables.clear()
    house.memory.widths = {"username": 4, "contact": 20}
    house = House(house.memory)
    exchange = house.publish()
    assert (exchange.status, exchange.reply.reason) == (400, "Request-URI user too long")
    exchange = house.subscribe()
    assert (exchange.status, exchange.reply.reason) == (400, "Contact too long")


def test_a_refresh_of_a_subscription_checks_its_target() -> None:
    house = House()
    house.subscribe()
    (subscription,) = house.agent.dialogs.popitem()[1].usages
    store = house.agent.store
    update = store.refresh_subscription(subscription, 100.5, 9, "sip:x", 256)
    assert update.values == (101, 9, "sip:x", 256)
    with pytest.raises(RemoteError, match="Contact too long"):
        store.refresh_subscription(subscription, 100.5, 9, "sip:" + "x" * 300, 256)
    with pytest.raises(RemoteError, match="Contact is not UTF-8"):
        store.refresh_subscription(subscription, 100.5, 9, "sip:\udcff@192.0.2.7", 256)
    assert store.reserve_cseq(subscription, 512).values == (512,)
    assert store.delete_subscription(1) == Delete(store.subscriptions, 1)


def test_rows_by_column_name() -> None:
    house = House()
    house.publish()
    (row,) = house.agent.store.rows(house.agent.store.publications)
    assert (row["id"], row["username"], row["event"]) == (1, "alice", "presence")
    assert (house.agent.store.publication_id(), house.agent.store.subscription_id()) == (2, 1)
    assert house.agent.store.last_state_id() == 1


def test_d45_rows_are_streamed() -> None:
    house = House()
    read: list[int] = []

    def rows(table: object) -> Iterator[tuple[object, ...]]:
        for number in range(3):
            read.append(number)
            yield (number, *("" for _ in house.agent.store.publications.columns))

    house.memory.rows = rows  # type: ignore[method-assign]
    stream = house.agent.store.rows(house.agent.store.publications)
    assert next(stream)["id"] == 0
    assert read == [0]


def test_names_of_tables_are_parameters() -> None:
    house = House(presentity_table="pubs", active_watchers_table="subs", watchers_table="decided")
    house.publish()
    house.subscribe()
    assert set(house.memory.tables) == {"pubs", "subs", "decided", "openpy_last_state"}
    assert len(house.memory.named("pubs")) == len(house.memory.named("subs")) == 1


def test_where_the_database_is_shared_a_row_is_updated_as_it_is_known() -> None:
    house = House(fallback2db=1)
    store = house.agent.store
    state = house.agent.presentity(ALICE).event(house.agent.registry.named("presence"))  # type: ignore[arg-type]
    made = Publication(state, 7, "new", 100.2, 50, b"body", None)
    assert store.refresh_publication(7, made, "old").values == ("new", 101, "old")
    assert store.modify_publication(7, made, "old").values == ("new", 101, 50, b"body", "old")
    house.subscribe()
    ((dialog,),) = [list(house.agent.dialogs.values())]
    (subscription,) = dialog.usages
    refreshed = store.refresh_subscription(subscription, 100.5, 9, "sip:x", 256)
    place = ("udp:192.0.2.1:5060", "sip:192.0.2.1:5060;transport=udp")
    assert refreshed.values == (101, 9, "sip:x", 256, *place, dialog.reserved)
    assert refreshed.sql.columns[-3:] == ("local_cseq", "socket_info", "local_contact")
    assert store.reserve_cseq(subscription, 512).values == (512, dialog.reserved)
