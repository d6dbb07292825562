"""A user agent: requests out, NOTIFYs in."""

from __future__ import annotations

from collections.abc import Callable

from openpy.sip import build
from openpy.sip.dialog import Dialog
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from openpy.transaction.flow import Flow
from openpy.transaction.layer import Layer
from openpy.transaction.wheel import Wheel
from openpy.useragent.authentication import Account, Authentication
from openpy.useragent.exchange import Draft, Exchange, Outcome

Answer = Callable[[int, str], None]
"""Sends a final reply: status, and header lines or ""."""

_BY_TLS = ";transport=tls"

NotifyHandler = Callable[[Request, Answer], None]
"""Takes a NOTIFY, and answers it."""


class UserAgent:
    """One user agent on a transaction layer.

    `local_contact` is our URI for requests to come; `random` gives some token characters that nobody can
    guess, new ones each time; `clock` gives the time that reports carry, in seconds. `account` answers
    challenges of any realm.
    """

    __slots__ = ("_account", "_notify_handlers", "_random", "clock", "layer", "local_contact")

    def __init__(
        self,
        layer: Layer,
        *,
        local_contact: str,
        random: Callable[[], str],
        clock: Callable[[], float],
        account: Account | None = None,
    ) -> None:
        self.layer = layer
        self.local_contact = local_contact
        self.clock = clock
        self._random = random
        self._account = account
        self._notify_handlers: dict[tuple[str, str], NotifyHandler] = {}

    @property
    def wheel(self) -> Wheel:
        """The timer wheel."""
        return self.layer.wheel

    def contact_for(self, uri: str) -> str:
        """Our URI in a request to `uri`: a SIPS URI where that is one (RFC 3261 8.1.1.8) and we are reached by TLS."""
        contact = self.local_contact
        if uri[:5].lower() == "sips:" and contact.endswith(_BY_TLS):
            return contact.removesuffix(_BY_TLS).replace("sip:", "sips:", 1)
        return contact

    def new_tag(self) -> str:
        """Return a tag for a new dialog."""
        return self._random()

    def new_call_id(self) -> str:
        """Return a Call-ID for a new dialog."""
        return self._random()

    # --- requests out ---------------------------------------------------------------------------------------

    def draft(self, method: str, uri: str, *, from_uri: str, to_uri: str = "") -> Draft:
        """A request outside any dialog; `to_uri` is `uri` if not given."""
        return Draft(
            method,
            uri,
            from_=f"<{from_uri}>;tag={self.new_tag()}",
            to=f"<{to_uri or uri}>",
            call_id=self.new_call_id(),
            cseq=1,
        )

    def draft_within(self, dialog: Dialog, method: str) -> Draft:
        """A request within `dialog`, with its next CSeq. Raises RemoteError (400): an unreadable route."""
        uri, routes, _ = dialog.request_parts()
        dialog.local_cseq += 1
        return Draft(
            method,
            uri,
            from_=f"<{dialog.local_uri}>;tag={dialog.local_tag}",
            to=f"<{dialog.remote_uri}>" + (f";tag={dialog.remote_tag}" if dialog.remote_tag else ""),
            call_id=dialog.call_id,
            cseq=dialog.local_cseq,
            routes=routes,
        )

    def send(self, draft: Draft, flow: Flow, on_done: Callable[[Outcome], None]) -> None:
        """Send a request, and tell `on_done` once how it ended.

        Challenges and a 423 are followed, each repetition with the next CSeq; `on_done` may read the last
        one used from `draft.cseq`.
        """
        Exchange(self.layer, draft, flow, Authentication(self._account, self._random), on_done)

    # --- NOTIFYs in -----------------------------------------------------------------------------------------

    def handle_notifies(self, call_id: str, local_tag: str, handler: NotifyHandler) -> None:
        """Give the NOTIFYs of a dialog to `handler` from now on."""
        self._notify_handlers[call_id, local_tag] = handler

    def ignore_notifies(self, call_id: str, local_tag: str) -> None:
        """Answer further NOTIFYs of a dialog by 481."""
        self._notify_handlers.pop((call_id, local_tag), None)

    def receive_request(self, request: Request, flow: Flow) -> bool:
        """Take a request: a NOTIFY, or the repetition of one. False: it is the caller's.

        A NOTIFY of no subscription is answered by 481, one that cannot be read by 400.
        """
        try:
            if self.layer.receive_request(request, flow) is not None:
                return True
            if request.method != "NOTIFY":
                return False
            handler = self._notify_handlers.get((request.call_id, request.to.tag))
            transaction = self.layer.create_server(request, flow)
        except RemoteError as error:
            flow.send(build.reply(request, error.status, error.reason))
            return True

        def answer(status: int, headers: str = "") -> None:
            reply = build.reply(request, status, build.reason_phrase(status), headers=headers)
            transaction.reply(status, reply)

        if handler is None:
            answer(481)
            return True
        try:
            handler(request, answer)
        except RemoteError as error:
            answer(error.status)
        return True
