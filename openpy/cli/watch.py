"""`openpyctl watch`: subscribes and shows each state as it comes."""

from __future__ import annotations

import argparse
import asyncio
import json
import time

from openpy.cli.client import Client
from openpy.cli.console import ExitStatus, complain, first_set, set_on_signal, show
from openpy.documents.xml import DocumentError, parse_document
from openpy.useragent.subscription import Ended, NotifyState, Subscription

GOODBYE = 3.0  # seconds for the end of the subscription to be confirmed
PAUSE = 1  # seconds before a subscription that the server ended is begun anew

TRANSIENT = ("deactivated", "giveup", "probation", "timeout")
"""Reasons for an end after which one may subscribe again (RFC 6665 section 4.1.3)."""

PIDF = "{urn:ietf:params:xml:ns:pidf}"


async def run(options: argparse.Namespace) -> ExitStatus:
    """Watch until interrupted, refused or, with --once, told a state. Raises Unreachable."""
    client = Client(options.target, "watcher", options.account, options.timers)
    try:
        await client.open()
        return await Watcher(client, options).watch()
    finally:
        await client.close()


class Watcher:
    """Keeps a subscription, and shows its states until it is stopped."""

    def __init__(self, client: Client, options: argparse.Namespace) -> None:
        self._client = client
        self._options = options
        self._stopped = asyncio.Event()
        self._ended = asyncio.Event()
        self._end: Ended | None = None

    async def watch(self) -> ExitStatus:
        """Watch to the end."""
        set_on_signal(self._stopped)
        while True:
            end = await self._subscribe()
            if end is None:
                return ExitStatus.DONE
            if end.status or end.reason not in TRANSIENT:
                return self._report(end)
            if await first_set(self._stopped, timeout=max(end.retry_after or 0, PAUSE)):
                return ExitStatus.DONE

    async def _subscribe(self) -> Ended | None:
        """Keep one subscription until it ends (how), or until we are stopped (None)."""
        options = self._options
        self._ended.clear()
        subscription = Subscription(
            self._client.agent,
            target_uri=str(options.uri),
            from_uri=options.from_uri or f"sip:watcher@{options.uri.host}",
            event=options.event,
            expires=options.expires,
            accept="application/pidf+xml" if options.event == "presence" else "",
            flow=self._client.flow,
            on_state=self._show,
            on_end=self._over,
        )
        self._client.on_restored = subscription.refresh
        subscription.start()
        await first_set(self._stopped, self._ended)
        if not self._ended.is_set():
            subscription.close()
            await first_set(self._ended, timeout=GOODBYE)
            return None
        return self._end

    def _show(self, state: NotifyState) -> None:
        if self._stopped.is_set():
            return  # the farewell to our own unsubscription
        readable = show(as_json(state) if self._options.json else as_text(state))
        if self._options.once or not readable:
            self._stopped.set()

    def _over(self, end: Ended) -> None:
        self._end = end
        self._ended.set()

    def _report(self, end: Ended) -> ExitStatus:
        if end.status == 503 and not self._client.is_connected:
            complain("the connection was lost")
            return ExitStatus.NO_ANSWER
        if end.status == 408:
            complain("no answer")
            return ExitStatus.NO_ANSWER
        if end.status or end.reason == "rejected":
            complain(f"refused: {end.status} {end.reason}" if end.status else "refused: rejected")
            return ExitStatus.REFUSED
        return ExitStatus.DONE


def basic_and_note(body: bytes) -> tuple[str, str]:
    """The first `basic` and `note` of a PIDF document; "" for what is not there."""
    try:
        root = parse_document(body)
    except DocumentError:
        return "", ""
    basic = root.findtext(f"{PIDF}tuple/{PIDF}status/{PIDF}basic") or ""
    note = root.findtext(f".//{PIDF}note") or ""
    return basic.strip(), note.strip()


def as_text(state: NotifyState) -> str:
    """One state as a line for people."""
    basic, note = basic_and_note(state.body)
    stamp = time.strftime("%H:%M:%S", time.localtime(state.time))
    what = basic or ("no state" if not state.body else state.content_type)
    line = f"{stamp}  {state.event}  {state.state:<10}  {what}"
    if note:
        line += f'  "{note}"'
    if state.reason:
        line += f"  ({state.reason})"
    return line


def as_json(state: NotifyState) -> str:
    """One state as a JSON object."""
    basic, note = basic_and_note(state.body)
    return json.dumps(
        {
            "time": state.time,
            "event": state.event,
            "state": state.state,
            "reason": state.reason,
            "expires": state.expires,
            "basic": basic,
            "note": note,
            "content_type": state.content_type,
            "body": state.body.decode("utf-8", "replace"),
        }
    )
