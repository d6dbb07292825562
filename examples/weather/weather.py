"""The event `weather`: a place publishes what its instruments see, and says who may know."""

from __future__ import annotations

from collections.abc import Sequence

from openpy.engine.module import Module, ModuleError, Param
from openpy.modules.presence.api import ACTIVE, PENDING, AuthStatus, EventPackage, PresenceApi, Subs
from openpy.sip.errors import RemoteError


def read_report(body: bytes) -> str:
    """One instrument's report, once, when it is published."""
    try:
        return body.decode("ascii").strip()
    except UnicodeDecodeError:
        raise RemoteError(400, "A report is ASCII text") from None


def joined(place: str, reports: Sequence[str]) -> bytes:
    """Aggregation: all reports of a place, newest last."""
    return "".join(f"{report}\r\n" for report in reports).encode()


def status(subs: Subs) -> AuthStatus:
    """Authorization: friends see everything, neighbours what is outdoors, others wait."""
    if subs.watcher_uri in (subs.auth_rules_doc or ()):
        return AuthStatus(ACTIVE, view="everything")
    neighbour = subs.pres_uri.endswith("@" + subs.from_domain)
    return AuthStatus(ACTIVE, view="outdoors") if neighbour else AuthStatus(PENDING)


def shown(body: bytes, subs: Subs) -> bytes | None:
    """What is shown of a body to those with the same view; None: all of it."""
    if subs.view == "everything":
        return None
    return b"".join(line for line in body.splitlines(True) if not line.startswith(b"indoors"))


class Weather(Module):
    """The event `weather`, and `weather.winfo` for those who want to know who watches."""

    name = "weather"
    needs = ("presence",)

    friend = Param[list[str]](str, [], "Somebody who may see everything, everywhere", repeat=True)

    def check(self) -> None:
        """Register the events; raises ModuleError."""
        presence = self.services.module("presence")
        api = presence.bind() if presence is not None else None
        if not isinstance(api, PresenceApi):
            raise ModuleError("weather needs presence", 'put this line above: loadmodule "presence.so"')
        friends = frozenset(self.friend)
        weather = EventPackage("weather", "text/plain", req_auth=True, agg_nbody=joined)
        weather.get_rules_doc = lambda user, domain: friends
        weather.read_body, weather.get_auth_status, weather.apply_auth_nbody = read_report, status, shown
        api.add_event(weather)
        api.add_event(EventPackage("weather.winfo", "application/watcherinfo+xml"))
