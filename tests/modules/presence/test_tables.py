"""The tables, in a real database."""

from pathlib import Path

from openpy.db.schema import check, create
from openpy.db.tables import columns_of, name_of, table_ddl
from openpy.db.url import DatabaseUrl
from openpy.modules.presence.tables import TABLES, ActiveWatchers, Presentity
from openpy.modules.sqlite.dialect import DIALECT


def test_names_and_versions() -> None:
    assert [(name_of(table), table.table_version) for table in TABLES] == [
        ("presentity", 2),
        ("active_watchers", 9),
        ("watchers", 3),
        ("openpy_last_state", 1),
        ("openpy_ids", 1),
    ]


def test_columns_are_those_of_1_3() -> None:
    assert list(columns_of(Presentity)) == [
        *("username", "domain", "event", "etag", "expires", "received_time", "body")
    ]
    assert list(columns_of(ActiveWatchers)) == [
        *(
            "presentity_uri",
            "watcher_username",
            "watcher_domain",
            "to_user",
            "to_domain",
            "event",
            "event_id",
        ),
        *("to_tag", "from_tag", "callid", "local_cseq", "remote_cseq", "contact", "record_route", "expires"),
        *("status", "reason", "version", "socket_info", "local_contact"),
    ]


def test_d42_widths_for_what_rfcs_allow() -> None:
    widths = columns_of(ActiveWatchers)
    assert (widths["contact"], widths["callid"], widths["to_tag"]) == (255, 255, 128)
    assert set(ActiveWatchers.legacy_widths) <= set(widths)


def test_a_refresh_of_a_publication_rewrites_no_index() -> None:
    indexes = [statement for statement in table_ddl(DIALECT, Presentity) if "INDEX" in statement]
    assert len(indexes) == 1
    assert "etag" not in indexes[0]
    assert "UNIQUE" not in indexes[0]


def test_they_are_made_and_found_in_order(tmp_path: Path) -> None:
    connection = DIALECT.connect(DatabaseUrl("sqlite", "", "", "", None, str(tmp_path / "openpy.db")))
    create(DIALECT, connection, list(TABLES))
    assert check(DIALECT, connection, list(TABLES)) == []
    connection.close()
