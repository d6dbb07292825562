"""`openpyctl publish`: publishes a state, refreshes it, removes it at the end."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from pathlib import Path

from lxml import etree

from openpy.cli.client import Client
from openpy.cli.console import ExitStatus, complain, first_set, set_on_signal, show
from openpy.useragent.publication import Publication, PublishKind, PublishResult

GOODBYE = 3.0  # seconds for the removal to be confirmed

PIDF = "urn:ietf:params:xml:ns:pidf"
CONTENT_TYPE = "application/pidf+xml"


async def run(options: argparse.Namespace) -> ExitStatus:
    """Publish until interrupted or refused or, with --once, answered. Raises Unreachable."""
    try:
        body = Path(options.body).read_bytes() if options.body else document(options)
    except OSError as error:
        complain(f"{options.body}: {error.strerror}")
        return ExitStatus.USAGE
    except ValueError:
        complain("--note: XML cannot hold these characters")
        return ExitStatus.USAGE
    client = Client(options.target, "publisher", options.account, options.timers)
    try:
        await client.open()
        return await Publisher(client, options, body).publish()
    finally:
        await client.close()


class Publisher:
    """Keeps a publication, and shows the answers until it is stopped."""

    def __init__(self, client: Client, options: argparse.Namespace, body: bytes) -> None:
        self._client = client
        self._options = options
        self._status = ExitStatus.DONE
        self._stopped = asyncio.Event()
        self._over = asyncio.Event()
        self._publication = Publication(
            client.agent,
            uri=str(options.uri),
            from_uri=options.from_uri or options.uri.aor(),
            event=options.event,
            expires=options.expires,
            body=body,
            content_type=CONTENT_TYPE,
            flow=client.flow,
            on_result=self._take,
        )

    async def publish(self) -> ExitStatus:
        """Publish to the end."""
        set_on_signal(self._stopped)
        self._publication.start()
        await first_set(self._stopped, self._over)
        if not self._over.is_set():
            self._publication.remove()
            if not await first_set(self._over, timeout=GOODBYE):
                complain("no answer to the removal: the state is left to expire")
        return self._status

    def _take(self, result: PublishResult) -> None:
        # A 412 to a removal: the server has forgotten the state, as we wanted.
        removed = result.kind is PublishKind.REMOVE and (result.ok or result.status == 412)
        if result.ok or removed:
            if not show(as_json(result) if self._options.json else as_text(result)):
                self._stopped.set()
        else:
            self._refused(result)
        if self._options.once or not result.etag:
            self._over.set()

    def _refused(self, result: PublishResult) -> None:
        """Tell why; while the state lasts, it goes on and is tried again."""
        if result.status == 408:
            status, what = ExitStatus.NO_ANSWER, "no answer"
        elif result.status == 503 and not self._client.is_connected:
            status, what = ExitStatus.NO_ANSWER, "the connection was lost"
        else:
            status, what = ExitStatus.REFUSED, f"refused: {result.status} {result.reason}"
        if result.etag:
            complain(f"{result.kind.value}: {what}; tried again later")
        else:
            complain(what)
            self._status = status


def as_text(result: PublishResult) -> str:
    """One answer as a line for people."""
    if result.kind is PublishKind.REMOVE:
        return "removed"
    return f"{result.status} {result.reason}  {result.kind.value}  for {result.expires} s  tag {result.etag}"


def as_json(result: PublishResult) -> str:
    """One answer as a JSON object."""
    return json.dumps({"status": result.status, "etag": result.etag, "expires": result.expires})


def document(options: argparse.Namespace) -> bytes:
    """A PIDF document of what the command line says."""
    root = etree.Element("presence", {"xmlns": PIDF, "entity": options.uri.aor()})
    entry = etree.SubElement(root, "tuple", {"id": f"openpyctl-{os.getpid()}"})
    status = etree.SubElement(entry, "status")
    etree.SubElement(status, "basic").text = options.basic
    if options.note:
        etree.SubElement(entry, "note").text = options.note
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
