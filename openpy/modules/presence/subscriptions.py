"""The rules for SUBSCRIBE (RFC 6665 section 4.2.1, RFC 3265 section 3.1). Pure: no clock, no database, no sockets.

Rules:
1. A SUBSCRIBE without To-tag makes a dialog; with one it belongs to a dialog that is known, or is refused.
2. In a dialog, event and `id` name the subscription; another pair is a further subscription of the same dialog.
"""

from __future__ import annotations

from enum import Enum, auto

from openpy.modules.presence.dialog import Dialog, Subscription
from openpy.modules.presence.events import EventPackage
from openpy.sip.errors import RemoteError


class Action(Enum):
    """What a SUBSCRIBE does."""

    FETCH = auto()
    """No lifetime: the state is told once, and nothing is kept."""
    CREATE = auto()
    REFRESH = auto()
    END = auto()


def decide(current: Subscription | None, lifetime: int) -> Action:
    """What to do about a SUBSCRIBE that was found in order; `lifetime` is what is granted, in seconds."""
    if current is None:
        return Action.CREATE if lifetime else Action.FETCH
    return Action.REFRESH if lifetime else Action.END


def no_subscription() -> RemoteError:
    """The answer to a request in a dialog that is not known."""
    return RemoteError(481, "Subscription does not exist")


def check_in_dialog(dialog: Dialog | None, call_id: str, from_tag: str, cseq: int) -> Dialog:
    """The dialog, if the request belongs to it; raises RemoteError (481, or 500 for a CSeq that is not higher)."""
    if dialog is None or dialog.call_id != call_id or dialog.from_tag != from_tag:
        raise no_subscription()
    if cseq <= dialog.remote_cseq:
        raise RemoteError(500, "CSeq is not higher than the last")
    return dialog


def usage(dialog: Dialog, package: EventPackage, event_id: str | None, now: float) -> Subscription | None:
    """The subscription of a dialog to an event; None if there is none, or it has ended."""
    for subscription in dialog.usages:
        if (
            subscription.state.package is package
            and subscription.event_id == event_id
            and not subscription.ending
            and subscription.expires > now
        ):
            return subscription
    return None
