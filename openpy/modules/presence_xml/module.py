"""The declaration of presence_xml, which serves `presence` (RFC 3856), `presence.winfo` and `dialog;sla`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from openpy.db.errors import DatabaseError
from openpy.documents import pidf, watcherinfo
from openpy.documents.transformations import Unmentioned
from openpy.documents.xml import CEILING, LIMITS, DocumentError, Limits
from openpy.engine.checks import identifier, switch
from openpy.engine.module import ArgumentError, Module, ModuleError, Param
from openpy.engine.services import Services
from openpy.modules.presence.api import EventPackage, PresenceApi
from openpy.modules.presence.store import split_uri
from openpy.modules.presence_xml.line import sla_event
from openpy.modules.presence_xml.policy import Policy
from openpy.modules.presence_xml.tables import Xcap
from openpy.modules.presence_xml.xcap import XcapDocuments
from openpy.sip.errors import RemoteError


def _up_to(most: int) -> Callable[[int], int]:
    def check(value: int) -> int:
        if not 1 <= value <= most:
            raise ArgumentError(f"1 to {most} expected, not {value}")
        return value

    return check


def _default(value: str) -> str:
    if value not in tuple(Unmentioned):
        raise ArgumentError(f'"1.3" or "rfc5025" expected, not "{value}"')
    return value


def read_presence(body: bytes, limits: Limits = LIMITS) -> pidf.Pidf:
    """A published presence document; raises RemoteError (400) for one that is none."""
    try:
        return pidf.parse(body, limits)
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
    """Presence with bodies in PIDF (RFC 3856, 3863), who watches it (RFC 3857), and shared lines (`dialog;sla`).

    Who may watch, and sees what, is said by the presence rules (RFC 5025) in the table of XCAP documents. They are
    read at the start, and for one user when the command `refreshWatchers` says that they have changed.

        modparam("presence", "db_url", "sqlite:////var/lib/openpy/openpy.db")
        modparam("presence_xml", "db_url", "sqlite:////var/lib/openpy/openpy.db")
        modparam("presence_xml", "integrated_xcap_server", 1)

    Without rules, for a first try, everybody may watch everybody: `modparam("presence_xml", "force_active", 1)`.
    """

    name = "presence_xml"
    needs = ("presence",)

    db_url = Param(str, "", "Database of the XCAP documents; not needed with force_active")
    xcap_table = Param(str, "xcap", "Table of the XCAP documents", check=identifier)
    force_active = Param(int, 0, "1: every watcher is told everything, without rules", check=switch)
    pidf_manipulation = Param(int, 0, "1: add the hard state that a user keeps by XCAP", check=switch)
    integrated_xcap_server = Param(int, 0, "1: the XCAP server writes into the same database", check=switch)
    xcap_server = Param[list[str]](
        str,
        [],
        "A trusted XCAP root, host[:port]: needs xcap_client, which is not part of this version",
        repeat=True,
    )
    rules_default = Param(
        str,
        "1.3",
        'What rules do not mention is shown ("1.3"), or hidden ("rfc5025")',
        check=_default,
    )
    max_xml_depth = Param(
        int, LIMITS.depth, "Depth of a published document; more: 400", check=_up_to(CEILING.depth), limit=True
    )
    max_xml_nodes = Param(
        int,
        LIMITS.nodes,
        "Elements of a published document; more: 400",
        check=_up_to(CEILING.nodes),
        limit=True,
    )
    max_xml_attributes = Param(
        int,
        LIMITS.attributes,
        "Attributes of a published document; more: 400",
        check=_up_to(CEILING.attributes),
        limit=True,
    )

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._presence = presence_event()
        self._api: PresenceApi | None = None

    def check(self) -> None:
        """Refuse what is not served, and register the events; raises ModuleError."""
        self._check_rules()
        limits = Limits(CEILING.octets, self.max_xml_depth, self.max_xml_nodes, self.max_xml_attributes)
        self._presence.read_body = partial(read_presence, limits=limits)
        presence = self.services.module("presence")
        if presence is None:
            raise ModuleError("presence_xml needs presence", 'put this line above: loadmodule "presence.so"')
        api = presence.bind()
        if not isinstance(api, PresenceApi):
            raise ModuleError("the module named presence is not the one that presence_xml needs")
        self._api = api
        if not self.force_active:
            policy = Policy(Unmentioned(self.rules_default), self.db_url.encode()[:64])
            self._presence.req_auth = True
            self._presence.get_rules_doc = _not_loaded
            self._presence.get_auth_status = policy.status
            self._presence.apply_auth_nbody = policy.shown
        api.add_event(self._presence)
        api.add_event(EventPackage("presence.winfo", watcherinfo.CONTENT_TYPE))
        api.add_event(sla_event(limits))

    async def start(self) -> None:
        """Read the documents, or as soon as their database comes; raises ModuleError."""
        if self.force_active and not self.pidf_manipulation:
            return
        database = self.services.database(self.db_url)
        try:
            database.open()
            documents = XcapDocuments(database, database.use(Xcap, self.xcap_table), self.services.log)
            if database.ready:
                self._serve(documents)
            else:
                database.when_ready(partial(self._serve, documents))
        except DatabaseError as error:
            raise ModuleError(f"presence_xml cannot use its database {database.url}: {error}") from error

    def _serve(self, documents: XcapDocuments) -> None:
        """Load the documents, and go by them from now on; raises DatabaseError."""
        documents.load()
        package = self._presence
        package.reread = documents.reread
        if not self.force_active:
            package.get_rules_doc = documents.rules
        if self.pidf_manipulation:
            package.hard_state = lambda uri: documents.hard_state(*split_uri(uri))
        if self._api is not None:
            self._api.documents_loaded(package)

    def _check_rules(self) -> None:
        if self.force_active and not self.pidf_manipulation:
            return
        if not self.force_active and not self.integrated_xcap_server:
            if self.xcap_server:
                raise ModuleError(
                    "presence_xml fetches no rules from an xcap_server: xcap_client is not part of this version",
                    'add: modparam("presence_xml", "integrated_xcap_server", 1), and keep the documents in the table',
                )
            raise ModuleError(
                "presence_xml does not know where the rules of presentities are",
                'add: modparam("presence_xml", "integrated_xcap_server", 1), '
                'or modparam("presence_xml", "force_active", 1) to do without rules',
            )
        if not self.db_url:
            raise ModuleError(
                "presence_xml has no database",
                'add: modparam("presence_xml", "db_url", "sqlite:////var/lib/openpy/openpy.db")',
            )


def _not_loaded(user: str, domain: str) -> None:
    """Until the rules are known nobody can be judged."""
    raise RemoteError(503, "Service Unavailable", (("Retry-After", "2"),))
