"""The declaration of presence_xml, which serves the event `presence` (RFC 3856)."""

from __future__ import annotations

from openpy.documents import pidf
from openpy.documents.xml import DocumentError
from openpy.engine.module import ArgumentError, Module, ModuleError, Param
from openpy.modules.presence.api import EventPackage, PresenceApi
from openpy.sip.errors import RemoteError


def _switch(value: int) -> int:
    if value not in (0, 1):
        raise ArgumentError(f"0 or 1 expected, not {value}")
    return value


def read_presence(body: bytes) -> pidf.Pidf:
    """A published presence document; raises RemoteError (400) for one that is none."""
    try:
        return pidf.parse(body)
    except DocumentError as error:
        raise RemoteError(
            400, f"Bad presence document: {error}".replace("\r", " ").replace("\n", " ")
        ) from None


def presence_event() -> EventPackage:
    """The event package `presence`, every watcher being active."""
    return EventPackage(
        "presence",
        pidf.CONTENT_TYPE,
        read_body=read_presence,
        agg_nbody=pidf.compose,
        offline_nbody=pidf.closed,
    )


class PresenceXml(Module):
    """The event `presence`, with bodies in PIDF (RFC 3856, 3863)."""

    name = "presence_xml"
    needs = ("presence",)

    db_url = Param(str, "", "Database of the rules documents; not needed with force_active")
    xcap_table = Param(str, "xcap", "Table of the rules documents")
    force_active = Param(int, 0, "1: every watcher is told everything, without rules", check=_switch)
    pidf_manipulation = Param(int, 0, "1: add the hard state that a user keeps by XCAP", check=_switch)
    integrated_xcap_server = Param(int, 0, "1: the XCAP server writes into the same database", check=_switch)
    xcap_server = Param[list[str]](str, [], "A trusted XCAP root, host[:port]", repeat=True)

    def check(self) -> None:
        """Refuse what is not served, and register the event; raises ModuleError."""
        if not self.force_active:
            raise ModuleError(
                "presence_xml knows no rules documents in this version",
                'add: modparam("presence_xml", "force_active", 1)',
            )
        presence = self.services.module("presence")
        if presence is None:
            raise ModuleError("presence_xml needs presence", 'put this line above: loadmodule "presence.so"')
        api = presence.bind()
        if not isinstance(api, PresenceApi):
            raise ModuleError("the module named presence is not the one that presence_xml needs")
        api.add_event(presence_event())
