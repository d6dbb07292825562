"""A presence server that serves everything, the database behind it, and those who change that by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openpy.cli.openpyctl import main as openpyctl
from openpy.db.dialect import Row
from openpy.db.url import DatabaseUrl
from openpy.modules.presence_xml.tables import PRES_RULES
from tests.scenarios.process import Launch, ServerProcess
from tests.scenarios.shared import query, run_sql, script_for
from tests.scenarios.wire import Phone

SETTINGS = """\
loadmodule "presence_mwi.so"
loadmodule "mi_fifo.so"
modparam("presence_xml", "force_active", 0)
modparam("presence_xml", "pidf_manipulation", 1)
modparam("presence_xml", "integrated_xcap_server", 1)
modparam("presence_xml", "db_url", "{url}")
modparam("mi_fifo", "fifo_name", "{folder}/fifo")
modparam("mi_fifo", "reply_dir", "{folder}/")
"""


class Site:
    """A server with rules, hard state, watchers' information, mailboxes, shared lines and mi_fifo."""

    def __init__(self, kind: str, url: DatabaseUrl, folder: Path, launch: Launch) -> None:
        self.kind = kind
        self.url = url
        self.folder = folder
        settings = SETTINGS.format(url=url, folder=folder)
        script = script_for(kind, url, settings, publish='handle_publish("$hdr(Sender)")')
        self.server: ServerProcess = launch(script)

    @contextmanager
    def phone(self, user: str) -> Iterator[Phone]:
        """The phone of a user of example.org."""
        with Phone(self.server.address, user) as phone:
            yield phone

    def restart(self) -> None:
        """kill -9, and start again."""
        self.server.kill()
        self.server.start()

    def rows(self, statement: str, *values: Any) -> list[Row]:
        """What the database answers; `?` stands for a value."""
        return query(self.kind, self.url, statement, values)

    def change(self, statement: str, *values: Any) -> None:
        """What somebody else does to the database."""
        run_sql(self.kind, self.url, statement, values)

    def write_document(self, uri: str, document: bytes, doc_type: int = PRES_RULES) -> None:
        """What the XCAP server does when a user stores a document."""
        user, _, domain = uri.removeprefix("sip:").partition("@")
        owner = (user, domain, doc_type)
        self.change("DELETE FROM xcap WHERE username = ? AND domain = ? AND doc_type = ?", *owner)
        columns = "username, domain, doc_type, doc, etag, source, doc_uri, port"
        values = (*owner, document, "e", 0, "index", 0)
        self.change(f"INSERT INTO xcap ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)

    def refresh_watchers(self, uri: str, event: str = "presence", refresh_type: int = 0) -> None:
        """Say that rules (0) or state (another type) were changed by hand."""
        files = ("--fifo", f"{self.folder}/fifo", "--reply-dir", f"{self.folder}/")
        assert openpyctl(["mi", *files, "refreshWatchers", uri, event, str(refresh_type)]) == 0

    def set_rules(self, uri: str, document: bytes) -> None:
        """A user changes his rules, and his XCAP server says so."""
        self.write_document(uri, document)
        self.refresh_watchers(uri)
