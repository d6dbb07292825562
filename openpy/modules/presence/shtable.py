"""A table of subscriptions for modules that keep their own, such as resource lists (1.3's `shtable`).

Rules:
1. An entry is found by its key (presentity and event, as `key_of` gives them) and its dialog: Call-ID and both tags.
2. The table keeps its own copy; `expires` in it is a Unix time.
3. `db_flag` says what `sync` has to do: INSERT, UPDATE, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from math import ceil

from openpy.db.database import Database
from openpy.db.errors import DatabaseError
from openpy.db.statements import Delete, Operation, TableSql, Update, Upsert
from openpy.engine.waiting import Wait
from openpy.modules.presence.subs import INSERT, LOCAL_TYPE, NO_UPDATE, REMOTE_TYPE, UPDATE, Subs

Key = tuple[str, str]
"""Presentity URI and event name: where 1.3 had a hash of them."""

CHANGING = ("expires", "status", "reason", "remote_cseq", "local_cseq", "version", "contact")
"""The columns that an UPDATE writes."""


def key_of(subs: Subs) -> Key:
    """The key of a subscription."""
    return subs.pres_uri, subs.event.name


class SubscriptionTable:
    """Subscriptions by key."""

    __slots__ = ("_entries", "_gone")

    def __init__(self) -> None:
        self._entries: dict[Key, list[Subs]] = {}
        self._gone: list[int] = []

    def __iter__(self) -> Iterator[Subs]:
        for entries in self._entries.values():
            yield from entries

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    def insert(self, key: Key, subs: Subs, now: float) -> Subs:
        """Keep a copy, whose lifetime of `subs.expires` seconds begins now."""
        entry = replace(subs, expires=now + subs.expires, db_flag=INSERT)
        self._entries.setdefault(key, []).append(entry)
        return entry

    def search(self, key: Key, callid: str, to_tag: str, from_tag: str) -> Subs | None:
        """The entry of a dialog."""
        for entry in self._entries.get(key, ()):
            if (entry.callid, entry.to_tag, entry.from_tag) == (callid, to_tag, from_tag):
                return entry
        return None

    def delete(self, key: Key, callid: str, to_tag: str, from_tag: str) -> int:
        """Remove the entry of a dialog; return its last CSeq, or -1 if there is none."""
        entry = self.search(key, callid, to_tag, from_tag)
        if entry is None:
            return -1
        self._remove(key, entry)
        return entry.local_cseq

    def update(self, key: Key, subs: Subs, type_: int, now: float) -> bool:
        """Change the entry of a dialog; False if there is none.

        REMOTE_TYPE: a SUBSCRIBE with the lifetime `subs.expires` came. LOCAL_TYPE: a NOTIFY is about to be sent;
        `subs` gets the next CSeq and the version to use.
        """
        entry = self.search(key, subs.callid, subs.to_tag, subs.from_tag)
        if entry is None:
            return False
        if type_ == REMOTE_TYPE:
            entry.expires = now + subs.expires
            entry.remote_cseq = subs.remote_cseq
            entry.contact = subs.contact or entry.contact
        elif type_ == LOCAL_TYPE:
            entry.local_cseq += 1
            subs.local_cseq, subs.version = entry.local_cseq, entry.version
            entry.version += 1
        entry.status, entry.reason, entry.event = subs.status, subs.reason, subs.event
        subs.db_flag = entry.db_flag
        if entry.db_flag == NO_UPDATE:
            entry.db_flag = UPDATE
        return True

    def clear(self) -> None:
        """Forget all entries; their rows stay."""
        self._entries.clear()

    def sync(
        self, database: Database, sql: TableSql, now: float, expired: Callable[[Subs], None] | None
    ) -> Wait[DatabaseError | None]:
        """Write what changed to a table with the columns of `active_watchers`; resolved with an error or None.

        What has expired is removed, and told to `expired` one by one. After an error the next call writes it all again.
        """
        if expired is None:
            expired = _ignored
        for key, entries in list(self._entries.items()):
            for entry in [item for item in entries if item.expires <= now]:
                self._remove(key, entry)
                expired(entry)
        written = [entry for entry in self if entry.db_flag != NO_UPDATE]
        operations: list[Operation] = [Delete(sql, id_) for id_ in self._gone]
        update = sql.update(*CHANGING)
        for entry in written:
            row = _row(entry)
            if entry.db_flag == INSERT:
                entry.id = entry.id or database.next_id(sql)
                operations.append(Upsert(sql, entry.id, tuple(row[name] for name in sql.columns)))
            else:
                operations.append(Update(update, entry.id, tuple(row[name] for name in CHANGING)))
        done: Wait[DatabaseError | None] = Wait()
        if not operations:
            done.resolve(None)
            return done
        flags = [(entry, entry.db_flag) for entry in written]
        for entry in written:
            entry.db_flag = NO_UPDATE
        gone, self._gone = self._gone, []
        database.writer.submit(sql, operations, partial(self._synced, database, sql, flags, gone, done))
        database.writer.flush()
        return done

    def _synced(
        self,
        database: Database,
        sql: TableSql,
        flags: list[tuple[Subs, int]],
        gone: list[int],
        done: Wait[DatabaseError | None],
        error: DatabaseError | None,
    ) -> None:
        if error is not None:
            for entry, flag in flags:
                entry.db_flag = max(entry.db_flag, flag)
            self._gone += gone
            database.writer.forgive(sql)
        done.resolve(error)

    def _remove(self, key: Key, entry: Subs) -> None:
        entries = self._entries[key]
        entries[:] = [item for item in entries if item is not entry]
        if not entries:
            del self._entries[key]
        if entry.id:
            self._gone.append(entry.id)


def _row(subs: Subs) -> dict[str, object]:
    return {
        "presentity_uri": subs.pres_uri,
        "watcher_username": subs.from_user,
        "watcher_domain": subs.from_domain,
        "to_user": subs.to_user,
        "to_domain": subs.to_domain,
        "event": subs.event.name,
        "event_id": subs.event_id,
        "to_tag": subs.to_tag,
        "from_tag": subs.from_tag,
        "callid": subs.callid,
        "local_cseq": subs.local_cseq,
        "remote_cseq": subs.remote_cseq,
        "contact": subs.contact,
        "record_route": subs.record_route,
        "expires": ceil(subs.expires),
        "status": subs.status,
        "reason": subs.reason,
        "version": subs.version,
        "socket_info": subs.sockinfo_str,
        "local_contact": subs.local_contact,
    }


def _ignored(subs: Subs) -> None:
    """Nobody wants to know."""
