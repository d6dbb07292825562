"""The tables of presence: OpenSER 1.3's layout with wider columns, and one of our own."""

from __future__ import annotations

from typing import ClassVar

from peewee import SQL, BlobField, CharField, IntegerField, TextField

from openpy.db.ids import IdBlocks
from openpy.db.tables import CALL_ID_WIDTH, TAG_WIDTH, URI_WIDTH, Table

__all__ = ["TABLES", "ActiveWatchers", "LastStates", "Presentity", "Watchers"]


class Presentity(Table):
    """One publication a row.

    1.3 has a unique index over (username, domain, event, etag). Rows are addressed by id here, and an etag
    changes with each refresh: without the etag in it a refresh rewrites no index.
    """

    table_version = 2
    legacy_widths: ClassVar[dict[str, int]] = {"username": 64, "domain": 64}

    username = CharField(URI_WIDTH)
    domain = CharField(URI_WIDTH)
    event = CharField(64)
    etag = CharField(64)
    expires = IntegerField()
    received_time = IntegerField()
    body = BlobField()

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "presentity"
        indexes = ((("username", "domain", "event"), False),)


class ActiveWatchers(Table):
    """One subscription a row. `local_cseq` is the highest NOTIFY CSeq that may have been used.

    1.3's unique index has no event in it: there a dialog carries one subscription only.
    """

    table_version = 9
    legacy_widths: ClassVar[dict[str, int]] = {
        "presentity_uri": 128,
        "watcher_username": 64,
        "watcher_domain": 64,
        "to_user": 64,
        "to_domain": 64,
        "event_id": 64,
        "to_tag": 64,
        "from_tag": 64,
        "callid": 64,
        "contact": 64,
        "local_contact": 128,
    }

    presentity_uri = CharField(URI_WIDTH)
    watcher_username = CharField(URI_WIDTH)
    watcher_domain = CharField(URI_WIDTH)
    to_user = CharField(URI_WIDTH)
    to_domain = CharField(URI_WIDTH)
    event = CharField(64, constraints=[SQL("DEFAULT 'presence'")])
    event_id = CharField(TAG_WIDTH, null=True)
    to_tag = CharField(TAG_WIDTH)
    from_tag = CharField(TAG_WIDTH)
    callid = CharField(CALL_ID_WIDTH)
    local_cseq = IntegerField()
    remote_cseq = IntegerField()
    contact = CharField(URI_WIDTH)
    record_route = TextField(null=True)
    expires = IntegerField()
    status = IntegerField(constraints=[SQL("DEFAULT 2")])
    reason = CharField(64)
    version = IntegerField(constraints=[SQL("DEFAULT 0")])
    socket_info = CharField(64)
    local_contact = CharField(URI_WIDTH)

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "active_watchers"
        indexes = ((("presentity_uri", "callid", "to_tag", "from_tag"), False),)


class Watchers(Table):
    """What a presentity decided about a watcher."""

    table_version = 3
    legacy_widths: ClassVar[dict[str, int]] = {
        "presentity_uri": 128,
        "watcher_username": 64,
        "watcher_domain": 64,
    }

    presentity_uri = CharField(URI_WIDTH)
    watcher_username = CharField(URI_WIDTH)
    watcher_domain = CharField(URI_WIDTH)
    event = CharField(64, constraints=[SQL("DEFAULT 'presence'")])
    status = IntegerField()
    reason = CharField(64, null=True)
    inserted_time = IntegerField()

    class Meta:
        """The name that OpenSER gives it."""

        table_name = "watchers"
        indexes = ((("presentity_uri", "watcher_username", "watcher_domain", "event"), True),)


class LastStates(Table):
    """What is notified once nothing is published any more: the last publications, closed."""

    table_version = 1

    username = CharField(URI_WIDTH)
    domain = CharField(URI_WIDTH)
    event = CharField(64)
    ended = IntegerField()
    body = BlobField()

    class Meta:
        """A table that OpenSER does not have."""

        table_name = "openpy_last_state"
        indexes = ((("username", "domain", "event"), False),)


TABLES: tuple[type[Table], ...] = (Presentity, ActiveWatchers, Watchers, LastStates, IdBlocks)
