"""A subscription as other modules see it: 1.3's `subs_t`, a copy that they may keep and change."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openpy.modules.presence.store import split_uri

if TYPE_CHECKING:
    from openpy.modules.presence.dialog import Subscription
    from openpy.modules.presence.events import EventPackage

REMOTE_TYPE = 2
"""Of `update_shtable`: the watcher's SUBSCRIBE changed something."""

LOCAL_TYPE = 4
"""Of `update_shtable`: a NOTIFY of ours did."""

NO_UPDATE, UPDATE, INSERT = 1, 2, 4
"""What `update_db_subs` has to do about an entry (`db_flag`)."""


@dataclass(slots=True)
class Subs:
    """One subscription. `expires` is a Unix time in tables and relative (seconds) in what a request says.

    `from_*` name the watcher, `to_*` what the SUBSCRIBE was addressed to. `record_route` is the route set, comma
    separated. `auth_rules_doc` is what `get_rules_doc` gave, `published` the body that is notified at the Unix
    time `now`.
    """

    pres_uri: str
    event: EventPackage
    to_user: str = ""
    to_domain: str = ""
    from_user: str = ""
    from_domain: str = ""
    event_id: str | None = None
    to_tag: str = ""
    from_tag: str = ""
    callid: str = ""
    remote_cseq: int = 0
    local_cseq: int = 0
    contact: str = ""
    local_contact: str = ""
    record_route: str = ""
    sockinfo_str: str = ""
    expires: float = 0
    status: int = 1
    reason: str = ""
    version: int = 0
    db_flag: int = NO_UPDATE
    auth_rules_doc: Any = None
    published: bytes = b""
    view: Hashable = None
    """What `get_auth_status` said that the watcher is shown."""
    now: float = 0
    id: int = 0
    """Of its row, if it has one."""

    @property
    def watcher_uri(self) -> str:
        """The canonical URI of the watcher."""
        if not self.from_domain:
            return self.from_user
        return f"sip:{self.from_user}@{self.from_domain}" if self.from_user else f"sip:{self.from_domain}"


def subs_of(subscription: Subscription, *, rules: Any = None, published: bytes = b"") -> Subs:
    """What other modules are shown of a subscription."""
    dialog = subscription.dialog
    to_user, to_domain = split_uri(dialog.to_uri)
    from_user, from_domain = split_uri(dialog.watcher_uri)
    return Subs(
        pres_uri=dialog.presentity.uri,
        event=subscription.state.package,
        to_user=to_user,
        to_domain=to_domain,
        from_user=from_user,
        from_domain=from_domain,
        event_id=subscription.event_id,
        to_tag=dialog.to_tag,
        from_tag=dialog.from_tag,
        callid=dialog.call_id,
        remote_cseq=dialog.remote_cseq,
        local_cseq=dialog.cseq,
        contact=dialog.target,
        local_contact=dialog.local_contact,
        record_route=dialog.routes,
        sockinfo_str=dialog.socket,
        expires=subscription.expires,
        status=subscription.status,
        reason=subscription.reason,
        version=subscription.version,
        auth_rules_doc=rules,
        published=published,
    )
