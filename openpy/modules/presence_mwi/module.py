"""The declaration of presence_mwi, which serves the event `message-summary` (RFC 3842).

Rules:
1. A summary is told as it was published; of several publications the newest is told alone.
2. The presentity of a mailbox is its owner: who watches is who the From names, in its canonical form.
"""

from __future__ import annotations

from openpy.documents import summary
from openpy.documents.xml import DocumentError
from openpy.engine.checks import switch
from openpy.engine.module import ArgumentError, Module, ModuleError, Param
from openpy.engine.services import Services
from openpy.modules.presence.api import EventPackage, PresenceApi
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request

OWNER = "owner"
ANYONE = "anyone"


def _watchers(value: str) -> str:
    if value not in (OWNER, ANYONE):
        raise ArgumentError(f'"{OWNER}" or "{ANYONE}" expected, not "{value}"')
    return value


def check_summary(request: Request) -> None:
    """Refuse a PUBLISH whose body is no summary; raises RemoteError (400)."""
    try:
        summary.parse(request.body)
    except DocumentError as error:
        raise RemoteError(400, f"Bad body: {error}") from None


class PresenceMwi(Module):
    """The event `message-summary`: whether messages wait in a mailbox (RFC 3842).

    The voicemail publishes the summary of a mailbox, its owner's phones subscribe to it:

        modparam("presence", "db_url", "sqlite:////var/lib/openpy/openpy.db")
        route {
            if (is_method("PUBLISH") && src_ip == 192.0.2.5) handle_publish();
            else if (is_method("SUBSCRIBE")) handle_subscribe();
            else sl_send_reply("403", "Forbidden");
        }
    """

    name = "presence_mwi"
    needs = ("presence",)

    mailbox_watchers = Param(
        str,
        OWNER,
        'Who may watch a mailbox: its "owner", or "anyone", as in 1.3',
        check=_watchers,
        reload=True,
    )
    empty_summary = Param(
        int,
        1,
        "Watchers of a mailbox for which nothing is published are told that no messages wait; "
        "0: they get no body, as in 1.3",
        check=switch,
        reload=True,
    )

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._package = EventPackage("message-summary", summary.CONTENT_TYPE, evs_publ_handl=check_summary)

    def check(self) -> None:
        """Register the event; raises ModuleError."""
        presence = self.services.module("presence")
        api = None if presence is None else presence.bind()
        if not isinstance(api, PresenceApi):
            raise ModuleError("presence_mwi needs presence", 'put this line above: loadmodule "presence.so"')
        self.reconfigured(self)
        api.add_event(self._package)

    def reconfigured(self, configured: Module) -> None:
        """SUBSCRIBEs and NOTIFYs go by the new values from now on."""
        self._package.owner_only = self.mailbox_watchers == OWNER
        self._package.empty_nbody = summary.empty if self.empty_summary else None
